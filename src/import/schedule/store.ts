// The statements of scheduling. They look at the imports of all accounts at once, as no statement of
// a request may: whose turn it is can be told in no other way.

import type { Db, Tx } from '../../platform/db.ts'
import type { ImportState } from '../status.ts'
import type { Choice, InLine } from './choose-import.ts'

/** Makes workers choose one after the other, until the transaction ends. A process that freezes
 *  meanwhile loses its connection after seconds, or nobody could choose. */
export async function lockTurns(tx: Tx): Promise<void> {
  await tx.query(
    `/* schedule.lock */
    SELECT set_config('idle_in_transaction_session_timeout', '5s', true),
      pg_advisory_xact_lock(hashtext('muster.turns'))`
  )
}

/** The imports that run, and of each account and type the oldest that waits. Reads only the index of
 *  imports that have not ended. */
export async function readLine(db: Db): Promise<InLine[]> {
  const { rows } = await db.query<InLine>(
    `/* schedule.read_line */
    SELECT DISTINCT ON (i.account_id, i.type, i.state = 'queued') i.account_id, i.type, i.id,
      i.state <> 'queued' AS "isRunning",
      COALESCE(EXTRACT(EPOCH FROM i.queued_at) * 1000, 0)::float8 AS "queuedAt",
      -- Where nothing is written yet, what was read is read again.
      CASE i.kind WHEN 'import'
        THEN i.file_bytes - CASE WHEN i.next_row > 0 THEN i.next_offset ELSE 0 END
      END AS "bytesLeft",
      i.overtaken_seconds::float8 AS "overtakenSeconds",
      COALESCE(EXTRACT(EPOCH FROM t.turned_at) * 1000, 0)::float8 AS "turnedAt"
    FROM imports i
    LEFT JOIN account_turns t ON t.account_id = i.account_id
    WHERE i.state IN ('queued', 'running', 'pausing', 'cancelling')
    ORDER BY i.account_id, i.type, i.state = 'queued', i.queued_at, i.id`
  )
  return rows
}

/** Gives a turn to the chosen import: queued -> running under this ticket. Returns false when it is
 *  not queued any more. */
export async function beginTurn(tx: Tx, choice: Choice, ticket: string): Promise<boolean> {
  const { chosen, overtaken, seconds } = choice
  const { rowCount } = await tx.query(
    `/* schedule.begin_turn */
    WITH begun AS (
      UPDATE imports i
      SET state = 'running', ticket = $3::uuid, started_at = COALESCE(i.started_at, now())
      WHERE i.account_id = $1::integer
        AND i.id = $2::bigint
        AND i.state = 'queued'
      RETURNING i.account_id
    ), passed AS (
      UPDATE imports o
      SET overtaken_seconds = o.overtaken_seconds + $5::real
      FROM begun b
      WHERE o.account_id = b.account_id
        AND o.id = ANY ($4::bigint[])
    )
    INSERT INTO account_turns AS t (account_id, turned_at)
    SELECT b.account_id, clock_timestamp()
    FROM begun b
    ON CONFLICT (account_id) DO UPDATE SET turned_at = excluded.turned_at`,
    [
      chosen.account_id,
      chosen.id,
      ticket,
      overtaken.map(({ id }) => id),
      overtaken.length > 0 ? seconds : 0
    ]
  )
  return rowCount === 1
}

/** Notes that the account has had a turn. */
export async function noteTurn(db: Db, account_id: number): Promise<void> {
  await db.query(
    `/* schedule.note_turn */
    UPDATE account_turns t
    SET turned_at = clock_timestamp()
    WHERE t.account_id = $1::integer`,
    [account_id]
  )
}

/** The import that a ticket was running when its worker was lost. */
export async function findRunning(
  db: Db,
  ticket: string
): Promise<{ account_id: number; import_id: number } | null> {
  const { rows } = await db.query<{ account_id: number; import_id: number }>(
    `/* schedule.find_running */
    SELECT i.account_id, i.id AS import_id
    FROM imports i
    WHERE i.state IN ('running', 'pausing', 'cancelling')
      AND i.ticket = $1::uuid
    LIMIT 1`,
    [ticket]
  )
  return rows[0] ?? null
}

/** An import at work that nothing was heard of, as its attempt left it. */
export interface SilentImport {
  account_id: number
  id: number
  attempt: number
  ticket: string | null
}

/** Imports at work that have committed nothing for so long. A batch may wait for its turn, too. */
export async function findSilent(db: Db, seconds: number): Promise<SilentImport[]> {
  const { rows } = await db.query<SilentImport>(
    `/* schedule.find_silent */
    SELECT i.account_id, i.id, i.attempt, i.ticket
    FROM imports i
    WHERE i.state IN ('running', 'pausing', 'cancelling')
      AND GREATEST(i.queued_at, i.started_at, i.progressed_at) < now() - make_interval(secs => $1)
    LIMIT 100`,
    [seconds]
  )
  return rows
}

/** Takes a lost import from its attempt: queued again, or what it was asked for. Returns the state it
 *  is in now; null when somebody has it after all. */
export async function freeLost(
  db: Db,
  { account_id, id, attempt }: Omit<SilentImport, 'ticket'>
): Promise<ImportState | null> {
  const { rows } = await db.query<{ state: ImportState }>(
    `/* schedule.free_lost */
    UPDATE imports i
    SET attempt = i.attempt + 1, asked = NULL,
      state = CASE i.state WHEN 'pausing' THEN 'paused' WHEN 'cancelling' THEN 'cancelled'
        ELSE 'queued' END,
      finished_at = CASE i.state WHEN 'cancelling' THEN now() END
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.attempt = $3::integer
      AND i.state IN ('running', 'pausing', 'cancelling')
    RETURNING i.state`,
    [account_id, id, attempt]
  )
  return rows[0]?.state ?? null
}
