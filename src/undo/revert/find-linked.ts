// Which records that are to be deleted are linked to another system, which would not know that they
// are gone. In: their ids. Out: a system for each that is linked. Called by revert-batch.ts.

import type { Tx } from '../../platform/db.ts'

/** Holds the records until the transaction ends, then reads their links. In this order: whoever links
 *  a record holds it, too, so a link is either seen here or finds that the record is gone. */
export async function findLinked(
  tx: Tx,
  account_id: number,
  type_ids: number[],
  ids: number[]
): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  await tx.query(
    `/* undo.hold_records */
    WITH held AS MATERIALIZED (
      SELECT r.id
      FROM records r
      WHERE r.account_id = $1::integer
        AND r.type_id = ANY ($2::smallint[])
        AND r.id = ANY ($3::bigint[])
      ORDER BY r.id
      FOR UPDATE
    )
    SELECT count(*) FROM held`,
    [account_id, type_ids, ids]
  )
  const { rows } = await tx.query<[number, string]>({
    text: `/* undo.find_linked */
    SELECT l.record_id, min(l.system)
    FROM record_links l
    WHERE l.account_id = $1::integer
      AND l.record_id = ANY ($2::bigint[])
      AND l.state IN ('pending', 'synced', 'error')
    GROUP BY l.record_id`,
    values: [account_id, ids],
    rowMode: 'array'
  })
  return new Map(rows)
}
