// What became of each record -> import_rows, and how far the undo has come -> imports.

import type { Problem } from '../../errors.ts'
import { copyText, copyTextArray } from '../../import/write/copy-text.ts'
import {
  type Asked,
  type ClaimedImport,
  LostBatches,
  StaleAttempt
} from '../../import/write/import-state.ts'
import type { CopyPart } from '../../platform/copy-in.ts'
import type { Db } from '../../platform/db.ts'

/** What became of one record. */
export interface RecordOutcome {
  record_id: number
  type_id: number
  row_number: number
  outcome: 'reverted' | 'kept' | 'failed'
  /** Names of the fields that were set; null: none, or all because it went or came. */
  changed_fields: string[] | null
  problems: Problem[] | null
  /** Of a dry run: {"field": {"from", "to"}}. */
  changes: Record<string, unknown> | null
}

/** How an undo has come out so far. */
export interface Tally {
  reverted: number
  kept: number
  failed: number
  warnings: number
}

/** The outcomes, numbered from `after` + 1. */
export function copyOutcomes(
  run: Pick<ClaimedImport, 'account_id' | 'id' | 'created_on'>,
  own_type: number,
  outcomes: RecordOutcome[],
  after: number
): CopyPart {
  const head = `${run.account_id}\t${run.id}\t${run.created_on}\t`
  const json = (value: unknown) => (value === null ? '\\N' : copyText(JSON.stringify(value)))
  function* lines() {
    let row = after
    for (const one of outcomes) {
      row++
      const type = one.type_id === own_type ? '\\N' : String(one.type_id)
      const place = `${head}${row}\t${one.row_number}\t${one.outcome}\t${one.record_id}\t${type}`
      const more = `${copyTextArray(one.changed_fields)}\t${json(one.problems)}\t${json(one.changes)}`
      yield `${place}\t${more}\n`
    }
  }
  return {
    sql: `/* undo.insert_outcomes */
    COPY import_rows (account_id, import_id, created_on, row_number, line_number, outcome,
      record_id, type_id, changed_fields, problems, changes) FROM STDIN`,
    lines: lines()
  }
}

/** Counts outcomes, and the records that have a reason but did not fail. */
export function tallyOf(outcomes: RecordOutcome[]): Tally {
  const tally = { reverted: 0, kept: 0, failed: 0, warnings: 0 }
  for (const { outcome, problems } of outcomes) {
    tally[outcome]++
    if (problems !== null && outcome !== 'failed') tally.warnings++
  }
  return tally
}

/** Adds a batch to the undo. Out: what it is to do now, and the number of batches, to be noted in `run`
 *  once they are committed. Throws StaleAttempt when another worker has it, LostBatches when the
 *  database has forgotten some: the transaction must be rolled back. */
export async function saveTally(
  db: Db,
  run: ClaimedImport,
  tally: Tally
): Promise<{ asked: Asked | null; batches: number }> {
  const { rows } = await db.query<{ asked: Asked | null; batches: number }>(
    `/* undo.save_progress */
    UPDATE imports AS i
    SET next_row = i.next_row + $4::bigint + $5::bigint + $6::bigint,
      rows_reverted = i.rows_reverted + $4::bigint, rows_kept = i.rows_kept + $5::bigint,
      rows_failed = i.rows_failed + $6::bigint,
      rows_with_warnings = i.rows_with_warnings + $7::bigint,
      batches = i.batches + 1, idle_attempts = 0, progressed_at = now()
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.attempt = $3::integer
    RETURNING i.asked, i.batches`,
    [run.account_id, run.id, run.attempt, tally.reverted, tally.kept, tally.failed, tally.warnings]
  )
  if (!rows[0]) throw new StaleAttempt(run)
  if (rows[0].batches !== run.batches + 1) throw new LostBatches(run)
  return rows[0]
}

/** Notes how many records there are. Throws StaleAttempt. */
export async function saveTotal(db: Db, run: ClaimedImport, total: number): Promise<void> {
  const { rowCount } = await db.query(
    `/* undo.save_total */
    UPDATE imports AS i
    SET rows_total = $4::bigint
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.attempt = $3::integer`,
    [run.account_id, run.id, run.attempt, total]
  )
  if (rowCount !== 1) throw new StaleAttempt(run)
}
