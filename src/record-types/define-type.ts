// A definition as sent -> a record type of an account. Pure. Called by change-types.ts.
// Whatever makes no sense about it is refused at once: type_invalid with all faults.

import {
  checkDistinct,
  checkHeader,
  checkName,
  foldHeader,
  type PlacedField
} from './check-names.ts'
import { field, referenceField } from './define-field.ts'
import type { FieldDefinition, TypeDefinition } from './definition.ts'
import { collectFaults, type Faults, refuseFaults } from './faults.ts'
import { readField, readText } from './read-field.ts'
import { completeReferences } from './read-references.ts'
import { numberRules, readRules } from './read-rules.ts'
import type { ReadCell } from './read-values.ts'
import { catalogueOf, type TypeCatalogue } from './registry.ts'
import type { Field, MatchRule, RecordType } from './types.ts'

/** Fields of a type, those added by themselves included. */
export const maxFields = 500

/** What a definition is read against. */
export interface DefinitionContext {
  /** All types of the account as they are; the one that is replaced may be among them. */
  types: TypeCatalogue
  readCell: ReadCell
  /** Number of the type. */
  type_id: number
  version: number
  /** The rules that the type has so far. */
  rules: MatchRule[]
  /** Highest number that any rule of the type ever had. */
  lastCode: number
}

/** Reads a definition. Throws type_invalid (`details.faults`: all of them). */
export function defineType(given: TypeDefinition, context: DefinitionContext): RecordType {
  const faults = collectFaults()
  checkName(given.name, 'body/name', faults, { min: 2 })
  checkHeader(given.label, 'body/label', faults)
  const description = readText(given.description, 'body/description', faults) ?? ''
  const placed = readFields(given, context, faults)
  const fields = placed.map((one) => one.field)
  if (fields.length > maxFields) {
    faults.add('body/fields', `are ${fields.length} with those added; the limit is ${maxFields}`)
  }
  const organization_field = given.organization === 'none' ? null : 'organization'
  const source = {
    fields,
    title_fields: readTitle(given.fields, fields, faults),
    organization_field
  }
  const rules = readRules(given.match_rules, source, faults)
  const { type_id, version, types } = context
  const type: RecordType = {
    name: given.name,
    type_id,
    version,
    label: given.label,
    description,
    ...source,
    match_rules: numberRules(rules, context.rules, context.lastCode),
    match_policy: given.match_policy ?? 'first_tier',
    blank: given.blank ?? 'keep',
    limits: given.limits ?? {}
  }
  const others = types.list.filter((one) => one.name !== type.name)
  const all = catalogueOf([...others, type])
  completeReferences(placed, { fields, organization_field, types: all, faults })
  refuseFaults(faults)
  return type
}

/** The fields in their order, those that every type has first. */
function readFields(given: TypeDefinition, { readCell }: DefinitionContext, faults: Faults) {
  const own = readInOrder(given.fields, (one, path) =>
    readField(one, { path, faults, readCell, custom: false })
  )
  const added = addedFields(given).filter(({ name }) => {
    const clash = own.find((one) => one.field.name === name)
    if (clash && name === 'organization') {
      const message = 'is added by itself; say organization: none to define your own'
      faults.add(`${clash.path}/name`, message)
    }
    return !clash
  })
  const external = own.find((one) => one.field.name === 'external_id')
  if (external && (external.field.kind !== 'text' || external.field.many)) {
    faults.add(`${external.path}/kind`, 'the external_id must be a text with one value')
  }
  const taken = new Set(
    own.flatMap((one) => [one.field.name, one.field.label, ...one.field.aliases].map(foldHeader))
  )
  const placed: PlacedField[] = [
    ...added.map((one) => ({
      field: { ...one, aliases: one.aliases.filter((alias) => !taken.has(foldHeader(alias))) },
      path: null
    })),
    ...own
  ]
  checkDistinct(placed, faults)
  return placed
}

/** Reads definitions in the order of their positions; those without follow as given. */
export function readInOrder(
  given: FieldDefinition[],
  read: (one: FieldDefinition, path: string) => Field
): PlacedField[] {
  return given
    .map((one, i) => ({ position: one.position ?? Number.MAX_SAFE_INTEGER, one, i }))
    .sort((a, b) => a.position - b.position || a.i - b.i)
    .map(({ one, i }) => ({ field: read(one, `body/fields/${i}`), path: `body/fields/${i}` }))
}

function addedFields({ organization = 'required' }: TypeDefinition): Field[] {
  const external = field(
    'external_id',
    'External ID',
    'text',
    'The id in the system the data comes from.',
    { aliases: ['External Identifier', 'Source ID', 'ID', 'Record ID'], max_length: 255 }
  )
  if (organization === 'none') return [external]
  const place = referenceField(
    'organization',
    'Organization',
    'The organization it belongs to, by name or id; a new one is created.',
    { type: 'organizations', rule: 'name', on_missing: 'create' },
    {
      aliases: ['Organization Name', 'Company', 'Company Name', 'Account'],
      required: organization === 'required'
    }
  )
  return [external, place]
}

/** Names of the title's fields in their order: those marked, else the field `name`. */
function readTitle(given: FieldDefinition[], fields: Field[], faults: Faults): string[] {
  const marked = new Set(given.filter((one) => one.use_for_title).map((one) => one.name))
  if (marked.size > 0) return fields.flatMap(({ name }) => (marked.has(name) ? [name] : []))
  const name = fields.find((one) => one.name === 'name' && one.kind === 'text' && !one.many)
  if (!name) faults.add('body/fields', 'give the records no title: mark one with use_for_title')
  return name ? ['name'] : []
}
