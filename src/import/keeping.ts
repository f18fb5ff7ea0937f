// How the batches of a run are kept: each in a transaction of its own, or (dry-run/run-dry.ts) none.
// Called by commit-batch.ts and the runs.

import { type Db, type Tx, withTransaction } from '../platform/db.ts'
import type { Run } from './run.ts'
import type { Checkpoint } from './terms.ts'
import { type Asked, noteLastRound, saveProgress } from './write/import-state.ts'
import type { BatchResult } from './write/write-batch.ts'

export interface Keeping {
  /** Where rows that wait are read. */
  db: Db
  /** Does the work of a batch as a whole or not at all. `out`: where its outcomes are written. */
  transact<T>(work: (at: { tx: Tx; out: Tx }) => Promise<T>): Promise<T>
  /** Adds a batch to the import, at the end of its work. Out: what the import is to do now. */
  save(tx: Tx, result: BatchResult, checkpoint: Checkpoint): Promise<{ asked: Asked | null }>
  /** The rows that wait are taken for the last time from here on. */
  noteLast(): Promise<void>
}

/** Every batch is committed by itself, with its outcomes and the checkpoint. */
export function keepEachBatch({ pool, run }: Pick<Run, 'pool' | 'run'>): Keeping {
  let batches = run.batches
  return {
    db: pool,
    // Rows, outcomes and checkpoint are lost together or not at all, and then done again. The
    // import's end is committed to disk, and everything before it with it.
    async transact(work) {
      const done = await withTransaction(pool, (tx) => work({ tx, out: tx }), { wait: false })
      run.batches = batches
      return done
    },
    async save(tx, result, checkpoint) {
      const saved = await saveProgress(tx, run, { ...result, checkpoint })
      batches = saved.batches
      return saved
    },
    noteLast: () => noteLastRound(pool, run)
  }
}
