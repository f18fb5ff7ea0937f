// Makes writers of a record type take turns, batch by batch, and tells whether anybody else wrote.
// The row lock on type_writes is the turn; it is given back when the batch's transaction ends.

import type { Tx } from '../../platform/db.ts'

/** Takes the turn for all given types, in ascending order so that no two writers can wait for each
 *  other. Out: write_seq by type_id, already raised by one for this batch. */
export async function lockTypes(
  tx: Tx,
  account_id: number,
  type_ids: number[]
): Promise<Map<number, number>> {
  const sorted = [...new Set(type_ids)].sort((a, b) => a - b)
  const { rows } = await tx.query<{ type_id: number; write_seq: number }>(
    `/* match.lock_types */
    INSERT INTO type_writes AS tw (account_id, type_id, write_seq)
    SELECT $1::integer, t.type_id, 1
    FROM unnest($2::smallint[]) WITH ORDINALITY AS t (type_id, place)
    ORDER BY t.place
    ON CONFLICT (account_id, type_id) DO UPDATE SET write_seq = tw.write_seq + 1
    RETURNING tw.type_id, tw.write_seq`,
    [account_id, sorted]
  )
  return new Map(rows.map((row) => [row.type_id, row.write_seq]))
}

/** Reads write_seq of types that are only looked up. Types nobody wrote yet are missing. */
export async function readWriteSeqs(
  tx: Tx,
  account_id: number,
  type_ids: number[]
): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ type_id: number; write_seq: number }>(
    `/* match.read_write_seqs */
    SELECT tw.type_id, tw.write_seq
    FROM type_writes tw
    WHERE tw.account_id = $1::integer
    AND tw.type_id = ANY ($2::smallint[])`,
    [account_id, type_ids]
  )
  return new Map(rows.map((row) => [row.type_id, row.write_seq]))
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
