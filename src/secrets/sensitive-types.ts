// Where secrets of an account can be: the fields of its types that are sensitive now or were in an
// earlier version. Called by status.ts and rotate.ts.

import type { Db } from '../platform/db.ts'
import { loadTypes } from '../record-types/store.ts'
import { isSensitive } from '../record-types/types.ts'
import { listImportsOf, listTypeVersions } from './store.ts'

export interface SensitivePlaces {
  account_id: number
  /** Names of fields by type_id; only types that have any. */
  fields: Map<number, string[]>
  /** Imports of such types, and of types that are not there any more. */
  import_ids: number[]
}

/** Three statements for an account. */
export async function findSensitivePlaces(db: Db, account_id: number): Promise<SensitivePlaces> {
  const types = await loadTypes(db, account_id)
  const fields = new Map<number, Set<string>>()
  const versions = await listTypeVersions(db, account_id)
  const defined = [
    ...types.list,
    ...versions.map(({ type_id, definition }) => ({ ...definition, type_id }))
  ]
  for (const type of defined) {
    const names = type.fields.filter(isSensitive).map((field) => field.name)
    if (names.length === 0) continue
    fields.set(type.type_id, new Set([...(fields.get(type.type_id) ?? []), ...names]))
  }
  const harmless = types.list.filter(({ type_id }) => !fields.has(type_id)).map(({ name }) => name)
  return {
    account_id,
    fields: new Map([...fields].map(([type_id, names]) => [type_id, [...names]])),
    import_ids: await listImportsOf(db, account_id, harmless)
  }
}
