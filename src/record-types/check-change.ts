// What a new definition would break: values that records hold already, keys they are found by, and
// references of other types. Pure. Out: sentences with the remedy; none: nothing breaks.

import { sameMeaning } from './read-rules.ts'
import type { TypeCatalogue } from './registry.ts'
import type { FieldShape } from './store.ts'
import type { Field, RecordType } from './types.ts'

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

/** References of other types that would find nothing any more. `after` null: the type goes away. */
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
          return !is || (was && !sameMeaning(was, is))
        })
        .map((rule) => `the field ${field} of ${type.name} finds it by the match rule ${rule}`)
    })
  })
}
