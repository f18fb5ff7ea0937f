// The limits of a record type and of an account on imports, each checked as soon as it can be known: the size while
// the file is stored, columns and rows here, unfinished imports as an import is queued.
// Called by plan-import.ts, accept-upload.ts and whoever queues an import.

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

// A client that is sent away comes back after this long at the soonest and at the latest, in seconds.
const soonest = 5
const latest = 60

/** Throws another_import_running when as many imports of the type as it allows are not finished,
 *  too_many_imports when as many of the account are as the configuration allows. */
export async function checkUnfinished(
  db: Db,
  { maxUnfinishedImports }: Config,
  account_id: number,
  type: RecordType
): Promise<void> {
  const { count, of_type, seconds_left } = await countUnfinished(db, account_id, type.name)
  const limit = type.limits.max_unfinished ?? Number.POSITIVE_INFINITY
  if (of_type >= limit) {
    throw appError('another_import_running', { type: type.name, limit, found: of_type })
  }
  if (count < maxUnfinishedImports) return
  const retry_after_seconds = Math.min(latest, Math.max(soonest, Math.ceil(seconds_left ?? 0)))
  const facts = { limit: maxUnfinishedImports, found: count }
  throw appError('too_many_imports', facts, { details: { ...facts, retry_after_seconds } })
}

/** As `checkUnfinished`, and nobody else queues an import of the account until the transaction ends.
 *  For every change that queues an import which was not counted before. */
export async function takePlace(
  tx: Tx,
  config: Config,
  account_id: number,
  type: RecordType
): Promise<void> {
  await lockUnfinished(tx, account_id)
  await checkUnfinished(tx, config, account_id, type)
}
