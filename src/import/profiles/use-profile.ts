// An import profile applied to an upload: checked against the record type as it is now, and put
// under what the upload itself says. Pure. Called by accept/plan-import.ts.

import { appError } from '../../errors.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import type { RecordType } from '../../record-types/types.ts'
import type { Choices } from '../accept/options.ts'
import type { ImportOptions } from '../resolve/import-options.ts'
import { unmappedRequired } from '../resolve/map-columns.ts'
import { changesOf, newlyRequired, type ProfileChange } from './profile-facts.ts'
import type { ProfileRow } from './store.ts'

type Mapping = Record<string, string | null>

/** The record type of a profile. Throws profile_stale, with every change in the details, when the
 *  type is gone or a field that the profile names is not what it was. */
export function checkProfile(types: TypeCatalogue, profile: ProfileRow): RecordType {
  const type = types.get(profile.type)
  if (!type) {
    throw stale(profile, [{ field: null, change: `there is no record type "${profile.type}"` }])
  }
  const changes = changesOf(profile.fields, type, fieldsOf(profile))
  if (changes.length > 0) throw stale(profile, changes)
  return type
}

function fieldsOf({ mapping, options }: ProfileRow): string[] {
  const { update = {}, separators = {}, on_missing = {} } = options
  const mapped = Object.values(mapping).filter((field) => field !== null)
  return [...mapped, ...[update, separators, on_missing].flatMap((one) => Object.keys(one))]
}

/** Throws profile_stale when the type needs more fields than it did and `mapping` does not feed
 *  them. What it needed then is not the profile's fault. */
export function checkStillFed(
  profile: ProfileRow,
  type: RecordType,
  mapping: (string | null)[],
  options: ImportOptions
): void {
  // A row that only updates needs no required field.
  if (options.mode === 'update_only') return
  const unmapped = new Set(unmappedRequired(mapping, type, options))
  const changes = newlyRequired(profile.fields, type)
    .filter((field) => unmapped.has(field))
    .map((field) => ({ field, change: 'it is required now and no column is mapped to it' }))
  if (changes.length > 0) throw stale(profile, changes)
}

function stale({ name, type }: ProfileRow, changes: ProfileChange[]) {
  const parts = changes.map(({ field, change }) =>
    field === null ? change : `${field}: ${change}`
  )
  const reason = `${parts.join('; ')}.`
  return appError('profile_stale', { profile: name, type, reason }, { details: { changes } })
}

/** The choices of the profile with those of the upload on top; objects by field are joined. The
 *  mapping is the upload's own: that of the profile needs the headers (mergeMapping). */
export function mergeChoices({ options }: ProfileRow, own: Choices): Choices {
  const merged: Choices = { ...options, ...own }
  if (options.update && own.update) merged.update = { ...options.update, ...own.update }
  if (options.separators && own.separators) {
    merged.separators = { ...options.separators, ...own.separators }
  }
  if (options.on_missing && own.on_missing) {
    merged.on_missing = { ...options.on_missing, ...own.on_missing }
  }
  return merged
}

/** The mapping of the profile, as far as the file has its columns, under that of the upload. A field
 *  that the upload gives to a column is not fed by another one. */
export function mergeMapping(headers: string[], saved: Mapping, own: Mapping): Mapping {
  const claimed = new Set(Object.values(own).filter((field) => field !== null))
  const rest = Object.entries(saved).filter(
    ([header, field]) => headers.includes(header) && (field === null || !claimed.has(field))
  )
  return { ...Object.fromEntries(rest), ...own }
}
