// The file as batches of resolved rows, read ahead: while one batch is written to the database, the
// next one is parsed and resolved.

import { openUpload } from '../platform/files.ts'
import { readRows } from './parse/read-rows.ts'
import type { ImportPlan } from './resolve/plan.ts'
import { type ResolvedRow, resolveRow } from './resolve/resolve-row.ts'
import type { Checkpoint, Dialect } from './terms.ts'

export interface ResolvedBatch {
  rows: ResolvedRow[]
  /** Where to go on once all rows of the batch are done. */
  end: Checkpoint
}

export interface ReadPlace {
  dataDir: string
  file_key: string
  dialect: Dialect
  plan: ImportPlan
  maxRowBytes: number
  batchRows: number
}

/** Reads from a checkpoint to the end of the file. Throws ENOENT when the upload is gone. */
export async function* readResolved(
  place: ReadPlace,
  from: Checkpoint
): AsyncGenerator<ResolvedBatch> {
  const { plan, maxRowBytes, batchRows } = place
  const bytes = openUpload(place.dataDir, place.file_key, from.offset)
  for await (const batch of readRows(bytes, place.dialect, { from, maxRowBytes, batchRows })) {
    yield { rows: batch.rows.map((raw) => resolveRow(plan, raw)), end: batch.end }
  }
}

/** Yields what `source` yields, but already works on the next item while one is being used. */
export async function* readAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next()
  try {
    for (;;) {
      const item = await next
      if (item.done) return
      next = source.next()
      // Its failure is seen when its turn comes; until then it is not an unhandled one.
      next.catch(() => {})
      yield item.value
    }
  } finally {
    await next.catch(() => {})
    await source.return(undefined)
  }
}
