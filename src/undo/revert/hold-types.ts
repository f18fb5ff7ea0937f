// The turn of an undo: while it takes records away nobody may be between finding one of them and
// referring to it. So it holds the types it writes and, where records go, all that can refer to them.

import type { Tx } from '../../platform/db.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'

/** The types that refer to one of the given types, these included, in ascending order. */
export function withReferrers(types: TypeCatalogue, type_ids: Iterable<number>): number[] {
  const all = new Set(type_ids)
  const names = new Set([...all].map((id) => types.getById(id)?.name))
  for (const { type_id, fields } of types.list) {
    if (fields.some(({ reference }) => reference && names.has(reference.type))) all.add(type_id)
  }
  return [...all].sort((a, b) => a - b)
}

/** Sees to it that there is something to hold: types that nobody has written yet have no row. */
export async function addTurns(tx: Tx, account_id: number, type_ids: number[]): Promise<void> {
  await tx.query(
    `/* undo.add_turns */
    INSERT INTO type_writes (account_id, type_id)
    SELECT $1::integer, t.type_id
    FROM unnest($2::smallint[]) WITH ORDINALITY AS t (type_id, place)
    ORDER BY t.place
    ON CONFLICT DO NOTHING`,
    [account_id, type_ids]
  )
}

/** Takes the turns of all types, in ascending order as everybody does. Out: write_seq by type. */
export async function holdTypes(
  tx: Tx,
  account_id: number,
  type_ids: number[]
): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ type_id: number; write_seq: number }>(
    `/* undo.hold_types */
    SELECT tw.type_id, tw.write_seq
    FROM type_writes tw
    WHERE tw.account_id = $1::integer
      AND tw.type_id = ANY ($2::smallint[])
    ORDER BY tw.type_id
    FOR NO KEY UPDATE`,
    [account_id, type_ids]
  )
  return new Map(rows.map((row) => [row.type_id, row.write_seq]))
}

/** Tells everybody else that the types were written. Needs the turns. */
export async function noteWrites(tx: Tx, account_id: number, type_ids: number[]): Promise<void> {
  await tx.query(
    `/* undo.note_writes */
    UPDATE type_writes tw
    SET write_seq = tw.write_seq + 1
    WHERE tw.account_id = $1::integer
      AND tw.type_id = ANY ($2::smallint[])`,
    [account_id, type_ids]
  )
}
