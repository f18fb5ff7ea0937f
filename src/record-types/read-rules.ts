// The match rules of a type of an account: those given, and those that follow from its fields. Pure.

import { checkName, cut } from './check-names.ts'
import type { RuleDefinition } from './definition.ts'
import type { Faults } from './faults.ts'
import { type Field, idField, isSensitive, type MatchRule } from './types.ts'

/** A rule without its number. */
export type RuleMeaning = Omit<MatchRule, 'code'>

/** What rules are made from. */
export interface RuleSource {
  fields: Field[]
  title_fields: string[]
  organization_field: string | null
}

// Values that nobody writes in another case and means another thing.
const caseless = ['email', 'host', 'mac', 'ip']

/** The rules of a type, in their order. Given ones are checked; the external id and unique fields
 *  always have one. Without given ones the title fields together are the last. */
export function readRules(
  given: RuleDefinition[] | undefined,
  source: RuleSource,
  faults: Faults
): RuleMeaning[] {
  const rules = (given ?? []).map((rule, i) =>
    readRule(rule, source, `body/match_rules/${i}`, faults)
  )
  const names = new Set<string>()
  for (const [i, { name }] of rules.entries()) {
    if (names.has(name)) faults.add(`body/match_rules/${i}/name`, `"${cut(name)}" is there twice`)
    names.add(name)
  }
  const always = [externalIdRule(source), ...source.fields.filter((f) => f.unique).map(uniqueRule)]
  const added = always.filter(
    (rule, i) => !names.has(rule.name) && always.findIndex((one) => one.name === rule.name) === i
  )
  // A rule of that name which means something else would take away what the field promises.
  for (const rule of always) {
    const i = rules.findIndex((one) => one.name === rule.name)
    const found = rules[i]
    if (found && !(found.identity && found.fields.join() === rule.fields.join())) {
      const message = `must be an identity of the field ${rule.fields.join()} alone`
      faults.add(`body/match_rules/${i}`, message)
    }
  }
  const title = given === undefined ? titleRule(source) : null
  return [...added, ...rules, ...(title ? [title] : [])]
}

const placeOf = (organization_field: string | null) =>
  organization_field === null ? 'account' : 'organization'

function externalIdRule({ organization_field }: RuleSource): RuleMeaning {
  return {
    name: 'external_id',
    fields: ['external_id'],
    folding: 'folded',
    identity: true,
    scope: placeOf(organization_field)
  }
}

function uniqueRule({ name, kind }: Field): RuleMeaning {
  const folding = caseless.includes(kind) ? 'folded' : 'exact'
  return { name, fields: [name], folding, identity: true, scope: 'account' }
}

/** The title fields together, inside the organization; null: a unique field says it better. A field
 *  that may be empty may be so in the key, or the same file again would make new records. */
function titleRule({ fields, title_fields, organization_field }: RuleSource): RuleMeaning | null {
  const titles = fields.filter((field) => title_fields.includes(field.name))
  if (titles.length === 0 || (titles.length === 1 && titles[0]?.unique)) return null
  const [first, ...others] = titles.sort((a, b) => Number(b.required) - Number(a.required))
  const blank = others.filter((field) => !field.required).map((field) => field.name)
  return {
    name: fields.some((field) => field.unique && field.name === 'title') ? 'whole_title' : 'title',
    fields: [first, ...others].flatMap((field) => field?.name ?? []),
    ...(blank.length > 0 && { may_be_blank: blank }),
    folding: 'exact',
    identity: false,
    scope: placeOf(organization_field)
  }
}

function readRule(
  given: RuleDefinition,
  source: RuleSource,
  path: string,
  faults: Faults
): RuleMeaning {
  checkName(given.name, `${path}/name`, faults)
  if (given.name === idField)
    faults.add(`${path}/name`, 'is what being found by our own id is called')
  for (const [i, name] of given.fields.entries()) {
    const at = `${path}/fields/${i}`
    const field = source.fields.find((one) => one.name === name)
    if (!field) faults.add(at, `there is no field "${cut(name)}"`)
    else if (isSensitive(field)) faults.add(at, `${name} is a secret and finds nothing`)
    else if (['json', 'textbox'].includes(field.kind)) {
      faults.add(at, `a ${field.kind} cannot be compared`)
    }
    if (given.fields.indexOf(name) !== i) faults.add(at, `${cut(name)} is there twice`)
  }
  const blank = given.may_be_blank ?? []
  for (const [i, name] of blank.entries()) {
    if (given.fields.slice(1).includes(name)) continue
    faults.add(`${path}/may_be_blank/${i}`, 'is not among the fields after the first')
  }
  return {
    name: given.name,
    fields: given.fields,
    ...(blank.length > 0 && { may_be_blank: blank }),
    folding: given.folding ?? 'exact',
    identity: given.identity ?? false,
    scope: readScope(given, source, `${path}/scope`, faults)
  }
}

function readScope(
  { scope, fields }: RuleDefinition,
  source: RuleSource,
  path: string,
  faults: Faults
): MatchRule['scope'] {
  const { organization_field } = source
  if (scope === undefined) return placeOf(organization_field)
  if (scope === 'account') return scope
  if (scope === 'organization' && organization_field !== null) return scope
  const field = source.fields.find((one) => one.name === scope)
  if (field?.kind !== 'reference' || field.many) {
    const message =
      scope === 'organization'
        ? 'records of this type belong to no organization'
        : 'must be account, organization, or a reference field with one value'
    faults.add(path, message)
  } else if (fields.includes(scope)) faults.add(path, `${scope} is among the fields already`)
  return { field: scope }
}

/** Whether two rules find the same records, so that they may share their keys. */
export function sameMeaning(a: RuleMeaning, b: RuleMeaning): boolean {
  const meaning = ({ fields, may_be_blank = [], folding, scope }: RuleMeaning) =>
    JSON.stringify([fields, may_be_blank, folding, scope])
  return meaning(a) === meaning(b)
}

/** Numbers the rules: one keeps its number while its meaning stays; any other gets one that was
 *  never used before (above `lastCode`), so that old keys are never taken for new ones. */
export function numberRules(
  rules: RuleMeaning[],
  before: MatchRule[],
  lastCode: number
): MatchRule[] {
  const free = [...before]
  let next = lastCode
  return rules.map((rule) => {
    const same = free.findIndex((one) => sameMeaning(one, rule))
    const [found] = same < 0 ? [] : free.splice(same, 1)
    return { ...rule, code: found ? found.code : ++next }
  })
}
