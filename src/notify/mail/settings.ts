// What an account says about its mails, and what it may see of them. Called by routes.ts.

import type { Static } from 'typebox'
import { readAddresses } from '../../email-address.ts'
import { appError } from '../../errors.ts'
import { readCursor, toPage } from '../../platform/cursor.ts'
import type { Db } from '../../platform/db.ts'
import type { MailListQuery, MailSchema } from './schemas.ts'
import { listMails, type MailRow, type NotificationSettings, saveSettings } from './store.ts'

/** Replaces the settings; each address is kept once. Out: the settings as they are kept. Throws
 *  validation_failed, which names every text that is no address. */
export async function changeSettings(
  db: Db,
  account_id: number,
  given: NotificationSettings
): Promise<NotificationSettings> {
  const { addresses, wrong } = readAddresses(given.emails)
  const faults = given.emails.flatMap((text, index) =>
    wrong.includes(text)
      ? [{ path: `body/emails/${index}`, message: 'is not an address like name@example.com' }]
      : []
  )
  if (faults.length > 0) {
    const reason = `${faults.map(({ path, message }) => `${path} ${message}`).join('; ')}.`
    throw appError('validation_failed', { reason }, { details: faults })
  }
  const settings = { ...given, emails: addresses }
  await saveSettings(db, account_id, settings)
  return settings
}

/** A page of mails, newest first. Throws invalid_cursor. */
export async function pageOfMails(
  db: Db,
  account_id: number,
  { import_id, state, cursor, limit }: Static<typeof MailListQuery>
) {
  const before = readCursor(cursor, null)
  const rows = await listMails(db, account_id, {
    import_id: import_id ?? null,
    state: state ?? null,
    before,
    limit: limit + 1
  })
  const { data, next_cursor } = toPage(rows, limit, (row) => row.id)
  return { data: data.map(mailJson), next_cursor }
}

function mailJson(row: MailRow): Static<typeof MailSchema> {
  const { id, kind, import_id, address, state, attempts, error } = row
  return {
    id,
    kind,
    import_id,
    address,
    state,
    attempts,
    error,
    created_at: row.created_at.toISOString(),
    next_attempt_at: state === 'queued' ? row.due_at.toISOString() : null,
    sent_at: row.sent_at?.toISOString() ?? null
  }
}
