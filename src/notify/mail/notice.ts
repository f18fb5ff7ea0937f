// Notices: mails by which the service tells an account of something that is no import, such as an
// endpoint that was disabled. Called inside the transaction of what they tell.

import type { Db } from '../../platform/db.ts'
import type { Letter } from './letter.ts'
import { insertNotices } from './store.ts'

export interface Notice {
  subject: string
  /** Paragraphs with a blank line between them. */
  text: string
}

/** Writes a mail to every address of the account's notification settings, to be sent when the
 *  transaction is committed. Out: to how many. */
export async function noticeByMail(db: Db, account_id: number, notice: Notice): Promise<number> {
  const { subject, text } = notice
  return insertNotices(db, account_id, { subject, text })
}

/** The letter of a notice. */
export function noticeLetter({ subject, text }: Notice): Letter {
  return {
    subject,
    paragraphs: text.split(/\n{2,}/),
    facts: [],
    counts: [],
    problems: [],
    problemsTitle: '',
    links: [],
    footer: 'Muster sent this because your address is in the notification settings of the account.'
  }
}
