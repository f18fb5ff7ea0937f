// The end of a run: of one that read its file to the end, the state follows from the counts.

import type { Db } from '../platform/db.ts'
import type { Checkpoint } from './terms.ts'
import { type ClaimedImport, errorOf, finishImport, readCounts } from './write/import-state.ts'

/** Ends the import as completed, completed_with_errors, ready (a dry run), or failed when the file
 *  had no row. */
export async function finish(db: Db, run: ClaimedImport, done: Checkpoint): Promise<void> {
  if (done.rows === 0) {
    const error = errorOf('no_rows', {})
    await finishImport(db, run, { state: 'failed', rowsTotal: 0, error })
    return
  }
  if (run.options.dry_run) {
    await finishImport(db, run, { state: 'ready', rowsTotal: done.rows })
    return
  }
  const counts = await readCounts(db, run)
  const bad = counts.rows_rejected + counts.rows_failed
  const state = bad > 0 ? 'completed_with_errors' : 'completed'
  await finishImport(db, run, { state, rowsTotal: done.rows })
}

/** The import was given back, and the job that ran it has to be run again. */
export class GivenBack extends Error {
  constructor(run: ClaimedImport) {
    super(`import ${run.id} was given back after attempt ${run.attempt}`)
    this.name = 'GivenBack'
  }
}

/** Leaves an import that has not come to its end: paused or cancelled where that was asked for, else
 *  back in line because this process is to stop. Then it throws GivenBack: the job has to be run
 *  again. `rowsTotal` where the file was read to its end. */
export async function giveBack(
  db: Db,
  run: ClaimedImport,
  read: { rowsTotal?: number } = {}
): Promise<void> {
  const state = await finishImport(db, run, { state: 'queued', ...read })
  if (state === 'queued') throw new GivenBack(run)
}
