// Sends the mails that are due: one loop in every worker process. A mail is taken (which sets when
// it is tried again), sent, and marked. Who dies in between is followed by the next attempt, so a
// mail is sent at least once; its Message-ID stays, by which mail systems know a second one.
// Started by jobs.ts.

import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../../config.ts'
import type { Pool } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import { mailFolder } from '../../platform/mail-files.ts'
import { listPastSecrets, loadTypes } from '../../record-types/store.ts'
import { isSensitive } from '../../record-types/types.ts'
import { type ImportFacts, importLetter } from './import-letter.ts'
import { type Letter, renderHtml, renderSubject, renderText } from './letter.ts'
import { type Notice, noticeLetter } from './notice.ts'
import { type Delivered, openPost, type Post } from './post.ts'
import { claimDueMail, type DueMail, getStarter, listBadRows, noteAttempt } from './store.ts'

export interface MailerContext {
  pool: Pool
  config: Config
  log: Log
}

/** How mails are sent; tests are in more of a hurry. */
export interface MailerPace {
  /** How often is looked for mails. */
  pollMs: number
  /** Before the second attempt; twice as long before each further one. More than an attempt takes. */
  pauseSeconds: number
  /** Then a mail is given up. */
  maxAttempts: number
  /** The most that one attempt takes. */
  attemptMs: number
  /** How long an attempt may go on when the process is to stop. */
  stopMs: number
}

const usualPace: MailerPace = {
  pollMs: 5_000,
  // 2, 4, 8 ... 512, 512 minutes: about a day in all.
  pauseSeconds: 120,
  maxAttempts: 11,
  attemptMs: 110_000,
  stopMs: 5_000
}

/** Starts sending. `stop` lets what is being sent come to its end, for a short while. */
export function startMailer(
  context: MailerContext,
  pace: MailerPace = usualPace
): { stop(): Promise<void> } {
  const { config, log } = context
  const stopping = new AbortController()
  const cutOff = new AbortController()
  const post = openPost(config)
  const sender = { ...context, pace, post, signal: cutOff.signal, inHand: new Set<number>() }
  if (!config.smtp) {
    const folder = mailFolder(config.dataDir)
    log.info({ folder }, 'MUSTER_SMTP_URL is not set: mails are written to files')
  }
  const run = async () => {
    while (!stopping.signal.aborted) {
      await sendDue(sender, stopping.signal).catch((error: unknown) => {
        log.warn({ err: error }, 'mails not sent')
      })
      await wait(pace.pollMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  // Each by itself: a server that hangs over one address holds up one of them.
  const running = Promise.all(Array.from({ length: together }, run))
  return {
    async stop() {
      stopping.abort()
      const timer = setTimeout(() => cutOff.abort(), pace.stopMs)
      await running
      clearTimeout(timer)
    }
  }
}

interface Sender extends MailerContext {
  post: Post
  pace: MailerPace
  /** Aborted when an attempt must not go on. */
  signal: AbortSignal
  /** Ids of the mails that are being sent by this process. */
  inHand: Set<number>
}

// At a time, each on a connection of its own.
const together = 4

/** Sends what is due, one after the other, until nothing is left or the mail server is away. */
async function sendDue(sender: Sender, stopping: AbortSignal): Promise<void> {
  const { pool, pace, inHand } = sender
  while (!stopping.aborted) {
    const { pauseSeconds } = pace
    const mail = await claimDueMail(pool, { pauseSeconds, inHand: [...inHand] })
    if (mail === null) return
    inHand.add(mail.id)
    const result = await sendOne(sender, mail).finally(() => inHand.delete(mail.id))
    if (result.state === 'queued' && result.isAway) return
  }
}

async function sendOne(sender: Sender, mail: DueMail): Promise<Delivered> {
  const { pool, log, pace } = sender
  const result = await attempt(sender, mail).catch((cause: unknown): Delivered => {
    return { state: 'queued', error: 'The mail could not be made.', isAway: false, cause }
  })
  const isLast = result.state === 'queued' && mail.attempts >= pace.maxAttempts
  const state = isLast ? 'failed' : result.state
  await noteAttempt(pool, mail, { state, error: 'error' in result ? result.error : null })
  logResult(log, mail, state, result)
  return result
}

async function attempt(sender: Sender, mail: DueMail): Promise<Delivered> {
  const { post, pace, signal } = sender
  const letter = await makeLetter(sender, mail)
  const message = {
    message_id: mail.message_id,
    created_at: mail.created_at,
    address: mail.address,
    subject: renderSubject(letter),
    text: renderText(letter),
    html: renderHtml(letter)
  }
  return post.deliver(message, AbortSignal.any([signal, AbortSignal.timeout(pace.attemptMs)]))
}

async function makeLetter({ pool, config }: Sender, mail: DueMail): Promise<Letter> {
  const { account_id, import_id } = mail
  if (mail.kind === 'notice' || import_id === null) return noticeLetter(mail.content as Notice)
  const facts = mail.content as ImportFacts
  const rows = await listBadRows(pool, { account_id, import_id, limit: 10 })
  const type = (await loadTypes(pool, account_id)).get(facts.type)
  const named = { name: facts.type, type_id: type?.type_id ?? null }
  // A field that is there no more was there when the file was read.
  const secrets = await listPastSecrets(pool, account_id, named)
  return importLetter(facts, {
    import_id,
    started_by: await getStarter(pool, account_id, import_id),
    problems: rows.flatMap(({ line, problems }) =>
      problems.filter(({ severity }) => severity === 'error').map((problem) => ({ line, problem }))
    ),
    has_secrets: type === undefined || secrets.length > 0 || type.fields.some(isSensitive),
    publicUrl: config.publicUrl
  })
}

/** Addresses are people's and are not logged, nor are answers about one, which quote it. */
function logResult(log: Log, mail: DueMail, state: string, result: Delivered): void {
  const { account_id, id: mail_id, import_id, attempts } = mail
  const facts = { account_id, mail_id, import_id, attempts }
  if (result.state === 'written')
    log.info({ ...facts, path: result.path }, 'mail written to a file')
  else if (result.state === 'sent') log.info(facts, 'mail sent')
  else {
    const fault = 'isAway' in result && result.isAway ? { reason: String(result.cause) } : {}
    const text = state === 'failed' ? 'mail given up' : 'mail not sent, tried again later'
    log.warn({ ...facts, ...fault }, text)
  }
}
