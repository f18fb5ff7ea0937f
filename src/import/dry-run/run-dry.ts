// A dry run: all rows go the way of a real import, so that each sees what those before it would have
// done, inside one transaction that is rolled back at the end. Their outcomes go into a second one,
// which is committed together with counts and state. Each batch stands behind a savepoint: what the
// database refuses is tried again and cut in half as ever.
// A worker that dies leaves nothing; the next one begins anew. Called by job.ts. With
// `allow_partial: false` the run of everything or nothing does the same (run-atomic.ts).

import { type Trial, withSavepoint, withTrial } from '../../platform/trial.ts'
import { finish, giveBack } from '../finish-run.ts'
import type { Keeping } from '../keeping.ts'
import { addUp, noProgress, startOf } from '../progress.ts'
import type { Run } from '../run.ts'
import { takeRows } from '../run-partial.ts'
import { finishImport, noteBytes, saveProgress } from '../write/import-state.ts'

/** Ends the trial with nothing kept of it. */
class Forgotten extends Error {}

/** Runs the whole file; ends it as ready, or cancelled with the outcomes so far. A pause keeps
 *  nothing: the dry run begins anew when it is resumed. */
export async function runDry(started: Run): Promise<void> {
  const { pool, run } = started
  try {
    await withTrial(pool, (trial) => tryAll(started, trial))
  } catch (error) {
    if (!(error instanceof Forgotten)) throw error
    await giveBack(pool, run)
  }
}

async function tryAll(started: Run, { tx, out }: Trial): Promise<void> {
  const { pool, run, signal } = started
  const total = noProgress(startOf(started))
  const keeping: Keeping = {
    db: tx,
    transact: (work) => withSavepoint(tx, () => work({ tx, out })),
    async save(_, result, checkpoint) {
      const seen = await noteBytes(pool, run, checkpoint.offset)
      addUp(total, result)
      total.checkpoint = checkpoint
      return seen
    },
    noteLast: async () => {}
  }
  // There is no place to go on from: others wait for its end.
  const { turn: _, ...whole } = started
  const { done, asked, rowsTotal } = await takeRows(whole, keeping, total.checkpoint)
  if (asked === 'pause' || (asked === null && signal.aborted)) throw new Forgotten()
  await saveProgress(out, run, total)
  if (asked !== null) await finishImport(out, run, { state: 'cancelled', ...rowsTotal })
  else await finish(out, run, done)
}
