// The life of an import as a table: every state, every move, and when it happens.
// The state is changed only by statements that name the states it may come from.

export const importStates = [
  'draft',
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'cancelled',
  'ready',
  'completed',
  'completed_with_errors',
  'failed',
  'undoing',
  'undone',
  'partially_undone'
] as const
export type ImportState = (typeof importStates)[number]

/** What each state means. */
export const stateTexts: Record<ImportState, string> = {
  draft: 'Uploaded with start=false: waits for its mapping to be reviewed.',
  queued: 'Waits for a worker, and for earlier imports of the same type.',
  running: 'A worker writes its batches.',
  pausing: 'Asked to stop for a while; the batch in flight ends first.',
  paused: 'Stands still, with every row that was reached written.',
  cancelling: 'Asked to stop for good; the batch in flight ends first.',
  cancelled: 'Ended before its file did; what was written stays.',
  ready: 'A dry run that can be applied. Applying it is an import of its own.',
  completed: 'Every row is in.',
  completed_with_errors: 'Every row was reached; some were rejected, failed or drifted.',
  failed: 'It could not be done; `error` says why.',
  undoing: 'Another import, of kind `undo`, takes back what this one wrote.',
  undone: 'What it wrote is taken back.',
  partially_undone: 'Some of what it wrote is taken back, the rest was kept as it is.'
}

/** Of an import whose undo was redone: the undo of that redo makes the first undo hold again. */
const redoUndone = {
  undone: 'the redo of its undo was taken back',
  partially_undone: 'the redo of its undo was partly taken back'
}

/** Every move, by the state it begins in, with when it happens. */
export const moves: Record<ImportState, Partial<Record<ImportState, string>>> = {
  draft: {
    queued: 'POST /imports/{id}/start',
    cancelled: 'POST /imports/{id}/cancel'
  },
  queued: {
    running: 'it is its turn, and a worker takes it',
    paused: 'POST /imports/{id}/pause',
    cancelled: 'POST /imports/{id}/cancel'
  },
  // A worker that dies leaves it running; the next one takes it over.
  running: {
    queued: 'its turn is over, or its worker shuts down; it goes on from where it is',
    pausing: 'POST /imports/{id}/pause',
    cancelling: 'POST /imports/{id}/cancel',
    ready: 'a dry run was read to its end',
    completed: 'the file was read to its end and every row is in',
    completed_with_errors: 'the same, with rows that were rejected, failed or drifted',
    failed: 'it could not be done; `error` says why'
  },
  pausing: {
    running: 'POST /imports/{id}/resume',
    paused: 'the worker saw it, or shuts down',
    cancelling: 'POST /imports/{id}/cancel',
    ready: 'it came to its end before the worker saw it',
    completed: 'it came to its end before the worker saw it',
    completed_with_errors: 'it came to its end before the worker saw it',
    failed: 'it broke before it saw it'
  },
  paused: {
    queued: 'POST /imports/{id}/resume',
    cancelled: 'POST /imports/{id}/cancel'
  },
  cancelling: {
    cancelled: 'the worker saw it, or shuts down',
    ready: 'it came to its end before the worker saw it',
    completed: 'it came to its end before the worker saw it',
    completed_with_errors: 'it came to its end before the worker saw it',
    failed: 'it broke before it saw it'
  },
  cancelled: {
    queued: 'POST /imports/{id}/retry',
    undoing: 'POST /imports/{id}/undo',
    ...redoUndone
  },
  ready: {},
  completed: {
    undoing: 'POST /imports/{id}/undo',
    ...redoUndone
  },
  completed_with_errors: {
    queued: 'POST /imports/{id}/retry',
    undoing: 'POST /imports/{id}/undo',
    ...redoUndone
  },
  failed: {
    queued: 'POST /imports/{id}/retry',
    undoing: 'POST /imports/{id}/undo',
    ...redoUndone
  },
  undoing: {
    undone: 'every record is as it was before',
    partially_undone: 'some records are, others were kept as they are',
    cancelled: 'the undo ended before it took anything back',
    completed: 'the undo ended before it took anything back',
    completed_with_errors: 'the undo ended before it took anything back',
    failed: 'the undo ended before it took anything back'
  },
  undone: {
    partially_undone: 'its undo was partly taken back',
    cancelled: 'its undo was taken back (redo)',
    completed: 'its undo was taken back (redo)',
    completed_with_errors: 'its undo was taken back (redo)',
    failed: 'its undo was taken back (redo)'
  },
  partially_undone: {
    undoing: 'POST /imports/{id}/undo, for the records that were kept',
    undone: redoUndone.undone,
    cancelled: 'its undo was taken back (redo)',
    completed: 'its undo was taken back (redo)',
    completed_with_errors: 'its undo was taken back (redo)',
    failed: 'its undo was taken back (redo)'
  }
}

/** States that somebody waits in for a worker, or that a worker is in. */
const atWork: ReadonlySet<ImportState> = new Set([
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'undoing'
])

/** States in which a worker may be writing. */
const written: ReadonlySet<ImportState> = new Set(['running', 'pausing', 'cancelling'])

/** Whether a worker may be writing rows of the import now. */
export function isWritten(state: ImportState): boolean {
  return written.has(state)
}

/** Whether an import may go from one state to the other. */
export function canMove(from: ImportState, to: ImportState): boolean {
  return moves[from][to] !== undefined
}

/** The states from which `to` can be reached, for `WHERE state = ANY(...)`. */
export function statesBefore(to: ImportState): ImportState[] {
  return importStates.filter((from) => canMove(from, to))
}

/** Whether nothing will happen to the import any more unless somebody asks for it. */
export function isFinished(state: ImportState): boolean {
  return state !== 'draft' && !atWork.has(state)
}
