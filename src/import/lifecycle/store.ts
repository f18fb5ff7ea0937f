// The statements of pausing, resuming, cancelling and retrying.
// Called by the verbs beside it. Each names the states that it may come from.

import type { Db, Tx } from '../../platform/db.ts'
import type { ImportState } from '../status.ts'

/** A change of state and what it is called in `asked`. */
export interface Stop {
  asked: 'pause' | 'cancel'
  /** No worker has these: they end up in `reached` at once. */
  atOnce: ImportState[]
  reached: ImportState
  /** The worker of these is asked; they are `pending` until it has seen it. */
  byWorker: ImportState[]
  pending: ImportState
}

/** Stops an import at once, or asks its worker to. Waits for the batch in flight. Returns the new
 *  state; null when it was in none that can be stopped. */
export async function stopImport(
  db: Db,
  account_id: number,
  id: number,
  { asked, atOnce, reached, byWorker, pending }: Stop
): Promise<ImportState | null> {
  const { rows } = await db.query<{ state: ImportState }>(
    `/* import.stop */
    UPDATE imports i
    SET asked = CASE WHEN i.state = ANY($4::text[]) THEN NULL ELSE $3::text END,
      state = CASE WHEN i.state = ANY($4::text[]) THEN $5::text ELSE $7::text END,
      finished_at = CASE WHEN i.state = ANY($4::text[]) AND $3::text = 'cancel' THEN now() END
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.state = ANY($4::text[] || $6::text[])
    RETURNING i.state`,
    [account_id, id, asked, atOnce, reached, byWorker, pending]
  )
  return rows[0]?.state ?? null
}

/** paused -> queued, pausing -> running. Returns the new state; null when it was in neither. */
export async function goOn(db: Db, account_id: number, id: number): Promise<ImportState | null> {
  const { rows } = await db.query<{ state: ImportState }>(
    `/* import.go_on */
    UPDATE imports i
    SET asked = NULL,
      state = CASE i.state WHEN 'paused' THEN 'queued' ELSE 'running' END,
      queued_at = CASE i.state WHEN 'paused' THEN now() ELSE i.queued_at END
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.state IN ('paused', 'pausing')
    RETURNING i.state`,
    [account_id, id]
  )
  return rows[0]?.state ?? null
}

/** Puts the rows that failed back among those that wait for the end of the file, with the cells that
 *  were kept of them, and takes their outcomes away. Out: how many. */
export async function putBackFailed(
  tx: Tx,
  { account_id, id, created_on }: { account_id: number; id: number; created_on: string }
): Promise<number> {
  const { rowCount } = await tx.query(
    `/* import.put_back_failed */
    WITH failed AS (
      DELETE FROM import_rows r
      WHERE r.account_id = $1::integer
        AND r.import_id = $2::bigint
        AND r.created_on = $3::date
        AND r.outcome = 'failed'
      RETURNING r.account_id, r.import_id, r.row_number, r.line_number, r.cells
    )
    INSERT INTO import_waiting_rows (account_id, import_id, row_number, line_number, file_offset,
      cells)
    SELECT f.account_id, f.import_id, f.row_number, f.line_number, 0, f.cells
    FROM failed f`,
    [account_id, id, created_on]
  )
  return rowCount ?? 0
}

/** Takes away all outcomes of a dry run, and what was counted of them. */
export async function forgetOutcomes(
  tx: Tx,
  { account_id, id, created_on }: { account_id: number; id: number; created_on: string }
): Promise<void> {
  await tx.query(
    `/* import.forget_outcomes */
    WITH forgotten AS (
      DELETE FROM import_rows r
      WHERE r.account_id = $1::integer
        AND r.import_id = $2::bigint
        AND r.created_on = $3::date
    )
    UPDATE imports i
    SET next_row = 0, next_offset = 0, next_line = 0, blank_rows = 0, rows_created = 0,
      rows_updated = 0, rows_unchanged = 0, rows_skipped = 0, rows_rejected = 0, rows_failed = 0,
      rows_with_warnings = 0, references_created = '{}', rows_total = NULL
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [account_id, id, created_on]
  )
}

/** Back to `queued`, with the checkpoint as it is and so many rows less that have failed. How it had
 *  ended before an undo is no longer how it will end. */
export async function queueAgain(
  tx: Tx,
  account_id: number,
  id: number,
  from: { states: ImportState[]; failedTaken: number }
): Promise<void> {
  const { rowCount } = await tx.query(
    `/* import.queue_again */
    UPDATE imports i
    SET state = 'queued', asked = NULL, error = NULL, finished_at = NULL, queued_at = now(),
      idle_attempts = 0, in_last_round = false, state_before = NULL,
      rows_failed = i.rows_failed - $4::bigint
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.state = ANY($3::text[])`,
    [account_id, id, from.states, from.failedTaken]
  )
  if (rowCount !== 1) throw new Error(`import ${id} changed under its lock`)
}
