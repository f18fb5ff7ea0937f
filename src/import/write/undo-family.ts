// An import with its undos, their undos (redos) and so on: a family. What one of them writes is what
// the others wrote, so one of a family is at work at a time. Called before one is taken back or
// retried, and when an undo has ended (undone-state.ts); dry runs write nothing and do not count.

import { appError } from '../../errors.ts'
import type { Tx } from '../../platform/db.ts'
import { type ImportState, isFinished } from '../status.ts'

interface Member {
  id: number
  state: ImportState
}

/** A member whose row is held. */
export interface HeldMember extends Member {
  undo_of: number | null
  dry_run: boolean
  /** null: it was not taken back since it ended last. */
  state_before: ImportState | null
  created_at: Date
  queued_at: Date | null
  finished_at: Date | null
}

/** Locks all that the import goes back to, up to the import of the file, and makes sure that nobody of
 *  the family is at work. `action`: what is to be done, for the message. Throws
 *  import_state_conflict. */
export async function requireQuietFamily(
  tx: Tx,
  account_id: number,
  id: number,
  action: string
): Promise<void> {
  let row = await lockMember(tx, account_id, id)
  while (row !== null && row.undo_of !== null) {
    const outer: HeldMember | null = await lockMember(tx, account_id, row.undo_of)
    if (outer !== null && wasRetried(row, outer)) {
      const left = 'as its undo left it. It was retried since: take it back as a whole'
      throw refusal(outer, action, left)
    }
    row = outer
  }
  const root = row?.id ?? id
  const members = await listFamily(tx, account_id, root)
  const busy = members.filter((one) => one.id !== id && !isFinished(one.state))
  // What is `undoing` is so because of another one, which is the one to wait for.
  const [member] = [...busy.filter(({ state }) => state !== 'undoing'), ...busy]
  if (member) throw refusal(member, action, 'not at work')
}

const refusal = ({ id, state }: Member, action: string, allowed: string) =>
  appError('import_state_conflict', { id, state, action, allowed })

/** An import that has ended is queued again by a retry only: what it wrote then, its earlier undos know
 *  nothing of. */
const wasRetried = (undo: HeldMember, { undo_of, queued_at }: HeldMember) =>
  undo_of === null && queued_at !== null && queued_at > undo.created_at

/** An import, or undo, held until the transaction ends; null: there is none. */
export async function lockMember(
  tx: Tx,
  account_id: number,
  id: number
): Promise<HeldMember | null> {
  const { rows } = await tx.query<HeldMember>(
    `/* import.lock_member */
    SELECT i.id, i.state, i.undo_of, i.state_before, i.created_at, i.queued_at, i.finished_at,
      COALESCE((i.options -> 'dry_run')::boolean, false) AS dry_run
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
    FOR UPDATE`,
    [account_id, id]
  )
  return rows[0] ?? null
}

/** An import and all undos that go back to it, dry runs left out; the import first. */
async function listFamily(tx: Tx, account_id: number, id: number): Promise<Member[]> {
  const { rows } = await tx.query<Member>(
    `/* import.list_family */
    WITH RECURSIVE family AS (
      SELECT i.id, i.state
      FROM imports i
      WHERE i.account_id = $1::integer
        AND i.id = $2::bigint
      UNION ALL
      SELECT i.id, i.state
      FROM family f
      JOIN imports i ON i.account_id = $1::integer AND i.undo_of = f.id
      WHERE NOT COALESCE((i.options -> 'dry_run')::boolean, false)
    )
    SELECT f.id, f.state
    FROM family f
    ORDER BY f.id`,
    [account_id, id]
  )
  return rows
}
