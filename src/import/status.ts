// The life of an import as a table: every state, every move, and when it happens.
// The state is changed only by statements that name the states it may come from.

export const importStates = [
  'draft',
  'queued',
  'running',
  'cancelling',
  'cancelled',
  'completed',
  'completed_with_errors',
  'failed'
] as const
export type ImportState = (typeof importStates)[number]

const moves: Record<ImportState, readonly ImportState[]> = {
  // Uploaded with start=false: waits for its mapping to be reviewed.
  // -> queued: POST .../start; -> cancelled: POST .../cancel.
  draft: ['queued', 'cancelled'],
  // Waits for a worker and for earlier imports of the same type.
  // -> running: a worker takes it; -> cancelled: POST .../cancel.
  queued: ['running', 'cancelled'],
  // A worker writes its batches. A worker that dies leaves it running; the next one takes it over.
  // -> queued: the worker shuts down and gives it back; -> cancelling: POST .../cancel;
  // -> completed: the file was read to its end and every row is in; -> completed_with_errors: the
  // same, with rejected or failed rows; -> failed: it could not be done, `error` says why.
  running: ['queued', 'cancelling', 'completed', 'completed_with_errors', 'failed'],
  // Asked to stop; the batch in flight ends first.
  // -> cancelled: the worker saw it; -> queued: it shuts down, and the next one will see it;
  // -> completed, completed_with_errors: that batch was the last one, nothing was left to cancel;
  // -> failed: it broke before it saw it.
  cancelling: ['queued', 'cancelled', 'completed', 'completed_with_errors', 'failed'],
  cancelled: [],
  completed: [],
  completed_with_errors: [],
  failed: []
}

/** Whether an import may go from one state to the other. */
export function canMove(from: ImportState, to: ImportState): boolean {
  return moves[from].includes(to)
}

/** The states from which `to` can be reached, for `WHERE state = ANY(...)`. */
export function statesBefore(to: ImportState): ImportState[] {
  return importStates.filter((from) => canMove(from, to))
}

/** Whether nothing will happen to the import any more. */
export function isFinished(state: ImportState): boolean {
  return moves[state].length === 0
}
