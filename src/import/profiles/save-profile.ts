// What a caller says of a profile -> a profile to store, checked against its record type; and back
// to JSON. Called by routes.ts.

import type { Static } from 'typebox'
import { appError } from '../../errors.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { checkChoices } from '../accept/check-choices.ts'
import { readEncoding, readJsonChoices, readOption, readType } from '../accept/options.ts'
import { fieldFault } from '../resolve/map-columns.ts'
import { factsOf } from './profile-facts.ts'
import type { ProfileSchema, WholeProfile } from './schemas.ts'
import type { Profile, ProfileRow } from './store.ts'

/** Checks everything that can be checked without a file. Throws unknown_record_type, invalid_option,
 *  mapping_invalid; the latter two name every fault. */
export function makeProfile(
  types: TypeCatalogue,
  name: string,
  { name: _, type: typeName, mapping = {}, ...said }: Static<typeof WholeProfile>
): Profile {
  const type = readType(types, typeName)
  const options = readJsonChoices(said)
  if (options.encoding !== undefined) options.encoding = readEncoding('encoding', options.encoding)
  if (options.delimiter !== undefined) readOption(options, types, 'delimiter', options.delimiter)
  checkChoices(types, type, options)
  const faults = Object.entries(mapping)
    .map(([header, field]) => (field === null ? null : fieldFault(type, header, field)))
    .filter((fault) => fault !== null)
  if (faults.length > 0) {
    throw appError('mapping_invalid', { reason: `${faults.join('; ')}.` }, { details: { faults } })
  }
  return { name, type: type.name, options, mapping, fields: factsOf(type) }
}

/** The profile as the API shows it: what it was told, no more. */
export function profileJson(row: ProfileRow): Static<typeof ProfileSchema> {
  const { name, type, options, mapping, version, created_at, updated_at } = row
  return {
    name,
    type,
    ...options,
    mapping,
    version,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString()
  }
}
