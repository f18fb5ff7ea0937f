// header -> mapping: which column feeds which field. Pure.
// In: the header cells of a file and a record type. Out: one field name or null per column.
// Called by accept/ (suggest, check) and by routes that change a draft's mapping.

import { appError } from '../../errors.ts'
import { type Field, idField, type RecordType } from '../../record-types/types.ts'

/** How a suggested column was recognised. */
export type MappedBy = 'label' | 'key' | 'alias' | 'folded'

export interface SuggestedColumn {
  field: string | null
  mapped_by: MappedBy | null
}

/** Columns that our own rejects.csv adds; they are ignored on the way in. */
export const problemColumnPrefix = 'muster_'

type Names = (field: Field) => string[]

const fold = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_.\-/#:*()]+/g, '')

// From the surest way of recognising a header to the loosest.
const ways: { by: MappedBy; names: Names; same: (text: string) => string }[] = [
  { by: 'label', names: (field) => [field.label], same: (text) => text },
  { by: 'key', names: (field) => [field.name], same: (text) => text },
  { by: 'alias', names: (field) => field.aliases, same: (text) => text },
  { by: 'folded', names: (field) => [field.label, field.name, ...field.aliases], same: fold }
]

/** Suggests a field for each column: exact label, key, alias, then the same without regard to case,
 *  spacing and punctuation. The surest way wins; each field is given once, to the first column. */
export function suggestColumns(headers: string[], type: RecordType): SuggestedColumn[] {
  const columns: SuggestedColumn[] = headers.map(() => ({ field: null, mapped_by: null }))
  const taken = new Set<string>()
  const fields = [idPseudoField, ...type.fields]
  for (const { by, names, same } of ways) {
    for (const field of fields) {
      if (taken.has(field.name)) continue
      const wanted = new Set(names(field).map(same))
      const index = headers.findIndex(
        (header, i) => columns[i]?.field === null && wanted.has(same(header)) && header !== ''
      )
      if (index < 0) continue
      columns[index] = { field: field.name, mapped_by: by }
      taken.add(field.name)
    }
  }
  return columns
}

/** As `suggestColumns`, only the field names. */
export function suggestMapping(headers: string[], type: RecordType): (string | null)[] {
  return suggestColumns(headers, type).map((column) => column.field)
}

const idPseudoField: Field = {
  name: idField,
  label: 'ID',
  aliases: ['Id'],
  kind: 'integer',
  description: 'The id of an existing record, as exported; blank for a new one.',
  required: false,
  many: null
}

/** Turns what the caller gave (header -> field, or null to ignore) into a mapping; columns that are
 *  not named keep their suggestion. Throws mapping_invalid that lists every fault at once. */
export function parseMapping(
  headers: string[],
  type: RecordType,
  given: Record<string, string | null>
): (string | null)[] {
  const faults: string[] = []
  const fields = new Set([idField, ...type.fields.map((field) => field.name)])
  const named = new Map(Object.entries(given))
  for (const [header, field] of named) {
    if (!headers.includes(header)) faults.push(`the file has no column "${header}"`)
    if (field !== null && !fields.has(field)) {
      faults.push(`${type.name} have no field "${field}" (column "${header}")`)
    }
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

/** Labels of the fields that the import needs and no column feeds. An import that only updates
 *  needs no field but something to find records by; the organization may come from the options. */
export function unmappedRequired(
  mapping: (string | null)[],
  type: RecordType,
  options: { mode: string; organization_id: number | null }
): string[] {
  const mapped = new Set(mapping)
  if (options.mode === 'update_only') {
    const ways = type.match_rules.map((rule) => rule.fields)
    const canFind = mapped.has(idField) || ways.some((names) => names.every((n) => mapped.has(n)))
    return canFind ? [] : type.match_rules.slice(0, 1).flatMap((rule) => rule.fields)
  }
  return type.fields
    .filter((field) => field.required && !mapped.has(field.name))
    .filter((field) => field.name !== type.organization_field || options.organization_id === null)
    .map((field) => field.name)
}

function sentence(faults: string[]): string {
  const text = faults.join('; ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
