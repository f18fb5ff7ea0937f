// Makes writers of a record type take turns, batch by batch, and tells whether anybody else wrote.
// The row lock on type_writes is the turn; it is given back when the batch's transaction ends.

import type { Tx } from '../../platform/db.ts'

/** Takes the turn for all types to be written, in ascending order so that no two writers can wait
 *  for each other. Out: write_seq by type_id of these types, already raised by one for this batch,
 *  and of the types that are only looked up (missing: nobody has written them yet). */
export async function lockTypes(
  tx: Tx,
  account_id: number,
  toWrite: number[],
  toRead: number[]
): Promise<{ locked: Map<number, number>; read: Map<number, number> }> {
  const sorted = [...new Set(toWrite)].sort((a, b) => a - b)
  const { rows } = await tx.query<{ type_id: number; write_seq: number; locked: boolean }>(
    `/* match.lock_types */
    WITH turn AS (
      INSERT INTO type_writes AS tw (account_id, type_id, write_seq)
      SELECT $1::integer, t.type_id, 1
      FROM unnest($2::smallint[]) WITH ORDINALITY AS t (type_id, place)
      ORDER BY t.place
      ON CONFLICT (account_id, type_id) DO UPDATE SET write_seq = tw.write_seq + 1
      RETURNING tw.type_id, tw.write_seq
    )
    SELECT turn.type_id, turn.write_seq, true AS locked
    FROM turn
    UNION ALL
    SELECT tr.type_id, tr.write_seq, false
    FROM type_writes tr
    WHERE tr.account_id = $1::integer
    AND tr.type_id = ANY ($3::smallint[])`,
    [account_id, sorted, toRead.filter((id) => !sorted.includes(id))]
  )
  const seqs = (locked: boolean) =>
    new Map(rows.filter((row) => row.locked === locked).map((row) => [row.type_id, row.write_seq]))
  return { locked: seqs(true), read: seqs(false) }
}

/** Whether an account has no record of a type at all. */
export async function isTypeEmpty(tx: Tx, account_id: number, type_id: number): Promise<boolean> {
  const { rows } = await tx.query<{ empty: boolean }>(
    `/* match.is_type_empty */
    SELECT NOT EXISTS (
      SELECT 1 FROM records r WHERE r.account_id = $1::integer AND r.type_id = $2::smallint
    ) AS empty`,
    [account_id, type_id]
  )
  return rows[0]?.empty === true
}
