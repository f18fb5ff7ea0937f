// What a dry run, and the import that applies one, has to know besides what every run does: which
// records it makes itself. Part of the memory of its batches.

import type { Db } from '../../platform/db.ts'
import { createTouchedRecords } from '../match/touched-records.ts'
import type { ClaimedImport } from '../write/import-state.ts'
import { pagesOfMade, readDrifted } from './store.ts'
import type { Foresight } from './terms.ts'

/** Out: null for an import that is neither a dry run nor applies one. */
export function foresightOf(run: ClaimedImport): Foresight | null {
  const { applied_from: id, applied_created_on: created_on, options } = run
  const dryRun = id && created_on ? { id, created_on } : null
  if (dryRun === null && !options.dry_run) return null
  return { made: createTouchedRecords(), drifted: new Set(), dryRun }
}

/** Finds out again what the worker before knew of an import that goes on from its checkpoint. */
export async function recallForesight(
  db: Db,
  run: ClaimedImport,
  { made, drifted, dryRun }: Foresight
): Promise<void> {
  for await (const ids of pagesOfMade(db, run)) for (const id of ids) made.add(id)
  if (dryRun === null) return
  for (const id of await readDrifted(db, run, dryRun)) drifted.add(id)
}
