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
  const locked = await tx.query<TypeSeq>(
    `/* match.lock_types */
    INSERT INTO type_writes AS tw (account_id, type_id, write_seq)
    SELECT $1::integer, t.type_id, 1
    FROM unnest($2::smallint[]) WITH ORDINALITY AS t (type_id, place)
    ORDER BY t.place
    ON CONFLICT (account_id, type_id) DO UPDATE SET write_seq = tw.write_seq + 1
    RETURNING tw.type_id, tw.write_seq`,
    [account_id, sorted]
  )
  const others = toRead.filter((id) => !sorted.includes(id))
  return { locked: seqsOf(locked.rows), read: await readSeqs(tx, account_id, others) }
}

interface TypeSeq {
  type_id: number
  write_seq: number
}

const seqsOf = (rows: TypeSeq[]) => new Map(rows.map((row) => [row.type_id, row.write_seq]))

/** A statement of its own: one that waits for its turn goes on with what it saw when it began. An undo
 *  that had the turn before may have deleted what a name stands for. */
async function readSeqs(tx: Tx, account_id: number, type_ids: number[]) {
  if (type_ids.length === 0) return new Map<number, number>()
  const { rows } = await tx.query<TypeSeq>(
    `/* match.read_types */
    SELECT tr.type_id, tr.write_seq
    FROM type_writes tr
    WHERE tr.account_id = $1::integer
    AND tr.type_id = ANY ($2::smallint[])`,
    [account_id, type_ids]
  )
  return seqsOf(rows)
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
