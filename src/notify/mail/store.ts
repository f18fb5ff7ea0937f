// Mails and notification settings in the database. Mails of imports are written by the database
// itself (write_import_mails in migrations/008_mail.sql), in the transaction that ends the import.

import type { Problem } from '../../import/terms.ts'
import type { Db } from '../../platform/db.ts'

/** After which imports the addresses of an account get a mail. */
export const importEmails = ['always', 'errors', 'never'] as const

export interface NotificationSettings {
  emails: string[]
  import_emails: (typeof importEmails)[number]
}

/** queued: to be sent, or to be tried again; sent: the mail server has it; written: a file has it,
 *  because there is no mail server; failed: given up. */
export const mailStates = ['queued', 'sent', 'written', 'failed'] as const
export type MailState = (typeof mailStates)[number]

/** The settings of an account; what an account that never said anything has. */
export async function getSettings(db: Db, account_id: number): Promise<NotificationSettings> {
  const { rows } = await db.query<NotificationSettings>(
    `/* mail.get_settings */
    SELECT s.emails, s.import_emails
    FROM notification_settings s
    WHERE s.account_id = $1::integer`,
    [account_id]
  )
  return rows[0] ?? { emails: [], import_emails: 'never' }
}

/** Replaces the settings of an account. */
export async function saveSettings(
  db: Db,
  account_id: number,
  { emails, import_emails }: NotificationSettings
): Promise<void> {
  await db.query(
    `/* mail.save_settings */
    INSERT INTO notification_settings (account_id, emails, import_emails)
    VALUES ($1::integer, $2::text[], $3::text)
    ON CONFLICT (account_id) DO UPDATE
    SET emails = EXCLUDED.emails, import_emails = EXCLUDED.import_emails`,
    [account_id, emails, import_emails]
  )
}

/** Writes a mail to each address of the account's settings. Out: how many. */
export async function insertNotices(
  db: Db,
  account_id: number,
  content: { subject: string; text: string }
): Promise<number> {
  const { rowCount } = await db.query(
    `/* mail.insert_notices */
    INSERT INTO mails (account_id, kind, address, content)
    SELECT s.account_id, 'notice', e.address, $2::jsonb
    FROM notification_settings s
    CROSS JOIN LATERAL unnest(s.emails) AS e (address)
    WHERE s.account_id = $1::integer`,
    [account_id, JSON.stringify(content)]
  )
  return rowCount ?? 0
}

/** A mail to be sent now. */
export interface DueMail {
  account_id: number
  id: number
  message_id: string
  kind: 'import' | 'notice'
  import_id: number | null
  address: string
  content: unknown
  /** This attempt counted. */
  attempts: number
  created_at: Date
}

/** Takes the mail that is due the longest and that is not `inHand`, and sets when it is due again: after `pauseSeconds`, and
 *  twice as long after each further attempt (at most 256 times as long). Whoever takes it and dies is
 *  followed by the next one then; nothing has to be given back. Null: none is due. */
export async function claimDueMail(
  db: Db,
  { pauseSeconds, inHand }: { pauseSeconds: number; inHand: number[] }
): Promise<DueMail | null> {
  const { rows } = await db.query<DueMail>(
    `/* mail.claim */
    WITH due AS MATERIALIZED (
      SELECT q.account_id, q.id
      FROM mails q
      WHERE q.state = 'queued'
        AND q.due_at <= now()
        AND q.id <> ALL ($2::bigint[])
      ORDER BY q.due_at
      LIMIT 1
      FOR UPDATE SKIP LOCKED
    )
    UPDATE mails m
    SET attempts = m.attempts + 1,
      due_at = now() + make_interval(secs => $1::float8 * power(2, LEAST(m.attempts, 8)))
    FROM due d
    WHERE m.account_id = d.account_id
      AND m.id = d.id
    RETURNING m.account_id, m.id, m.message_id, m.kind, m.import_id, m.address, m.content,
      m.attempts, m.created_at`,
    [pauseSeconds, inHand]
  )
  return rows[0] ?? null
}

/** Notes what became of an attempt. Nothing when the mail has gone out meanwhile. */
export async function noteAttempt(
  db: Db,
  { account_id, id }: Pick<DueMail, 'account_id' | 'id'>,
  { state, error }: { state: MailState; error: string | null }
): Promise<void> {
  await db.query(
    `/* mail.note_attempt */
    UPDATE mails m
    SET state = $3::text, error = $4::text,
      sent_at = CASE WHEN $3::text IN ('sent', 'written') THEN now() END
    WHERE m.account_id = $1::integer
      AND m.id = $2::bigint
      AND m.state IN ('queued', 'failed')`,
    [account_id, id, state, error]
  )
}

/** Who asked for an import; null: unknown. */
export async function getStarter(db: Db, account_id: number, import_id: number) {
  const { rows } = await db.query<{ name: string | null }>(
    `/* mail.get_starter */
    SELECT k.name
    FROM imports i
    LEFT JOIN api_keys k ON k.account_id = i.account_id AND k.id = i.created_by
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [account_id, import_id]
  )
  return rows[0]?.name ?? null
}

/** Errors of the first `limit` rows of an import that were rejected or failed, in file order. Each
 *  branch is a walk through import_rows_bad_idx. */
export async function listBadRows(
  db: Db,
  { account_id, import_id, limit }: { account_id: number; import_id: number; limit: number }
): Promise<{ line: number; problems: Problem[] }[]> {
  const branch = (outcome: string) => `(
      SELECT r.row_number, r.line_number, r.problems
      FROM imports i
      JOIN import_rows r ON r.account_id = i.account_id AND r.import_id = i.id
        AND r.created_on = i.created_on
      WHERE i.account_id = $1::integer
        AND i.id = $2::bigint
        AND r.outcome = '${outcome}'
      ORDER BY r.row_number
      LIMIT $3::integer
    )`
  const { rows } = await db.query<{ line: number; problems: Problem[] }>(
    `/* mail.list_bad_rows */
    SELECT b.line_number AS line, COALESCE(b.problems, '[]') AS problems
    FROM (${branch('rejected')} UNION ALL ${branch('failed')}) b
    ORDER BY b.row_number
    LIMIT $3::integer`,
    [account_id, import_id, limit]
  )
  return rows
}

/** A mail as its account sees it. Times are Dates. */
export interface MailRow {
  id: number
  kind: 'import' | 'notice'
  import_id: number | null
  address: string
  state: MailState
  attempts: number
  error: string | null
  due_at: Date
  created_at: Date
  sent_at: Date | null
}

/** Mails of the account, newest first. */
export async function listMails(
  db: Db,
  account_id: number,
  filter: {
    import_id: number | null
    state: MailState | null
    /** Only mails with a smaller id. */
    before: number | null
    limit: number
  }
): Promise<MailRow[]> {
  const { rows } = await db.query<MailRow>(
    `/* mail.list */
    SELECT m.id, m.kind, m.import_id, m.address, m.state, m.attempts, m.error, m.due_at,
      m.created_at, m.sent_at
    FROM mails m
    WHERE m.account_id = $1::integer
      AND ($2::bigint IS NULL OR m.import_id = $2::bigint)
      AND ($3::text IS NULL OR m.state = $3::text)
      AND ($4::bigint IS NULL OR m.id < $4::bigint)
    ORDER BY m.id DESC
    LIMIT $5::integer`,
    [account_id, filter.import_id, filter.state, filter.before, filter.limit]
  )
  return rows
}
