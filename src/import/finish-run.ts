// The end of a run: of one that read its file to the end, the state follows from the counts.

import type { Db } from '../platform/db.ts'
import type { Checkpoint } from './terms.ts'
import { type ClaimedImport, errorOf, finishImport, readCounts } from './write/import-state.ts'

/** Ends the import as completed, completed_with_errors, ready (a dry run), or failed when the file
 *  had no row. */
export async function finish(db: Db, run: ClaimedImport, done: Checkpoint): Promise<void> {
  if (done.rows === 0) {
    const error = errorOf('no_rows', {})
    return await finishImport(db, run, { state: 'failed', rowsTotal: 0, error })
  }
  if (run.options.dry_run) {
    return await finishImport(db, run, { state: 'ready', rowsTotal: done.rows })
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

/** Puts the import back in line because this process is to stop. Throws GivenBack: a job that fails
 *  keeps its place before younger ones. */
export async function giveBack(db: Db, run: ClaimedImport): Promise<never> {
  await finishImport(db, run, { state: 'queued' })
  throw new GivenBack(run)
}
