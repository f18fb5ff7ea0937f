// Work that is done to see what comes of it, and taken back: in a transaction that is always rolled
// back, with a second one for what is to stay. Knows no domain word. Called by import/dry-run.

import { isConnectionError, type Pool, type Tx, withTransaction } from './db.ts'

/** The transaction of the work, and that of what is kept of it. */
export interface Trial {
  tx: Tx
  out: Tx
}

/** Runs `work`: what it does in `tx` is rolled back, what it does in `out` is committed, unless it
 *  throws. Takes two connections. */
export async function withTrial<T>(pool: Pool, work: (trial: Trial) => Promise<T>): Promise<T> {
  return withTransaction(pool, async (out) => {
    // It is silent while the other one works, and that may wait minutes for its turn. Still bounded:
    // a frozen process must not keep its rows from those that take its work over.
    await out.query("SET LOCAL idle_in_transaction_session_timeout TO '10min'")
    return withTransaction(pool, (tx) => work({ tx, out }), { keep: false })
  })
}

/** Runs `work` inside a transaction so that what it did is taken back alone when it throws. */
export async function withSavepoint<T>(tx: Tx, work: () => Promise<T>): Promise<T> {
  await tx.query('SAVEPOINT trial')
  try {
    const result = await work()
    await tx.query('RELEASE SAVEPOINT trial')
    return result
  } catch (error) {
    if (!isConnectionError(error)) {
      await tx.query('ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial')
    }
    throw error
  }
}
