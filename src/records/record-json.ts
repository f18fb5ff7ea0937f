// A row of `records` -> the record as the API shows it. Pure.

import type { Static } from 'typebox'
import { isSensitive, type RecordData, type RecordType } from '../record-types/types.ts'
import type { NamedRecord, RecordSchema } from './schemas.ts'
import type { RecordRow } from './store.ts'

export type RecordJson = Static<typeof RecordSchema>

/** What people call a record: its title fields, joined by a space. */
export function recordTitle(type: RecordType, data: RecordData): string {
  return type.title_fields.flatMap((name) => data[name] ?? []).join(' ')
}

/** The values in the order of the type's fields; the database keeps an order of its own. Of secrets
 *  there is not even the encrypted form. */
function inOrder(type: RecordType, data: RecordData): RecordData {
  const ordered: RecordData = {}
  for (const field of type.fields) {
    const value = data[field.name]
    if (value !== undefined && !isSensitive(field)) ordered[field.name] = value
  }
  return ordered
}

/** Names of the sensitive fields that have a value. */
function secretsOf(type: RecordType, data: RecordData): string[] {
  const set = type.fields.filter((field) => isSensitive(field) && data[field.name] !== undefined)
  return set.map((field) => field.name)
}

/** The record as JSON. `organization`: the one it belongs to, looked up by the caller. */
export function recordJson(
  type: RecordType,
  row: RecordRow,
  organization: NamedRecord | null
): RecordJson {
  return {
    id: row.id,
    type: type.name,
    title: recordTitle(type, row.data),
    version: row.version,
    organization,
    data: inOrder(type, row.data),
    secrets: secretsOf(type, row.data),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    created_import_id: row.created_import_id,
    updated_import_id: row.updated_import_id,
    archived_at: row.archived_at?.toISOString() ?? null
  }
}
