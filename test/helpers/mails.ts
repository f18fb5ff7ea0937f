// What tests of mails share: a mailer in a hurry, imports that end without a worker, and waiting
// until nothing is left to send.

import { type Config, readConfig } from '../../src/config.ts'
import { type MailerPace, startMailer } from '../../src/notify/mail/mailer.ts'
import type { Setup } from '../setup.ts'
import type { Teardown } from './cluster.ts'
import type { TestSmtp } from './smtp.ts'
import { until } from './until.ts'

/** One good row and one bad one. */
export const csv =
  'external_id,organization,first_name,emails\n1,A,Ann,a@example.com\n2,A,Bob,nonsense\n'

/** The pace of tests. */
export const quick: MailerPace = {
  pollMs: 20,
  pauseSeconds: 0.05,
  maxAttempts: 4,
  attemptMs: 5_000,
  stopMs: 1_000
}

/** What the configuration makes of an address of a mail server. */
export const withServer = (url: string): Pick<Config, 'smtp' | 'mailFrom' | 'publicUrl'> => {
  const { smtp, mailFrom, publicUrl } = readConfig({
    MUSTER_SMTP_URL: url,
    MUSTER_MAIL_FROM: 'Muster <muster@example.com>',
    MUSTER_PUBLIC_URL: 'https://muster.example.com/'
  })
  return { smtp, mailFrom, publicUrl }
}

/** Starts sending in this process, in a hurry. */
export function mailer(t: Teardown, { pool, log, config }: Setup, url: string, over = {}) {
  const pace = { ...quick, ...over }
  const started = startMailer({ pool, log, config: { ...config, ...withServer(url) } }, pace)
  t.teardown(() => started.stop())
  return started
}

/** An import that has ended without a worker: it was cancelled while it was queued. */
export async function cancelled({ uploadCsv, request }: Setup, options = {}): Promise<number> {
  const { status, body } = await uploadCsv(csv, options)
  if (status !== 202) throw new Error(JSON.stringify(body))
  await request('POST', `/imports/${body.id}/cancel`)
  return body.id
}

/** Mails of the account, oldest first. */
export const mailsOf = async ({ get }: Setup, query = '') => {
  const { body } = await get(`/mails${query}`)
  return body.data.toReversed()
}

/** Waits until there are `count` mails and none is to be sent. */
export const settled = (service: Setup, count: number) =>
  until('mails to settle', async () => {
    const mails = await mailsOf(service)
    const isOver =
      mails.length === count && mails.every((m: { state: string }) => m.state !== 'queued')
    return isOver ? mails : null
  })

/** Who got mail. */
export const receivers = ({ received }: TestSmtp) => received.map(({ to }) => to).sort()
