// The end of a run that read its file to the end: the state follows from the counts.

import type { Db } from '../platform/db.ts'
import type { Checkpoint } from './terms.ts'
import { type ClaimedImport, errorOf, finishImport, readCounts } from './write/import-state.ts'

/** Ends the import as completed, completed_with_errors, or failed when the file had no row. */
export async function finish(db: Db, run: ClaimedImport, done: Checkpoint): Promise<void> {
  if (done.rows === 0) {
    const error = errorOf('no_rows', {})
    return await finishImport(db, run, { state: 'failed', rowsTotal: 0, error })
  }
  const counts = await readCounts(db, run)
  const bad = counts.rows_rejected + counts.rows_failed
  const state = bad > 0 ? 'completed_with_errors' : 'completed'
  await finishImport(db, run, { state, rowsTotal: done.rows })
}
