// What an account adds to a built-in type, as sent -> a TypeExtension. Pure. Called by
// change-types.ts. Refused at once when it makes no sense: type_invalid with all faults.

import { checkDistinct, cut } from './check-names.ts'
import { extendType, type TypeExtension } from './compile-types.ts'
import { maxFields, readInOrder } from './define-type.ts'
import type { OverrideDefinition, TypeReplacement } from './definition.ts'
import { collectFaults, type Faults, refuseFaults } from './faults.ts'
import { readField } from './read-field.ts'
import { completeReferences } from './read-references.ts'
import { type ReadCell, readDefault, readOptions } from './read-values.ts'
import { catalogueOf, type TypeCatalogue } from './registry.ts'
import { type Field, isSensitive, type RecordType } from './types.ts'

/** Reads an extension of `type`, which is the type as it comes. Throws type_invalid. */
export function defineExtension(
  given: TypeReplacement,
  { type, types, readCell }: { type: RecordType; types: TypeCatalogue; readCell: ReadCell }
): TypeExtension {
  const faults = collectFaults()
  const placed = readInOrder(given.fields ?? [], (one, path) =>
    readField(one, { path, faults, readCell, custom: true })
  )
  const count = type.fields.length + placed.length
  if (count > maxFields) {
    faults.add('body/fields', `would be ${count} with the built-in ones; the limit is ${maxFields}`)
  }
  checkDistinct([...type.fields.map((field) => ({ field, path: null })), ...placed], faults)
  const overrides = readOverrides(given.overrides ?? {}, type, readCell, faults)
  const extension = {
    fields: placed.map((one) => one.field),
    overrides,
    limits: given.limits ?? {}
  }
  const { fields, organization_field } = type
  const extended = extendType(type, extension, 0)
  const all = catalogueOf(types.list.map((one) => (one.name === type.name ? extended : one)))
  completeReferences(placed, {
    fields: [...fields, ...extension.fields],
    organization_field,
    types: all,
    faults
  })
  refuseFaults(faults)
  return extension
}

function readOverrides(
  given: Record<string, OverrideDefinition>,
  type: RecordType,
  readCell: ReadCell,
  faults: Faults
): TypeExtension['overrides'] {
  const entries = Object.entries(given).map(([name, one]) => {
    const path = `body/overrides/${name}`
    const field = type.fields.find((known) => known.name === name)
    if (field) return [name, readOverride(one, field, { path, faults, readCell })] as const
    faults.add(path, `${type.name} have no field "${cut(name)}"`)
    return [name, {}] as const
  })
  return Object.fromEntries(entries)
}

function readOverride(
  given: OverrideDefinition,
  field: Field,
  place: { path: string; faults: Faults; readCell: ReadCell }
): TypeExtension['overrides'][string] {
  const { path, faults } = place
  if (given.required === false && field.required) {
    faults.add(`${path}/required`, `${field.name} is always required`)
  }
  const chosen = given.options ? readOptions(given.options, field, place) : {}
  const options = chosen.options ?? field.options
  if (isSensitive(field) && (given.default ?? null) !== null) {
    faults.add(`${path}/default`, 'a secret has no default')
  }
  const standard = Array.isArray(field.default) ? field.default : [field.default ?? null]
  const lost = standard.find((one) => one !== null && !options?.includes(String(one)))
  if (chosen.options && given.default === undefined && lost !== undefined) {
    faults.add(`${path}/options`, `lack the default "${lost}"; give another default, or null`)
  }
  const value = readDefault(given.default, { ...field, ...(options && { options }) }, place)
  return {
    ...chosen,
    ...(given.required && { required: true }),
    ...(value !== undefined && { default: value }),
    ...(given.default === null && { default: null })
  }
}
