// Rows that name records which later rows of the file may make: put aside, and taken again once the
// file was read to its end (import_waiting_rows).

import type { CopyPart } from '../../platform/copy-in.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { BatchPlace, DecidedRow } from '../batch.ts'
import { keptCells, openCells } from '../decide/secret-values.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { RawRow } from '../terms.ts'
import { copyTextArray } from './copy-text.ts'

/** The rows that are put aside. */
export function copyWaiting(place: BatchPlace, rows: DecidedRow[]): CopyPart {
  const head = `${place.account_id}\t${place.import_id}\t`
  function* lines() {
    for (const { row } of rows) {
      const { raw } = row
      const cells = copyTextArray(keptCells(place.plan, raw.cells))
      yield `${head}${raw.row}\t${raw.line}\t${raw.offset}\t${cells}\n`
    }
  }
  return {
    sql: `/* write.put_aside */
    COPY import_waiting_rows (account_id, import_id, row_number, line_number, file_offset, cells)
    FROM STDIN`,
    lines: lines()
  }
}

/** Takes the rows that have an outcome now out of those that wait. */
export async function dropWaiting(
  place: { tx: Tx; account_id: number; import_id: number },
  rows: DecidedRow[]
): Promise<void> {
  const done = rows.filter(({ decision }) => decision.action !== 'wait')
  if (done.length > 0)
    await dropRows(
      place,
      done.map(({ row }) => row)
    )
}

/** Takes rows out of those that wait. */
export async function dropRows(
  { tx, account_id, import_id }: { tx: Tx; account_id: number; import_id: number },
  rows: { raw: RawRow }[]
): Promise<void> {
  await tx.query(
    `/* write.drop_waiting */
    DELETE FROM import_waiting_rows AS w
    WHERE w.account_id = $1::integer
    AND w.import_id = $2::bigint
    AND w.row_number = ANY ($3::integer[])`,
    [account_id, import_id, rows.map(({ raw }) => raw.row)]
  )
}

/** The next rows that wait, in file order, after a row number. */
export async function readWaiting(
  db: Db,
  place: { account_id: number; import_id: number; plan: ImportPlan },
  after: number,
  limit: number
): Promise<RawRow[]> {
  const { rows } = await db.query<{
    row_number: number
    line_number: number
    file_offset: number
    cells: string[]
  }>(
    `/* import.read_waiting */
    SELECT w.row_number, w.line_number, w.file_offset, w.cells
    FROM import_waiting_rows w
    WHERE w.account_id = $1::integer
    AND w.import_id = $2::bigint
    AND w.row_number > $3::integer
    ORDER BY w.row_number
    LIMIT $4::integer`,
    [place.account_id, place.import_id, after, limit]
  )
  return rows.map(({ row_number, line_number, file_offset, cells }) => ({
    row: row_number,
    line: line_number,
    offset: file_offset,
    cells: openCells(place.plan, cells),
    problems: null
  }))
}
