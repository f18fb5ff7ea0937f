// header -> mapping: which column feeds which field. Pure.
// In: the header cells of a file and a record type. Out: one field name or null per column.
// Called by accept/ (suggest, check) and by routes that change a draft's mapping.

import { appError } from '../../errors.ts'
import {
  externalIdField,
  externalIdPrefix,
  systemOf,
  systemsIn
} from '../../record-types/external-ids.ts'
import { idField, idLabel, type MatchRule, type RecordType } from '../../record-types/types.ts'
import type { ImportOptions } from './import-options.ts'

/** How a suggested column was recognised. */
export type MappedBy = 'label' | 'key' | 'alias' | 'folded'

export interface SuggestedColumn {
  field: string | null
  mapped_by: MappedBy | null
}

/** Columns that our own rejects.csv adds; they are ignored on the way in. */
export const problemColumnPrefix = 'muster_'

/** Before the name of a custom field, in headers of other systems. */
const customPrefix = 'custom_fields.'

type Fold = (text: string) => string

const asWritten: Fold = (text) => text

const foldKeepingDots: Fold = (text) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_\-/#:*()]+/g, '')

const fold: Fold = (text) => foldKeepingDots(text).replaceAll('.', '')

/** The names by which headers may mean a field, by how sure they are. */
interface Names {
  field: string
  label: string[]
  key: string[]
  alias: string[]
}

// From the surest way of recognising a header to the loosest. Dots say what belongs to what: `a.b`
// is `ab` only when nothing is called `a.b`.
const ways: { by: MappedBy; of: (names: Names) => string[]; same: Fold }[] = [
  { by: 'label', of: ({ label }) => label, same: asWritten },
  { by: 'key', of: ({ key }) => key, same: asWritten },
  { by: 'alias', of: ({ alias }) => alias, same: asWritten },
  { by: 'folded', of: all, same: foldKeepingDots },
  { by: 'folded', of: all, same: fold }
]

function all({ label, key, alias }: Names): string[] {
  return [...label, ...key, ...alias]
}

/** Suggests a field for each column: exact label, key, alias, then the same without regard to case,
 *  spacing and punctuation. The surest way wins; each field is given once, to the first column.
 *  Custom fields are found with and without `custom_fields.` in front. */
export function suggestColumns(headers: string[], type: RecordType): SuggestedColumn[] {
  const columns: SuggestedColumn[] = headers.map(() => ({ field: null, mapped_by: null }))
  const taken = new Set<string>()
  const names = [...namesOf(type), ...externalIdsIn(headers, type)]
  for (const { by, of, same } of ways) {
    for (const one of names) {
      if (taken.has(one.field)) continue
      const wanted = new Set(of(one).map(same))
      const index = headers.findIndex(
        (header, i) => columns[i]?.field === null && header !== '' && wanted.has(same(header))
      )
      if (index < 0) continue
      columns[index] = { field: one.field, mapped_by: by }
      taken.add(one.field)
    }
  }
  return columns
}

/** Why a column cannot be mapped to a field; null: it can. */
export function fieldFault(type: RecordType, header: string, field: string): string | null {
  if (isTarget(type, field)) return null
  if (field.startsWith(externalIdPrefix)) {
    const form = 'up to 40 lower-case letters, digits, - and _, beginning with a letter'
    return `"${field}" names no system (${form}; column "${header}")`
  }
  return `${type.name} have no field "${field}" (column "${header}")`
}

/** Whether a column can be mapped to it: a field, the record's own id, its id in another system. */
export function isTarget({ fields }: RecordType, name: string): boolean {
  return name === idField || systemOf(name) !== null || fields.some((field) => field.name === name)
}

/** The names of all fields, and of the record's own id: of its names those that no field has, as a
 *  type may call something else `ID`. */
function namesOf({ fields }: RecordType): Names[] {
  const own = fields.map(({ name, label, aliases, custom }) => {
    const both = (names: string[]) =>
      custom ? [...names, ...names.map((one) => customPrefix + one)] : names
    return { field: name, label: both([label]), key: both([name]), alias: both(aliases) }
  })
  const claimed = new Set(own.flatMap(all).map(fold))
  const free = (names: string[]) => names.filter((name) => !claimed.has(fold(name)))
  // Only the header of our exports means our own id. A column that is just called `id` comes from
  // another system: taken for ours it would change whatever record happens to have the number.
  const id = { field: idField, label: free([idLabel]), key: [], alias: [] }
  return [...own, id]
}

/** Ids in other systems, which every type takes, under their own names. */
function externalIdsIn(headers: string[], type: RecordType): Names[] {
  return systemsIn(type, headers)
    .map(externalIdField)
    .map((name) => ({ field: name, label: [], key: [name], alias: [] }))
}

/** As `suggestColumns`, only the field names. */
export function suggestMapping(headers: string[], type: RecordType): (string | null)[] {
  return suggestColumns(headers, type).map((column) => column.field)
}

/** Turns what the caller gave (header -> field, or null to ignore) into a mapping; columns that are
 *  not named keep their suggestion. Throws mapping_invalid that lists every fault at once. */
export function parseMapping(
  headers: string[],
  type: RecordType,
  given: Record<string, string | null>
): (string | null)[] {
  const faults: string[] = []
  const named = new Map(Object.entries(given))
  for (const [header, field] of named) {
    if (!headers.includes(header)) faults.push(`the file has no column "${header}"`)
    const fault = field === null ? null : fieldFault(type, header, field)
    if (fault !== null) faults.push(fault)
  }
  const claimed = new Set([...named.values()].filter((field) => field !== null))
  const mapping = suggestMapping(headers, type).map((suggested, index) => {
    const header = headers[index] ?? ''
    const choice = named.get(header)
    if (choice !== undefined) return choice
    return suggested !== null && claimed.has(suggested) ? null : suggested
  })
  faults.push(...mappingFaults(headers, mapping))
  if (faults.length > 0) {
    throw appError('mapping_invalid', { reason: sentence(faults) }, { details: { faults } })
  }
  return mapping
}

/** What makes a mapping unusable: one field fed by two columns. */
function mappingFaults(headers: string[], mapping: (string | null)[]): string[] {
  const faults: string[] = []
  const feeds = new Map<string, number>()
  for (const [index, field] of mapping.entries()) {
    if (field === null) continue
    const first = feeds.get(field)
    if (first === undefined) feeds.set(field, index)
    else {
      const where = `columns ${first + 1} ("${headers[first]}") and ${index + 1} ("${headers[index]}")`
      faults.push(`${where} are both mapped to "${field}"`)
    }
  }
  return faults
}

/** Names of the fields that the import needs and no column feeds. An import that only updates needs
 *  no field but something to find records by; the organization may come from the options, and a
 *  field with a default needs no column. */
/** The field that has to be fed for a rule to look anywhere; [] when the options say where. */
function scopeField(
  type: RecordType,
  { scope }: MatchRule,
  { organization_id }: { organization_id: number | null }
): string[] {
  if (typeof scope === 'object') return [scope.field]
  const inside = scope === 'organization' && organization_id === null
  return inside && type.organization_field !== null ? [type.organization_field] : []
}

export function unmappedRequired(
  mapping: (string | null)[],
  type: RecordType,
  options: Pick<ImportOptions, 'mode' | 'organization_id' | 'require_external_id'>
): string[] {
  const mapped = new Set(mapping)
  const isFed = (names: string[]) => names.every((name) => mapped.has(name))
  if (options.mode === 'update_only') {
    // An id in another system finds the record, whatever else is asked for.
    if (systemsIn(type, mapping).length > 0) return []
    const external = type.match_rules.find((rule) => rule.name === 'external_id')
    if (options.require_external_id && external)
      return [...external.fields, ...scopeField(type, external, options)].filter(
        (name) => !mapped.has(name)
      )
    // A rule inside the organization finds nothing without it.
    const fieldsOf = (rule: MatchRule) => [
      ...rule.fields.filter((name) => !rule.may_be_blank?.includes(name)),
      ...scopeField(type, rule, options)
    ]
    const rules = type.match_rules.filter((rule) => !rule.suggests)
    const canFind = mapped.has(idField) || rules.some((rule) => isFed(fieldsOf(rule)))
    return canFind
      ? []
      : rules
          .slice(0, 1)
          .flatMap(fieldsOf)
          .filter((name) => !mapped.has(name))
  }
  return type.fields
    .filter((field) => field.required && !mapped.has(field.name))
    .filter((field) => field.default === undefined && field.generated === undefined)
    .filter((field) => field.name !== type.organization_field || options.organization_id === null)
    .map((field) => field.name)
}

function sentence(faults: string[]): string {
  const text = faults.join('; ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
