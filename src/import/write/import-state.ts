// The import's own row, as its worker writes it: taking it over, progress, the end.
// Every statement names the attempt: a worker whose import was taken over by another one finds no
// row any more and stops. The states it may come from are those of status.ts.

import { appError, type OperationErrorCode } from '../../errors.ts'
import type { Db } from '../../platform/db.ts'
import type { ImportOptions } from '../resolve/import-options.ts'
import type { ImportState } from '../status.ts'
import type { Checkpoint, Dialect, Outcome } from '../terms.ts'

/** What a worker may be asked for. */
export type Asked = 'pause' | 'cancel'

export interface ClaimedImport {
  account_id: number
  id: number
  attempt: number
  /** Batches that this worker knows to be committed, those of workers before it included. */
  batches: number
  /** Attempts in a row, this one included, that have not committed a batch yet. */
  idle_attempts: number
  created_on: string
  type: string
  file_key: string
  file_bytes: number
  dialect: Dialect
  options: ImportOptions
  mapping: (string | null)[]
  /** What it is to do as soon as its batch has ended; null: go on. */
  asked: Asked | null
  next_row: number
  next_offset: number
  next_line: number
  blank_rows: number
  /** The rows that wait are being taken for the last time. */
  in_last_round: boolean
  /** Of an undo: the import that it takes back. */
  undo_of: number | null
  rows_total: number | null
  /** The dry run that it applies, and the partition of its outcomes; null: none. */
  applied_from: number | null
  applied_created_on: string | null
}

/** Takes the import over, whoever had it. Out: undefined when it is not to be run (any more), or is of
 *  the other kind. */
export async function claimImport(
  db: Db,
  account_id: number,
  import_id: number,
  kind: 'import' | 'undo' = 'import'
): Promise<ClaimedImport | undefined> {
  const { rows } = await db.query<ClaimedImport>(
    `/* import.claim */
    UPDATE imports AS i
    SET attempt = i.attempt + 1, idle_attempts = i.idle_attempts + 1,
      state = CASE i.asked WHEN 'cancel' THEN 'cancelling' WHEN 'pause' THEN 'pausing'
        ELSE 'running' END,
      started_at = COALESCE(i.started_at, now())
    WHERE i.account_id = $1::integer
    AND i.id = $2::bigint
    AND i.kind = $3::text
    AND i.state IN ('queued', 'running', 'pausing', 'cancelling')
    RETURNING i.account_id, i.id, i.attempt, i.batches, i.idle_attempts, i.created_on, i.type, i.file_key,
      i.file_bytes, i.dialect, i.options, i.mapping, i.asked, i.next_row,
      i.next_offset, i.next_line, i.blank_rows, i.in_last_round, i.undo_of, i.rows_total, i.applied_from,
      (
        SELECT d.created_on
        FROM imports d
        WHERE d.account_id = i.account_id
        AND d.id = i.applied_from
      ) AS applied_created_on`,
    [account_id, import_id, kind]
  )
  return rows[0]
}

/** Makes sure that the partitions this run writes to exist. */
export async function ensurePartitions(db: Db, created_on: string): Promise<void> {
  await db.query(
    `/* import.ensure_partitions */
    SELECT ensure_partitions($1::date), ensure_partitions(u.today), ensure_partitions(u.today + 7)
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) u`,
    [created_on]
  )
}

export interface Progress {
  checkpoint: Checkpoint
  counts: Record<Outcome, number>
  warnings: number
  referencesCreated: Record<string, number>
}

/** Adds a batch to the import: counts, checkpoint. Out: what it is to do now, and the number of
 *  batches, to be noted in `run` once they are committed. Throws StaleAttempt when another worker has
 *  the import, LostBatches when the database has forgotten some: the transaction must be rolled back. */
export async function saveProgress(
  db: Db,
  run: ClaimedImport,
  progress: Progress
): Promise<{ asked: Asked | null; batches: number }> {
  const { checkpoint, counts, warnings, referencesCreated } = progress
  const { rows } = await db.query<{ asked: Asked | null; batches: number }>(
    `/* import.save_progress */
    UPDATE imports AS i
    SET next_row = $4::bigint, next_offset = $5::bigint, next_line = $6::bigint,
      blank_rows = $7::bigint,
      rows_created = i.rows_created + $8::bigint, rows_updated = i.rows_updated + $9::bigint,
      rows_unchanged = i.rows_unchanged + $10::bigint, rows_skipped = i.rows_skipped + $11::bigint,
      rows_rejected = i.rows_rejected + $12::bigint, rows_failed = i.rows_failed + $13::bigint,
      rows_with_warnings = i.rows_with_warnings + $14::bigint,
      references_created = (
        SELECT COALESCE(jsonb_object_agg(s.type, s.count), '{}')
        FROM (
          SELECT e.key AS type, sum(e.value::bigint) AS count
          FROM (
            SELECT a.key, a.value FROM jsonb_each_text(i.references_created) a
            UNION ALL
            SELECT b.key, b.value FROM jsonb_each_text($15::jsonb) b
          ) e
          GROUP BY e.key
        ) s
      ),
      batches = i.batches + 1, idle_attempts = 0, progressed_at = now()
    WHERE i.account_id = $1::integer
    AND i.id = $2::bigint
    AND i.attempt = $3::integer
    RETURNING i.asked, i.batches`,
    [
      run.account_id,
      run.id,
      run.attempt,
      checkpoint.rows,
      checkpoint.offset,
      checkpoint.line,
      checkpoint.blankRows,
      counts.created,
      counts.updated,
      counts.unchanged,
      counts.skipped,
      counts.rejected,
      counts.failed,
      warnings,
      JSON.stringify(referencesCreated)
    ]
  )
  if (!rows[0]) throw new StaleAttempt(run)
  if (rows[0].batches !== run.batches + 1) throw new LostBatches(run)
  return rows[0]
}

/** Notes that the last round over the rows that wait has begun: a worker that takes the import over
 *  must not give them another one. Throws StaleAttempt. */
export async function noteLastRound(db: Db, run: ClaimedImport): Promise<void> {
  const { rowCount } = await db.query(
    `/* import.note_last_round */
    UPDATE imports AS i
    SET in_last_round = true
    WHERE i.account_id = $1::integer
    AND i.id = $2::bigint
    AND i.attempt = $3::integer`,
    [run.account_id, run.id, run.attempt]
  )
  if (rowCount !== 1) throw new StaleAttempt(run)
}

/** Notes how far a run has read that commits nothing in between; only for the progress shown, which
 *  never goes back when such a run begins anew. Out: what it is to do now. */
export async function noteBytes(
  db: Db,
  run: ClaimedImport,
  offset: number
): Promise<{ asked: Asked | null }> {
  const { rows } = await db.query<{ asked: Asked | null }>(
    `/* import.note_bytes */
    UPDATE imports AS i
    SET next_offset = GREATEST(i.next_offset, $4::bigint), progressed_at = now()
    WHERE i.account_id = $1::integer
    AND i.id = $2::bigint
    AND i.attempt = $3::integer
    RETURNING i.asked`,
    [run.account_id, run.id, run.attempt, offset]
  )
  if (!rows[0]) throw new StaleAttempt(run)
  return rows[0]
}

// What becomes of an import that leaves its worker before its end: what was asked for last.
const stateLeft = `CASE i.asked WHEN 'cancel' THEN 'cancelled' WHEN 'pause' THEN 'paused'
      ELSE 'queued' END`
const stateNow = `CASE WHEN $4::text IN ('queued', 'paused') THEN ${stateLeft} ELSE $4::text END`

/** Ends the import; or, with `queued` or `paused`, leaves it before its end as whoever asked last
 *  wants it: paused, cancelled, or queued again. `rowsTotal` is known when the file was read to its
 *  end. Rows that wait stay with an import that may go on. Out: the state it is in now.
 *  Throws StaleAttempt when another worker has it. */
export async function finishImport(
  db: Db,
  run: ClaimedImport,
  end: {
    state: ImportState
    rowsTotal?: number
    error?: { code: OperationErrorCode; message: string }
  }
): Promise<ImportState> {
  const { rows } = await db.query<{ state: ImportState }>(
    `/* import.finish */
    WITH ended AS (
      UPDATE imports AS i
      SET state = ${stateNow}, asked = NULL, rows_total = COALESCE($5::bigint, i.rows_total),
        error = $6::jsonb,
        finished_at = CASE WHEN ${stateNow} IN ('queued', 'paused') THEN NULL ELSE now() END,
        idle_attempts = CASE WHEN ${stateNow} IN ('queued', 'paused') THEN 0
          ELSE i.idle_attempts END
      WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.attempt = $3::integer
      AND i.state IN ('running', 'pausing', 'cancelling')
      RETURNING i.account_id, i.id, i.state
    ), cleared AS (
      DELETE FROM import_waiting_rows w
      USING ended e
      WHERE w.account_id = e.account_id
      AND w.import_id = e.id
      AND e.state NOT IN ('queued', 'paused', 'cancelled', 'failed')
    )
    SELECT e.state FROM ended e`,
    [
      run.account_id,
      run.id,
      run.attempt,
      end.state,
      end.rowsTotal ?? null,
      end.error ? JSON.stringify(end.error) : null
    ]
  )
  if (!rows[0]) throw new StaleAttempt(run)
  return rows[0].state
}

/** Reads the counts that decide how the import ended. Throws LostBatches when the database has
 *  forgotten some: in the transaction of the import's end, none can be lost any more after that. */
export async function readCounts(
  db: Db,
  run: ClaimedImport
): Promise<{ rows_rejected: number; rows_failed: number }> {
  const { rows } = await db.query<{
    rows_rejected: number
    rows_failed: number
    batches: number
  }>(
    `/* import.read_counts */
    SELECT i.rows_rejected, i.rows_failed, i.batches
    FROM imports i
    WHERE i.account_id = $1::integer
    AND i.id = $2::bigint
    AND i.attempt = $3::integer`,
    [run.account_id, run.id, run.attempt]
  )
  if (!rows[0]) throw new StaleAttempt(run)
  if (rows[0].batches < run.batches) throw new LostBatches(run)
  return rows[0]
}

/** Reads what the world wants of a run that writes nothing in between. */
export async function checkAttempt(db: Db, run: ClaimedImport): Promise<{ asked: Asked | null }> {
  const { rows } = await db.query<{ asked: Asked | null }>(
    `/* import.check_attempt */
    SELECT i.asked
    FROM imports i
    WHERE i.account_id = $1::integer
    AND i.id = $2::bigint
    AND i.attempt = $3::integer`,
    [run.account_id, run.id, run.attempt]
  )
  if (!rows[0]) throw new StaleAttempt(run)
  return rows[0]
}

/** Another worker has taken the import over: this one must not write any more. */
export class StaleAttempt extends Error {
  constructor(run: { id: number; attempt: number }) {
    super(`import ${run.id} was taken over after attempt ${run.attempt}`)
    this.name = 'StaleAttempt'
  }
}

/** The database server crashed, or was replaced by its replica, and the last batches were not on its
 *  disk yet. This worker had gone on without noticing; the next attempt starts where the disk is. */
export class LostBatches extends Error {
  constructor(run: { id: number; batches: number }) {
    super(`import ${run.id} has lost batches: ${run.batches} were committed`)
    this.name = 'LostBatches'
  }
}

/** The stored form of an operation error. */
export function errorOf(
  code: OperationErrorCode,
  args: Parameters<typeof appError>[1]
): { code: OperationErrorCode; message: string } {
  return { code, message: appError(code, args).message }
}
