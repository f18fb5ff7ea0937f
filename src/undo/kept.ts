// Whether what taking an import back needs is still there: its outcomes, the history since it began,
// and its record type. Called before an undo is queued, and by its worker.

import { appError } from '../errors.ts'
import type { ImportRow } from '../import/import-row.ts'
import type { Db } from '../platform/db.ts'
import { firstOwnTypeId } from '../record-types/compile-types.ts'
import { shownNames } from '../record-types/registry.ts'
import { loadTypes } from '../record-types/store.ts'
import type { RecordType } from '../record-types/types.ts'
import { isDefinedSince } from './store.ts'

/** Throws rows_gone, history_gone. */
export function requireKept({ id, rows_dropped_at, history_dropped_at }: ImportRow): void {
  const day = (time: Date) => time.toISOString().slice(0, 10)
  if (rows_dropped_at) throw appError('rows_gone', { id, day: day(rows_dropped_at) })
  if (history_dropped_at) throw appError('history_gone', { id, day: day(history_dropped_at) })
}

/** The type of the import's records. One that was deleted and defined anew under the same name is
 *  another one. Throws unknown_record_type. */
export async function requireOwnType(
  db: Db,
  account_id: number,
  { type: name, kind, created_at, queued_at }: ImportRow
): Promise<RecordType> {
  const types = await loadTypes(db, account_id)
  const type = types.get(name)
  // A draft, or a retry, is of the type that there was when it was queued.
  const time = (kind === 'import' ? queued_at : null) ?? created_at
  const isOwn = type !== undefined && type.type_id >= firstOwnTypeId
  if (type && !(isOwn && (await isDefinedSince(db, account_id, type.type_id, time)))) return type
  const gone = type ? `${name} (the one of before, which was deleted)` : name
  throw appError('unknown_record_type', { type: gone, known: shownNames(types) })
}
