// Which records the rows of an import, or undo, were about so far: its outcomes, page by page. In: the
// import and the outcomes that count. Called by whoever goes on after an interruption, applies a dry run
// or takes an import back.

import type { Db } from '../../platform/db.ts'
import type { BatchMemory } from '../batch.ts'
import type { ClaimedImport } from './import-state.ts'

const pageRows = 50_000

/** The records that an import has rows about with one of the outcomes, in the order of the rows; one
 *  that several rows are about comes several times. `whole`: only rows without problems. Memory: one
 *  page of ids. */
export async function* pagesOfRecords(
  db: Db,
  { account_id, id, created_on }: Pick<ClaimedImport, 'account_id' | 'id' | 'created_on'>,
  outcomes: string[],
  { whole = false } = {}
): AsyncGenerator<number[]> {
  for (let after = 0; ; ) {
    const { rows } = await db.query<[number, number]>({
      text: `/* import.list_touched */
      SELECT r.row_number, r.record_id
      FROM import_rows r
      WHERE r.account_id = $1::integer
        AND r.import_id = $2::bigint
        AND r.created_on = $3::date
        AND r.row_number > $4::integer
        AND r.outcome = ANY ($5::text[])
        AND r.record_id IS NOT NULL
        AND ($6::boolean IS FALSE OR r.problems IS NULL)
      ORDER BY r.row_number
      LIMIT $7::integer`,
      values: [account_id, id, created_on, after, outcomes, whole, pageRows],
      rowMode: 'array'
    })
    yield rows.map(([, record_id]) => record_id)
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) return
    after = last[0]
  }
}

/** What an import that goes on after an interruption has to know again. */
export async function loadTouched(
  db: Db,
  run: ClaimedImport,
  { touched }: BatchMemory
): Promise<void> {
  for await (const ids of pagesOfRecords(db, run, ['created', 'updated', 'unchanged'])) {
    for (const id of ids) touched.add(id)
  }
}
