// POST -> a push that is open. In: who asks, which import, which of its records. Called by routes.ts.

import { appError } from '../../errors.ts'
import { type ImportState, isFinished } from '../../import/status.ts'
import { lockImport } from '../../import/store.ts'
import { type Pool, withTransaction } from '../../platform/db.ts'
import type { Once } from '../../platform/idempotency.ts'
import { insertPush, type What } from './store.ts'

export interface PushRequest {
  account_id: number
  /** The API key that asks. */
  key_id: number
  /** The import. */
  id: number
  what: What
  /** Only these records; null: all. */
  record_ids: number[] | null
}

/** Begins a push. Throws import_not_found, import_state_conflict, rows_gone. */
export async function startPush(
  pool: Pool,
  { account_id, key_id, id, what, record_ids }: PushRequest,
  once: Once | null
): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const row = await lockImport(tx, account_id, id)
    if (!row) throw appError('import_not_found', { id })
    const state: ImportState = row.state
    if (!isFinished(state) || row.options.dry_run) {
      const allowed = 'completed, completed_with_errors, failed or cancelled, and no dry run'
      throw appError('import_state_conflict', { id, state, action: 'pushing it', allowed })
    }
    if (row.rows_dropped_at) {
      throw appError('rows_gone', { id, day: row.rows_dropped_at.toISOString().slice(0, 10) })
    }
    await insertPush(tx, { account_id, import_id: id, what, record_ids, asked_by: key_id })
    await once?.record(tx, { status: 202, location: `/imports/${id}` })
  })
}
