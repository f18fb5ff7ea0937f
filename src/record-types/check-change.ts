// What a new definition would break: values that records hold already, keys they are found by, and
// references of other types. Pure. Out: sentences with the remedy; none: nothing breaks.

import { whyNotByName } from './create-by-name.ts'
import { scopeType } from './read-references.ts'
import { sameMeaning } from './read-rules.ts'
import type { TypeCatalogue } from './registry.ts'
import type { FieldShape, Narrowed } from './store.ts'
import { type Field, isSensitive, type RecordType, type Reference } from './types.ts'

/** What is not possible while there are records of the type. */
export function breaksRecords(before: RecordType, after: RecordType, past: FieldShape[]): string[] {
  return [
    ...after.fields.flatMap((field) => changedShape(field, before, past)),
    ...(before.organization_field === after.organization_field
      ? []
      : ['whether they belong to an organization cannot change; make a new type']),
    ...after.match_rules
      .filter((rule) => !before.match_rules.some((one) => sameMeaning(one, rule)))
      .map((rule) => {
        const fields = rule.fields.join(', ')
        return `they have no keys for the match rule ${rule.name} (${fields}); rules can only be taken away, or define a new type and import them there`
      })
  ]
}

/** Fields that take less than they did: fine, unless records have just that. What a secret holds
 *  nobody can compare. */
export function narrowedFields(before: RecordType, after: RecordType): Narrowed[] {
  return after.fields.flatMap((field) => {
    const was = before.fields.find((one) => one.name === field.name)
    if (!was || isSensitive(field) || isSensitive(was)) return []
    const { options, max_length } = field
    const lost = was.options?.some((one) => !options?.includes(one))
    const isShorter = max_length !== undefined && max_length < (was.max_length ?? Infinity)
    if (!lost && !isShorter) return []
    return [
      {
        field: field.name,
        options: lost ? (options ?? []) : null,
        max_length: isShorter ? max_length : null
      }
    ]
  })
}

const shapeOf = ({ name, kind, many, reference }: Field): FieldShape => ({
  name,
  kind,
  many: many !== null,
  target: reference?.type ?? null
})

const shapeText = ({ kind, many, target }: FieldShape) =>
  `${kind}${target === null ? '' : ` to ${target}`}${many ? ' with several values' : ''}`

/** A field that the type has keeps its shape. A new one must not take the name of one that records
 *  may still hold values of in another shape. */
function changedShape(field: Field, before: RecordType, past: FieldShape[]): string[] {
  const wanted = shapeText(shapeOf(field))
  const now = before.fields.find((one) => one.name === field.name)
  const shapes = now ? [shapeOf(now)] : past.filter((one) => one.name === field.name)
  const other = shapes.map(shapeText).find((text) => text !== wanted)
  if (other === undefined) return []
  return [
    `the field ${field.name} ${now ? 'is' : 'was'} ${other} and cannot become ${wanted}; add a field with a new name`
  ]
}

/** References of other types that would find or make nothing any more. `after` null: the type goes
 *  away. */
export function breaksReferences(
  name: string,
  after: RecordType | null,
  types: TypeCatalogue
): string[] {
  return types.list.flatMap((type) => {
    if (type.name === name) return []
    return type.fields.flatMap(({ name: field, reference }) => {
      if (reference?.type !== name) return []
      if (!after) return [`the field ${field} of ${type.name} refers to it`]
      const names = [reference.rule, ...(reference.also ? [reference.also] : [])]
      const before = types.get(name)
      return names
        .filter((rule) => {
          const was = before?.match_rules.find((one) => one.name === rule)
          const is = after.match_rules.find((one) => one.name === rule)
          if (!is) return true
          if (!was || !before) return false
          return !sameMeaning(was, is) || scopeType(before, was) !== scopeType(after, is)
        })
        .map((rule) => `the field ${field} of ${type.name} finds it by the match rule ${rule}`)
        .concat(
          cannotMake(reference, before, after).map(
            (why) => `the field ${field} of ${type.name} makes them: ${why}`
          )
        )
    })
  })
}

/** Why a reference that makes records by their name cannot any more; none: it can, or never could. */
function cannotMake(
  { on_missing, also, rule }: Reference,
  before: RecordType | undefined,
  after: RecordType
): string[] {
  const whyNot = (type: RecordType | undefined) => {
    const naming = type?.match_rules.find((one) => one.name === (also ?? rule))
    return type && naming ? whyNotByName(type, naming) : null
  }
  const why = on_missing === 'create' ? whyNot(after) : null
  return why === null || whyNot(before) !== null ? [] : [why]
}
