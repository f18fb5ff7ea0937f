// What an import that goes on after an interruption has to know again: the records that its rows were
// about so far.

import type { Db } from '../../platform/db.ts'
import type { BatchMemory } from '../batch.ts'
import type { ClaimedImport } from './import-state.ts'

const pageRows = 50_000

/** Reads the outcomes written so far, page by page. */
export async function loadTouched(
  db: Db,
  run: ClaimedImport,
  { touched }: BatchMemory
): Promise<void> {
  for (let after = 0; ; ) {
    const { rows } = await db.query<[number, number | null]>({
      text: `/* import.list_touched */
      SELECT r.row_number,
        CASE WHEN r.outcome IN ('created', 'updated', 'unchanged') THEN r.record_id END
      FROM import_rows r
      WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.row_number > $4::integer
      ORDER BY r.row_number
      LIMIT $5::integer`,
      values: [run.account_id, run.id, run.created_on, after, pageRows],
      rowMode: 'array'
    })
    for (const [, record_id] of rows) if (record_id !== null) touched.add(record_id)
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) return
    after = last[0]
  }
}
