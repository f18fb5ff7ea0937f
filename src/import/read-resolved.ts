// The file as batches of resolved rows, read ahead: while one batch is written to the database, the
// next one is parsed and resolved.

import { openUpload, type UploadPlace } from '../platform/files.ts'
import { readRows } from './parse/read-rows.ts'
import type { ImportPlan } from './resolve/plan.ts'
import { type ResolvedRow, resolveRow } from './resolve/resolve-row.ts'
import type { Checkpoint, Dialect } from './terms.ts'

export interface ResolvedBatch {
  rows: ResolvedRow[]
  /** Where to go on once all rows of the batch are done. */
  end: Checkpoint
}

export interface ReadPlace extends UploadPlace {
  file_key: string
  dialect: Dialect
  plan: ImportPlan
  maxRowBytes: number
  batchRows: number
}

/** Reads from a checkpoint to the end of the file. Throws upload_gone when it is not there. */
export async function* readResolved(
  place: ReadPlace,
  from: Checkpoint
): AsyncGenerator<ResolvedBatch> {
  const { plan, maxRowBytes, batchRows } = place
  const bytes = openUpload(place, place.file_key, from.offset)
  for await (const batch of readRows(bytes, place.dialect, { from, maxRowBytes, batchRows })) {
    yield { rows: batch.rows.map((raw) => resolveRow(plan, raw)), end: batch.end }
  }
}

/** Yields what `source` yields, each with a function that makes the source begin with the next item.
 *  Whoever uses an item calls it at a moment when this process would otherwise only wait; it may be
 *  called several times. */
export async function* readAhead<T>(
  source: AsyncGenerator<T>
): AsyncGenerator<{ item: T; startNext: () => void }> {
  let next: Promise<IteratorResult<T>> | null = null
  const startNext = () => {
    if (next !== null) return
    next = source.next()
    // Its failure is seen when its turn comes; until then it is not an unhandled one.
    next.catch(() => {})
  }
  try {
    for (;;) {
      startNext()
      const { done, value } = await (next as unknown as Promise<IteratorResult<T>>)
      if (done) return
      next = null
      yield { item: value, startNext }
    }
  } finally {
    await (next as Promise<unknown> | null)?.catch(() => {})
    await source.return(undefined)
  }
}
