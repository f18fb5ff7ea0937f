// Whether an import still means what it did: its mapping and options were made for the fields that its
// record type had when the file was sent, and types change.
// In: the import and its type as it is now. Called when a draft is started and when a job begins.

import { appError } from '../errors.ts'
import type { Db } from '../platform/db.ts'
import type { RecordType } from '../record-types/types.ts'
import { changesOf } from './profiles/profile-facts.ts'
import type { ImportOptions } from './resolve/import-options.ts'
import { readFields } from './store.ts'

interface Place {
  account_id: number
  id: number
  mapping: (string | null)[]
  options: Pick<ImportOptions, 'update' | 'separators' | 'on_missing'>
}

/** Throws record_type_changed, with every change in the details, when a field that the mapping or an
 *  option names is gone or something else. */
export async function requireSameFields(db: Db, place: Place, type: RecordType): Promise<void> {
  const { update, separators, on_missing } = place.options
  const used = [
    ...place.mapping.filter((field) => field !== null),
    ...[update, separators, on_missing].flatMap((one) => Object.keys(one))
  ]
  const facts = await readFields(db, place.account_id, place.id)
  const changes = changesOf(facts, type, used)
  if (changes.length === 0) return
  const reason = `${changes.map(({ field, change }) => `${field}: ${change}`).join('; ')}.`
  throw appError('record_type_changed', { type: type.name, reason }, { details: { changes } })
}
