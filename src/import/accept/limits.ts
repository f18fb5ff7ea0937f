// The limits of a record type on one import, each checked as soon as it can be known: the size while
// the file is stored, columns and rows here, unfinished imports as an import is queued.
// Called by plan-import.ts, accept-upload.ts and change-import.ts.

import type { Config } from '../../config.ts'
import { appError } from '../../errors.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { RecordType } from '../../record-types/types.ts'
import { countUnfinished, lockUnfinished } from '../store.ts'
import type { Dialect } from '../terms.ts'
import { tooLarge } from './convert.ts'
import { createLineCounter } from './count-lines.ts'
import type { StoredFile } from './store-file.ts'

/** What the head of a file may be: the configuration's limits, or the type's where they are less. */
export function headLimits({ limits }: RecordType, { maxColumns, maxRowBytes }: Config) {
  return {
    maxColumns: Math.min(maxColumns, limits.max_columns ?? maxColumns),
    maxRowBytes: Math.min(maxRowBytes, limits.max_row_bytes ?? maxRowBytes)
  }
}

/** Throws too_large when the file is larger than the type allows: for types said after the file. */
export function checkBytes({ limits }: RecordType, { bytes }: StoredFile): void {
  const limit = limits.max_bytes
  if (limit !== undefined && bytes > limit) throw tooLarge(limit, bytes)
}

/** Throws too_many_rows when the file surely has more data rows than the type allows. Behind the
 *  first quote lines are not counted, because they may be parts of a row: there the worker counts. */
export function checkRows({ name, limits }: RecordType, file: StoredFile, dialect: Dialect): void {
  const limit = limits.max_rows
  if (limit === undefined) return
  const { lines, quoted } = file.count
  const above = createLineCounter()
  above.add(file.head.subarray(0, dialect.dataOffset))
  const rows = lines - above.count.lines
  if (rows <= limit) return
  const found = quoted ? `at least ${rows}` : rows
  throw appError('too_many_rows', { type: name, limit, found })
}

/** Throws another_import_running when as many imports of the type as it allows are not finished. */
export async function checkUnfinished(db: Db, account_id: number, type: RecordType): Promise<void> {
  const limit = type.limits.max_unfinished
  if (limit === undefined) return
  const found = await countUnfinished(db, account_id, type.name)
  if (found < limit) return
  throw appError('another_import_running', { type: type.name, limit, found })
}

/** As `checkUnfinished`, and nobody else queues an import of the type until the transaction ends. */
export async function takePlace(tx: Tx, account_id: number, type: RecordType): Promise<void> {
  if (type.limits.max_unfinished === undefined) return
  await lockUnfinished(tx, account_id, type.name)
  await checkUnfinished(tx, account_id, type)
}
