// POST -> an undo that is queued, and its import marked as being taken back, in one transaction.
// In: who asks, which import. Out: the id of the undo. Called by routes.ts.

import { appError } from '../errors.ts'
import type { ImportContext } from '../import/accept/accept-upload.ts'
import { takePlace } from '../import/accept/limits.ts'
import type { ImportRow } from '../import/import-row.ts'
import { type ImportState, statesBefore } from '../import/status.ts'
import { lockImport } from '../import/store.ts'
import { requireQuietFamily } from '../import/write/undo-family.ts'
import { withTransaction } from '../platform/db.ts'
import type { Once } from '../platform/idempotency.ts'
import { requireKept, requireOwnType } from './kept.ts'
import { insertUndo, markUndoing } from './store.ts'

export interface UndoRequest {
  account_id: number
  /** The API key that asks. */
  key_id: number
  /** The import, or undo, to take back. */
  id: number
  dry_run: boolean
  /** redo: it must be an undo. */
  verb: 'undo' | 'redo'
}

/** Queues an undo. Throws import_not_found, import_state_conflict, nothing_to_undo, rows_gone,
 *  history_gone, unknown_record_type, another_import_running, too_many_imports. */
export async function startUndo(
  { pool, config, enqueue }: Pick<ImportContext, 'pool' | 'config' | 'enqueue'>,
  request: UndoRequest,
  once: Once | null
): Promise<number> {
  const { account_id, id, dry_run } = request
  return withTransaction(pool, async (tx) => {
    const row = await lockImport(tx, account_id, id)
    if (!row) throw appError('import_not_found', { id })
    checkState(row, request.verb)
    await requireQuietFamily(tx, account_id, id, `taking import ${id} back`)
    requireKept(row)
    const type = await requireOwnType(tx, account_id, row)
    await takePlace(tx, config, account_id, type)
    const undo_id = await insertUndo(tx, account_id, row, request)
    if (!dry_run) await markUndoing(tx, account_id, id, undo_id)
    await enqueue(tx, { account_id, import_id: undo_id, type: row.type })
    await once?.record(tx, { status: 202, location: `/imports/${undo_id}` })
    return undo_id
  })
}

const undoable: ImportState[] = statesBefore('undoing')

function checkState(row: ImportRow, verb: 'undo' | 'redo'): void {
  const { id, kind, state, started_at } = row
  const action = verb === 'redo' ? 'redoing it' : 'taking it back'
  if (verb === 'redo' && kind !== 'undo') {
    throw appError('nothing_to_undo', {
      id,
      reason: 'it is no undo. Redo takes the id of an undo.'
    })
  }
  if (row.options.dry_run) {
    throw appError('nothing_to_undo', { id, reason: 'it is a dry run.' })
  }
  if (!undoable.includes(state)) {
    throw appError('import_state_conflict', { id, state, action, allowed: undoable.join(' or ') })
  }
  const made = Object.values(row.references_created).reduce((sum, count) => sum + count, 0)
  const wrote = row.rows_created + row.rows_updated + row.rows_reverted + made
  if (started_at === null || wrote === 0) {
    throw appError('nothing_to_undo', { id, reason: 'it neither made nor changed a record.' })
  }
}
