// Files of uploads: those that have had their time, and those that no import names.
// Out: how many were deleted. Called by clean.ts.

import { type Pool, withTransaction } from '../platform/db.ts'
import { deleteUpload, uploadPages } from '../platform/files.ts'
import {
  findNamedFiles,
  hasUploads,
  lockOldUploads,
  noteUploadsDropped,
  type OldUpload
} from './store.ts'

// Files that are deleted while their imports are locked, and names that are compared at once.
const pageSize = 200

export interface UploadsPlace {
  pool: Pool
  dataDir: string
  signal: AbortSignal
}

/** Deletes the uploads of imports that ended more than `days` days ago (0: none). The file goes
 *  first: after a crash in between it is deleted once more, and never lies there forgotten. */
export async function dropUploads(
  { pool, dataDir, signal }: UploadsPlace,
  days: number
): Promise<number> {
  if (days === 0) return 0
  let dropped = 0
  let after: OldUpload | null = null
  while (!signal.aborted) {
    const page: OldUpload[] = await withTransaction(pool, async (tx) => {
      const uploads = await lockOldUploads(tx, days, after, pageSize)
      for (const { file_key } of uploads) await deleteUpload(dataDir, file_key)
      if (uploads.length > 0) await noteUploadsDropped(tx, uploads)
      return uploads
    })
    dropped += page.length
    after = page.at(-1) ?? null
    if (after === null || page.length < pageSize) break
  }
  return dropped
}

// A file is named by an import in the transaction that keeps it, and none lasts nearly as long.
const strayMs = 24 * 3_600_000

/** Deletes kept files that no import names: left behind by a crash between the file's rename and the
 *  commit, or by a backup of the database that is older than the folder. Does nothing where the
 *  database has no import at all: then it is more likely the wrong one. */
export async function sweepUploads({ pool, dataDir, signal }: UploadsPlace): Promise<number> {
  if (!(await hasUploads(pool))) return 0
  let deleted = 0
  for await (const file_keys of uploadPages(dataDir, { olderThanMs: strayMs, pageSize })) {
    if (signal.aborted) break
    const named = await findNamedFiles(pool, file_keys)
    const strays = file_keys.filter((key) => !named.has(key))
    for (const file_key of strays) await deleteUpload(dataDir, file_key)
    deleted += strays.length
  }
  return deleted
}
