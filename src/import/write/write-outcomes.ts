// What became of each row -> import_rows.

import { type CopyPart, copyAll } from '../../platform/copy-in.ts'
import type { Tx } from '../../platform/db.ts'
import type { ShownChanges } from '../dry-run/terms.ts'
import type { Outcome, Problem, RawRow } from '../terms.ts'
import { copyNullable, copyText, copyTextArray } from './copy-text.ts'

export interface RowOutcome {
  raw: RawRow
  outcome: Outcome
  record_id: number | null
  matched_by: string | null
  changed_fields: string[] | null
  problems: Problem[] | null
  /** Of a dry run: what would change, and the version of the record that it would change. */
  changes?: ShownChanges | null
  record_version?: number | null
}

export interface OutcomePlace {
  tx: Tx
  account_id: number
  import_id: number
  /** yyyy-mm-dd, the import's partition key. */
  created_on: string
}

/** The rows of the outcomes. The cells of rows that have to be mended are kept with them. */
export function copyOutcomes(
  place: Omit<OutcomePlace, 'tx'>,
  rows: Iterable<RowOutcome>
): CopyPart {
  return {
    sql: `/* write.insert_outcomes */
    COPY import_rows (account_id, import_id, created_on, row_number, line_number, outcome,
      record_id, matched_by, changed_fields, problems, cells) FROM STDIN`,
    lines: outcomeLines(place, rows)
  }
}

/** The same for a dry run, with what would change. */
export function copyForeseen(place: Omit<OutcomePlace, 'tx'>, rows: RowOutcome[]): CopyPart {
  function* lines() {
    let i = 0
    for (const line of outcomeLines(place, rows)) {
      const { changes, record_version } = rows[i++] as RowOutcome
      const shown = changes ? copyText(JSON.stringify(changes)) : '\\N'
      yield `${line.slice(0, -1)}\t${shown}\t${record_version ?? '\\N'}\n`
    }
  }
  return {
    sql: `/* write.insert_foreseen */
    COPY import_rows (account_id, import_id, created_on, row_number, line_number, outcome,
      record_id, matched_by, changed_fields, problems, cells, changes, record_version)
    FROM STDIN`,
    lines: lines()
  }
}

/** Stores outcomes on their own, for rows that write nothing else. */
export async function writeOutcomes(place: OutcomePlace, rows: RowOutcome[]): Promise<void> {
  await copyAll(place.tx, [copyOutcomes(place, rows)], () => {})
}

function* outcomeLines(place: Omit<OutcomePlace, 'tx'>, rows: Iterable<RowOutcome>) {
  const head = `${place.account_id}\t${place.import_id}\t${place.created_on}\t`
  for (const row of rows) {
    const { raw, outcome, problems, changed_fields } = row
    const keep = outcome === 'rejected' || outcome === 'failed'
    const tail =
      changed_fields === null && problems === null && !keep
        ? '\\N\t\\N\t\\N'
        : `${copyTextArray(changed_fields)}\t${problems === null ? '\\N' : copyText(JSON.stringify(problems))}\t${keep ? copyTextArray(raw.cells) : '\\N'}`
    yield `${head}${raw.row}\t${raw.line}\t${outcome}\t${row.record_id ?? '\\N'}\t${copyNullable(row.matched_by)}\t${tail}\n`
  }
}
