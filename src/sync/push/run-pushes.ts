// Pushes, page after page, until none is open. Every worker process calls it when it is woken and now
// and then; each page is a transaction of its own, so whoever dies in one loses nothing and doubles
// nothing. Called by jobs.ts.

import { type Pool, withTransaction } from '../../platform/db.ts'
import { pushPage } from './push-page.ts'
import { claimPush, hasOpenPush } from './store.ts'

/** Runs what is open until it has ended or somebody else is at it, or `signal` is aborted. */
export async function runPushes({ pool, signal }: { pool: Pool; signal: AbortSignal }) {
  if (!(await hasOpenPush(pool))) return
  while (!signal.aborted) {
    const hasMoved = await withTransaction(pool, async (tx) => {
      const push = await claimPush(tx)
      if (push) await pushPage(tx, push)
      return push !== null
    })
    if (!hasMoved) return
  }
}
