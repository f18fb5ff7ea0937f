// What was said and the head of the file -> the import to make. In: options, an import profile, a
// stored file. Out: everything the import needs to run, or an error that says why it never can.
// Called by accept-upload.ts.

import type { Config } from '../../config.ts'
import { appError } from '../../errors.ts'
import type { Db } from '../../platform/db.ts'
import { parseNetworks } from '../../platform/outbound/addresses.ts'
import { urlFault } from '../../platform/outbound/check-url.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import type { RecordType } from '../../record-types/types.ts'
import { findOrganization, type OrganizationPlace } from '../../records/organizations.ts'
import type { NewImport } from '../import-row.ts'
import { sniffCsv } from '../parse/sniff.ts'
import { factsOf } from '../profiles/profile-facts.ts'
import { type ProfileRow, requireProfile } from '../profiles/store.ts'
import { checkProfile, checkStillFed, mergeChoices, mergeMapping } from '../profiles/use-profile.ts'
import type { ImportOptions } from '../resolve/import-options.ts'
import { completeOptions } from '../resolve/import-options.ts'
import { parseMapping, suggestMapping, unmappedRequired } from '../resolve/map-columns.ts'
import { checkChoices } from './check-choices.ts'
import { checkBytes, checkRows, headLimits } from './limits.ts'
import {
  type Choices,
  invalidOption,
  optionFault,
  requireType,
  type UploadOptions
} from './options.ts'
import type { StoredFile } from './store-file.ts'

/** An upload's options with those of its profile, checked against the record type. */
export interface Settled {
  type: RecordType
  /** `mapping` is what the upload itself says; that of the profile is merged with the headers. */
  choices: Choices
  start: boolean
  profile: ProfileRow | null
  /** Who is told of this import alone; null: nobody. */
  callback: { url: string; secret: string | null } | null
}

export interface PlanPlace {
  db: Db
  config: Config
  types: TypeCatalogue
  account_id: number
}

/** Puts options and profile together. Throws profile_not_found, profile_stale, invalid_option. */
export async function settleOptions(place: PlanPlace, options: UploadOptions): Promise<Settled> {
  const { type: ownType, profile: name, start = true, callback_secret, ...own } = options
  const callbackOf = (choices: Choices) =>
    readCallback(place.config, choices.callback_url, callback_secret)
  const profile = name === undefined ? null : await requireProfile(place.db, place.account_id, name)
  if (profile === null) {
    const type = requireType(options, place.types)
    checkChoices(place.types, type, own)
    return { type, choices: own, start, profile, callback: callbackOf(own) }
  }
  if (ownType && ownType.name !== profile.type) {
    const expected = `Leave it out: the import profile "${profile.name}" is for ${profile.type}.`
    throw invalidOption('type', ownType.name, expected)
  }
  const type = checkProfile(place.types, profile)
  const choices = mergeChoices(profile, own)
  checkChoices(place.types, type, choices)
  return { type, choices, start, profile, callback: callbackOf(choices) }
}

function readCallback(
  { webhookAllowedNetworks }: Config,
  url: string | undefined,
  secret: string | undefined
): Settled['callback'] {
  if (url === undefined) {
    if (secret === undefined) return null
    throw optionFault('callback_secret', 'Give a callback_url as well, or leave it out.')
  }
  const fault = urlFault(url, parseNetworks(webhookAllowedNetworks))
  if (fault !== null) throw optionFault('callback_url', fault)
  return { url, secret: secret ?? null }
}

/** Looks at the head of the file and works out everything the import needs to run. */
export async function planImport(
  { db, config, types, account_id }: PlanPlace,
  { type, choices, start, profile }: Settled,
  file: StoredFile
): Promise<Omit<NewImport, 'created_by'>> {
  checkBytes(type, file)
  const dialect = sniffCsv(file.head, {
    isWhole: file.isWhole,
    delimiter: choices.delimiter ?? null,
    ...headLimits(type, config)
  })
  checkRows(type, file, dialect)
  const { organization, mapping, delimiter: _, encoding: __, callback_url: ___, ...said } = choices
  const organization_id = await findWanted(db, { account_id, types, type }, organization)
  const options = completeOptions(type, { ...said, organization_id })
  const planned = planMapping(dialect.headers, type, mapping, profile)
  if (profile) checkStillFed(profile, type, planned, options)
  if (start) checkRequired(dialect.headers, planned, type, options)
  return {
    account_id,
    type: type.name,
    type_version: type.version,
    profile: profile?.name ?? null,
    fields: factsOf(type),
    state: start ? 'queued' : 'draft',
    file_name: file.name,
    file_key: file.file_key,
    file_bytes: file.bytes,
    file_sha256: file.sha256,
    dialect,
    options,
    mapping: planned
  }
}

/** Id of the organization that is named; null: none is. Throws organization_not_found,
 *  organization_ambiguous. */
export async function findWanted(
  db: Db,
  place: OrganizationPlace,
  wanted: string | number | null | undefined
): Promise<number | null> {
  if (wanted === undefined || wanted === null) return null
  return (await findOrganization(db, place, wanted)).id
}

function planMapping(
  headers: string[],
  type: RecordType,
  own: Choices['mapping'],
  profile: ProfileRow | null
): (string | null)[] {
  const given = profile ? mergeMapping(headers, profile.mapping, own ?? {}) : own
  return given ? parseMapping(headers, type, given) : suggestMapping(headers, type)
}

/** Throws required_column_unmapped; its details say what the mapping has to work with. */
export function checkRequired(
  headers: string[],
  mapping: (string | null)[],
  type: RecordType,
  options: ImportOptions
): void {
  const unmapped = unmappedRequired(mapping, type, options)
  if (unmapped.length === 0) return
  const columns = headers.map((header, index) => ({ header, field: mapping[index] ?? null }))
  throw appError(
    'required_column_unmapped',
    { fields: unmapped.join(', ') },
    { details: { unmapped_required: unmapped, columns } }
  )
}
