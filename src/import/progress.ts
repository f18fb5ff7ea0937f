// What a run adds up that tells of its batches only at its end. Called by run-atomic.ts and dry runs.

import type { Run } from './run.ts'
import { type Checkpoint, outcomes } from './terms.ts'
import type { Progress } from './write/import-state.ts'
import { tally } from './write/write-batch.ts'

/** Where the first data row is. */
export function startOf({ read }: Pick<Run, 'read'>): Checkpoint {
  const { dataOffset, dataLine } = read.dialect
  return { rows: 0, offset: dataOffset, line: dataLine, blankRows: 0 }
}

/** The progress of a run that has done nothing yet. */
export function noProgress(checkpoint: Checkpoint): Progress {
  return { checkpoint, ...tally([]), referencesCreated: {} }
}

/** Adds what a batch did. */
export function addUp(total: Progress, result: Omit<Progress, 'checkpoint'>): void {
  for (const outcome of outcomes) total.counts[outcome] += result.counts[outcome]
  total.warnings += result.warnings
  for (const [type, count] of Object.entries(result.referencesCreated)) {
    total.referencesCreated[type] = (total.referencesCreated[type] ?? 0) + count
  }
}
