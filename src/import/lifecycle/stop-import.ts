// Pausing, going on and cancelling. Each is one guarded statement, so that it does not matter what a
// worker does at that moment: the worker reads what it is asked for with every batch it commits.
// Called by routes.ts. Out: the state that the import is in now.

import { type Tx, withTransaction } from '../../platform/db.ts'
import type { Once } from '../../platform/idempotency.ts'
import type { ImportContext } from '../accept/accept-upload.ts'
import { conflict } from '../change-import.ts'
import { requireImport } from '../show-import.ts'
import { type ImportState, statesBefore } from '../status.ts'
import { settleUndone } from '../write/undone-state.ts'
import { goOn, type Stop, stopImport } from './store.ts'

export interface Change {
  account_id: number
  id: number
  /** Given when the request came with an idempotency key. */
  once: Once | null
}

const pause: Stop = {
  asked: 'pause',
  atOnce: ['queued'],
  reached: 'paused',
  byWorker: ['running'],
  pending: 'pausing'
}

const cancel: Stop = {
  asked: 'cancel',
  atOnce: ['draft', 'queued', 'paused'],
  reached: 'cancelled',
  byWorker: statesBefore('cancelling'),
  pending: 'cancelling'
}

/** Pauses an import: `paused`, or `pausing` while its worker ends the batch in flight. Pausing once
 *  more is no error. Throws import_not_found, import_state_conflict. */
export async function pauseImport(context: ImportContext, change: Change): Promise<ImportState> {
  return await stop(context, change, pause, 'pausing it')
}

/** Cancels an import: `cancelled`, or `cancelling` while its worker ends the batch in flight.
 *  Cancelling once more is no error. Throws import_not_found, import_state_conflict (it has ended by
 *  itself). */
export async function cancelImport(context: ImportContext, change: Change): Promise<ImportState> {
  return await stop(context, change, cancel, 'cancelling it')
}

/** Lets a paused import go on: `queued`, or `running` where its worker had not seen yet that it was
 *  to pause. An import that is at work already stays as it is. Throws import_not_found,
 *  import_state_conflict. */
export async function resumeImport(context: ImportContext, change: Change): Promise<ImportState> {
  const { account_id, id, once } = change
  return await withTransaction(context.pool, async (tx) => {
    const state = await goOn(tx, account_id, id)
    if (state === null) return await reached(tx, change, ['queued', 'running'], 'resuming it')
    if (state === 'queued') {
      const { type } = await requireImport(tx, account_id, id)
      await context.enqueue(tx, { account_id, import_id: id, type })
    }
    await once?.record(tx, { status: 202, location: `/imports/${id}` })
    return state
  })
}

async function stop({ pool }: ImportContext, change: Change, how: Stop, action: string) {
  const { account_id, id, once } = change
  return await withTransaction(pool, async (tx) => {
    const state = await stopImport(tx, account_id, id, how)
    if (state === null) return await reached(tx, change, [how.reached, how.pending], action)
    if (state === 'cancelled') await settleUndone(tx, account_id, id)
    await once?.record(tx, {
      status: state === how.reached ? 200 : 202,
      location: `/imports/${id}`
    })
    return state
  })
}

// What each action may begin from, for the text of the refusal.
const allowed: Record<string, ImportState[]> = {
  'pausing it': [...pause.atOnce, ...pause.byWorker],
  'cancelling it': [...cancel.atOnce, ...cancel.byWorker],
  'resuming it': ['paused', 'pausing']
}

/** The state, where it is the one that was wanted. Throws import_state_conflict otherwise. */
async function reached(
  tx: Tx,
  { account_id, id }: Change,
  wanted: ImportState[],
  action: string
): Promise<ImportState> {
  const { state } = await requireImport(tx, account_id, id)
  if (wanted.includes(state)) return state
  throw conflict(id, state, action, allowed[action] ?? [])
}
