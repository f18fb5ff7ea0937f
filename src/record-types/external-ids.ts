// Ids that records have in other systems, as columns of a file: `external_ids.connectwise`. Pure.
// They are links of the record (record_links) and no values of it. While an import runs, its record
// type has a field and an identity for each system that the mapping names, so that rows are matched,
// compared and decided by it as by any other; where records are written, both are left out again.
// Called by the mapping, the plan and the links.

import { catalogueOf, type TypeCatalogue } from './registry.ts'
import type { Field, MatchRule, RecordType } from './types.ts'

/** What the names of such columns begin with. */
export const externalIdPrefix = 'external_ids.'

/** What another system may be called. */
export const systemPattern = '^[a-z][a-z0-9_-]{0,39}$'

/** Most characters of an id in another system. */
export const maxExternalIdChars = 255

const wellFormed = new RegExp(systemPattern)

/** The name of the field that holds the id in a system. */
export const externalIdField = (system: string) => externalIdPrefix + system

/** The system that a name means (`external_ids.connectwise`); null: none, or not well-formed. */
export function systemOf(name: string): string | null {
  if (!name.startsWith(externalIdPrefix)) return null
  const system = name.slice(externalIdPrefix.length)
  return wellFormed.test(system) ? system : null
}

/** The systems that a mapping names, in the order of its columns. A field of the type that has such a
 *  name is a field. */
export function systemsIn({ fields }: RecordType, mapping: (string | null)[]): string[] {
  const systems = mapping.flatMap((name) => {
    const system = name === null ? null : systemOf(name)
    return system === null || fields.some((field) => field.name === name) ? [] : [system]
  })
  return [...new Set(systems)]
}

/** The type with a field and an identity for each system; the identities come first. */
export function withSystems(type: RecordType, systems: string[]): RecordType {
  if (systems.length === 0) return type
  return {
    ...type,
    fields: [...type.fields, ...systems.map(fieldOf)],
    match_rules: [...systems.map(ruleOf), ...type.match_rules]
  }
}

/** The catalogue with a type in the place of the one of that name. */
export function withType(types: TypeCatalogue, type: RecordType): TypeCatalogue {
  if (types.get(type.name) === type) return types
  return catalogueOf(types.list.map((one) => (one.name === type.name ? type : one)))
}

function fieldOf(system: string): Field {
  return {
    name: externalIdField(system),
    label: externalIdField(system),
    aliases: [],
    kind: 'text',
    description: `Id of the record in ${system}.`,
    required: false,
    many: null,
    max_length: maxExternalIdChars,
    // A blank cell or the clear marker takes no link away, and another id does not move it.
    immutable: true,
    sample: '',
    system
  }
}

// Numbers below zero are in no table: such keys are looked up among the links.
function ruleOf(system: string, index: number): MatchRule {
  const name = externalIdField(system)
  const code = -1 - index
  return { name, code, fields: [name], folding: 'exact', identity: true, scope: 'account', system }
}
