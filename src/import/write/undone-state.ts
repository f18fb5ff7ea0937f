// The state of an import whose undo has ended, or was itself taken back. Called by whoever ends an
// undo: its worker, and a cancel that no worker has to hear of.

import type { Tx } from '../../platform/db.ts'
import { type ImportState, isFinished } from '../status.ts'
import { type HeldMember, lockMember } from './undo-family.ts'

interface PastUndo {
  id: number
  state: ImportState
  rows_reverted: number
  /** The latest undo of it. */
  undone_by: number | null
  dry_run: boolean
}

/** Sets the state of the import that an undo takes back and, where that is an undo itself, of the one
 *  before it, and so on. Does nothing for an import that is no undo, and for a dry run. */
export async function settleUndone(tx: Tx, account_id: number, undo_id: number): Promise<void> {
  const undo = await lockMember(tx, account_id, undo_id)
  if (undo === null || undo.dry_run) return
  let id = undo.undo_of
  while (id !== null) {
    const row = await lockMember(tx, account_id, id)
    if (row === null) return
    const state = stateAfter(row, await listUndos(tx, account_id, id))
    // What goes on, or was retried since, has a state of its own (see undo-family.ts).
    if (row.finished_at !== null && state !== row.state) await setState(tx, account_id, id, state)
    id = row.undo_of
  }
}

/** One that is `undoing` has begun to be taken back: what it did holds until that is over. */
const isOver = ({ state }: PastUndo) => isFinished(state)

/** undone: an undo that still holds took everything back; partially_undone: one took something. */
function stateAfter({ state, state_before }: HeldMember, undos: PastUndo[]): ImportState {
  const real = undos.filter(({ dry_run }) => !dry_run)
  if (state_before === null || !real.every(isOver)) return state
  const holding = real.filter((undo) => undo.state !== 'undone')
  const whole = holding.findLast((undo) => undo.state === 'completed')
  // What was brought back after that one is there again.
  const isWhole =
    whole && real.every((undo) => !isTakenBack(undo) || (undo.undone_by ?? 0) < whole.id)
  if (isWhole) return 'undone'
  return holding.some(({ rows_reverted }) => rows_reverted > 0) ? 'partially_undone' : state_before
}

const isTakenBack = ({ state }: PastUndo) => state === 'undone' || state === 'partially_undone'

async function listUndos(tx: Tx, account_id: number, id: number): Promise<PastUndo[]> {
  const { rows } = await tx.query<PastUndo>(
    `/* import.list_undos */
    SELECT i.id, i.state, i.rows_reverted, i.undone_by,
      COALESCE((i.options -> 'dry_run')::boolean, false) AS dry_run
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.undo_of = $2::bigint
    ORDER BY i.id`,
    [account_id, id]
  )
  return rows
}

async function setState(tx: Tx, account_id: number, id: number, state: ImportState): Promise<void> {
  await tx.query(
    `/* import.set_undone */
    UPDATE imports i
    SET state = $3::text
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [account_id, id, state]
  )
}
