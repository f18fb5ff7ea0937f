// What a profile knows of the fields of its record type, and what has changed since. Pure.

import type { Field, RecordType } from '../../record-types/types.ts'

/** What mattered of a field when the profile was saved. */
export interface FieldFacts {
  name: string
  kind: string
  required: boolean
  many: boolean
  /** The type that a reference is to; null: it is none. */
  type: string | null
}

/** One difference between the type then and now. */
export interface ProfileChange {
  /** Null: the whole record type is meant. */
  field: string | null
  change: string
}

/** The facts of all fields of a type. */
export function factsOf({ fields }: RecordType): FieldFacts[] {
  return fields.map((field) => ({
    name: field.name,
    kind: field.kind,
    required: isNeeded(field),
    many: field.many !== null,
    type: field.reference?.type ?? null
  }))
}

/** What makes `used` fields mean something else than they did. */
export function changesOf(
  facts: FieldFacts[],
  type: RecordType,
  used: Iterable<string>
): ProfileChange[] {
  const now = new Map(factsOf(type).map((fact) => [fact.name, fact]))
  const before = new Map(facts.map((fact) => [fact.name, fact]))
  return [...new Set(used)].flatMap((field) => {
    const was = before.get(field)
    const is = now.get(field)
    // The id of the record itself is no field, and never changes.
    if (!was) return []
    if (!is) return [{ field, change: 'there is no such field any more' }]
    const changes = [
      ...(was.kind === is.kind ? [] : [`it was of kind ${was.kind} and is ${is.kind}`]),
      ...(was.many === is.many ? [] : [is.many ? 'it is a list now' : 'it is no list any more']),
      ...(was.type === is.type || was.kind !== is.kind
        ? []
        : [`it referred to ${was.type} and refers to ${is.type}`])
    ]
    return changes.map((change) => ({ field, change }))
  })
}

/** Fields that a new record needs now and did not then. */
export function newlyRequired(facts: FieldFacts[], type: RecordType): string[] {
  const needed = new Set(facts.filter((fact) => fact.required).map((fact) => fact.name))
  return type.fields
    .filter((field) => isNeeded(field) && !needed.has(field.name))
    .map((f) => f.name)
}

const isNeeded = (field: Field) =>
  field.required && field.default === undefined && field.generated === undefined
