// References of a definition: the type and the rule they name, and where the name is looked up.
// Pure. Called once the fields and rules of the type are known, for it may refer to itself.

import { cut, type PlacedField } from './check-names.ts'
import { whyNotByName } from './create-by-name.ts'
import type { Faults } from './faults.ts'
import { shownNames, type TypeCatalogue } from './registry.ts'
import type { Field, MatchRule, RecordType, Reference } from './types.ts'

/** The type that is defined, and all types as they will be with it. */
export interface ReferencePlace {
  fields: Field[]
  organization_field: string | null
  types: TypeCatalogue
  faults: Faults
}

/** Completes the references of the fields that have a path, in place. */
export function completeReferences(fields: PlacedField[], place: ReferencePlace): void {
  for (const { field, path } of fields) {
    if (!path || field.kind !== 'reference' || !field.reference) continue
    field.reference = completeReference(field.reference, `${path}/reference`, place)
  }
}

function completeReference(given: Reference, path: string, place: ReferencePlace): Reference {
  const { types, faults } = place
  const target = types.get(given.type)
  if (!target) {
    faults.add(
      `${path}/type`,
      `there is no record type "${cut(given.type)}"; known: ${shownNames(types)}`
    )
    return given
  }
  const rule = given.rule
    ? target.match_rules.find((one) => one.name === given.rule)
    : nameRule(target)
  if (!rule) {
    const known = target.match_rules.map((one) => one.name).join(', ')
    const message = given.rule
      ? `${target.name} have no match rule "${cut(given.rule)}"; they have ${known}`
      : `is needed: ${target.name} have ${known}`
    faults.add(`${path}/rule`, message)
    return given
  }
  checkReadable(target, rule, `${path}/rule`, faults)
  checkAlso(given, { target, rule, path }, faults)
  const reference: Reference = { ...given, rule: rule.name }
  const within = readWithin(reference, { target, rule, path }, place)
  if (within !== undefined) reference.within = within
  const naming = target.match_rules.find((one) => one.name === reference.also) ?? rule
  const why = reference.on_missing === 'create' ? whyNotByName(target, naming) : null
  if (why !== null) faults.add(`${path}/on_missing`, why)
  return reference
}

/** The rule that a name is looked up by when none is said: `name`, the title, or any of one field. */
function nameRule({ match_rules, title_fields }: RecordType): MatchRule | undefined {
  const rules = match_rules.filter((rule) => !rule.suggests)
  const title = [...title_fields].sort().join()
  const single = rules.filter((rule) => rule.fields.length === 1)
  return (
    single.find((rule) => rule.name === 'name') ??
    rules.find((rule) => [...rule.fields].sort().join() === title) ??
    single.find((rule) => rule.name !== 'external_id') ??
    single[0]
  )
}

/** Of several fields each but the first is one word of the cell: that is for texts only. */
function checkReadable(target: RecordType, rule: MatchRule, path: string, faults: Faults): void {
  if (rule.fields.length === 1) return
  const kinds = rule.fields.map((name) => target.fields.find((one) => one.name === name)?.kind)
  if (kinds.every((kind) => kind === 'text')) return
  const names = rule.fields.join(', ')
  faults.add(path, `${rule.name} compares ${names}, which one text cannot hold`)
}

function checkAlso(
  { also }: Reference,
  { target, rule, path }: { target: RecordType; rule: MatchRule; path: string },
  faults: Faults
): void {
  if (also === undefined) return
  const found = target.match_rules.find((one) => one.name === also)
  if (!found || found === rule) {
    const known = target.match_rules.map((one) => one.name).join(', ')
    const message = `${target.name} have no other match rule "${cut(also)}"; they have ${known}`
    faults.add(`${path}/also`, message)
  } else if (JSON.stringify(found.scope) !== JSON.stringify(rule.scope)) {
    faults.add(`${path}/also`, `${also} looks in another place than ${rule.name}`)
  } else checkReadable(target, found, `${path}/also`, faults)
}

/** The type whose records a rule looks inside of; null: the whole account. */
export function scopeType({ fields, organization_field }: RecordType, { scope }: MatchRule) {
  if (scope === 'account') return null
  const name = scope === 'organization' ? organization_field : scope.field
  return fields.find((field) => field.name === name)?.reference?.type ?? null
}

function readWithin(
  reference: Reference,
  { target, rule, path }: { target: RecordType; rule: MatchRule; path: string },
  { fields, organization_field, faults }: ReferencePlace
): string | undefined {
  const wanted = scopeType(target, rule)
  const refuse = (message: string) => void faults.add(`${path}/within`, message)
  if (wanted === null) {
    if (reference.within === undefined) return undefined
    return refuse(`${target.name} are found by ${rule.name} in the whole account; leave it out`)
  }
  const name = reference.within ?? organization_field
  const field = fields.find((one) => one.name === name)
  if (field?.reference?.type === wanted && !field.many) return field.name
  const hint = 'name a reference field with one value that says which'
  const needed = `${target.name} are found by ${rule.name} inside one of ${wanted}: ${hint}`
  if (reference.within === undefined) return refuse(needed)
  const own = organization_field === null ? '; this type has no organization' : ''
  return refuse(`"${cut(reference.within)}" is no such field${own}. ${needed}`)
}
