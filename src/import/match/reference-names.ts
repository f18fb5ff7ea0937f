// What an import remembers of the names in its reference fields, and how a cell of such a field is
// to be understood. Pure.
//
// A cell names a record by `id:17` or a bare id, by `external_id:X`, or by its name. A name that is
// looked up inside another record (a model inside its manufacturer) is remembered with that one's id.

import type { Tx } from '../../platform/db.ts'
import { keyText } from '../../record-types/match-keys.ts'
import type { Field, Json, MatchRule, OnMissing, RecordType } from '../../record-types/types.ts'
import { type CellReader, cellReader } from '../resolve/cell-kinds.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { ResolvedRow } from '../resolve/resolve-row.ts'
import type { Candidate } from '../terms.ts'

export interface ReferencePlace {
  tx: Tx
  account_id: number
  plan: ImportPlan
  /** All rows of the file have been seen: what is missing now stays missing. */
  isLast: boolean
}

/** What is known about the names of one reference field. */
export interface ReferenceNames {
  field: Field
  header: string | null
  type: RecordType
  rule: MatchRule
  /** A second rule, asked where the first finds nothing. */
  also: MatchRule | null
  /** The rule that tells of similar names. */
  suggests: MatchRule | null
  on_missing: OnMissing
  /** The reference field inside which names are looked up; null: account-wide. */
  within: string | null
  /** What is known of that field's names; null: it is not filled by rows or defaults. */
  outer: ReferenceNames | null
  /** How the fields of the other type are read. */
  readers: Map<string, CellReader>
  /** Name -> ids it fits; [] when it fits none. */
  ids: Map<string, number[]>
  /** Name -> existing records of similar names, for names that were new when first met. */
  similar: Map<string, Candidate[]>
}

/** A name with the record inside which it is looked up. */
export interface ScopedName {
  /** What it is remembered under. */
  name: string
  text: string
  scope: number | null
}

const mark = '\u001f'

/** Prepares the (empty) memory for the plan's reference fields, in the plan's order. */
export function prepareReferences(plan: ImportPlan): ReferenceNames[] {
  const all: ReferenceNames[] = []
  for (const { field, header, on_missing } of plan.references) {
    const { reference } = field
    if (!reference) throw new Error(`field ${field.name} has no reference`)
    const type = plan.types.require(reference.type)
    const ruleOf = (name: string) => {
      const rule = type.match_rules.find((one) => one.name === name)
      if (!rule) throw new Error(`${type.name} have no match rule ${name}`)
      return rule
    }
    all.push({
      field,
      header,
      type,
      rule: ruleOf(reference.rule),
      also: reference.also === undefined ? null : ruleOf(reference.also),
      suggests: type.match_rules.find((one) => one.suggests) ?? null,
      on_missing,
      within: reference.within ?? null,
      outer: all.find((one) => one.field.name === reference.within) ?? null,
      readers: new Map(type.fields.map((one) => [one.name, cellReader(one, plan.options)])),
      ids: new Map(),
      similar: new Map()
    })
  }
  return all
}

/** Forgets everything about the names. */
export function forgetNames({ ids, similar }: ReferenceNames): void {
  ids.clear()
  similar.clear()
}

const maxNames = 50_000

/** Keeps the memory bounded for imports that name very many different records. Out: whether names
 *  were forgotten. */
export function trimReferences(references: ReferenceNames[]): boolean {
  const full = references.filter(({ ids }) => ids.size > maxNames)
  for (const names of full) forgetNames(names)
  return full.length > 0
}

/** The id of the record inside which the row's names are looked up; null: account-wide, undefined:
 *  the row does not say. `pending`: it is still a name itself. */
export function scopeOf(
  plan: ImportPlan,
  names: ReferenceNames,
  row: ResolvedRow
): number | null | undefined | 'pending' {
  const { within } = names
  if (within === null) return null
  const { organization_id } = plan.options
  if (organization_id !== null && within === plan.type.organization_field) return organization_id
  const value = row.values[within]
  if (typeof value === 'number') return value
  return typeof value === 'string' ? 'pending' : undefined
}

/** As `scopeOf` for the field's default: a row that says nothing gets the default of the outer field
 *  as well. */
export function defaultScopeOf(plan: ImportPlan, names: ReferenceNames, row: ResolvedRow) {
  const scope = scopeOf(plan, names, row)
  if (scope !== undefined || names.outer === null) return scope
  const text = plan.defaults[names.outer.field.name]
  if (typeof text !== 'string') return undefined
  return names.outer.ids.get(text)?.[0] ?? 'pending'
}

/** Whether a row has a fault by its cells, so that they can still be looked at. */
export const isReadable = (row: ResolvedRow) => row.raw.problems === null && !row.isSample

/** What a name is remembered under. */
export function scopedName(names: ReferenceNames, text: string, scope: number | null): string {
  return names.within === null || isExplicit(text) ? text : `${scope}${mark}${text}`
}

/** The texts of a field that are not ids yet. */
export function textsOf(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** Whether a cell names a record by an id and nothing else. */
export function isExplicit(text: string): boolean {
  return text.startsWith('id:')
}

/** How a record is named by the id it has in the system that the data comes from. */
export const externalPrefix = 'external_id:'

/** Whether a text is an id of either kind, and no name that a new record could have. */
export function isId(text: string): boolean {
  return isExplicit(text) || text.startsWith(externalPrefix)
}

/** The id that a cell may mean; null: none. */
export function idOfText(text: string): number | null {
  const digits = text.startsWith('id:') ? text.slice(3).trim() : text
  return /^[1-9][0-9]{0,14}$/.test(digits) ? Number(digits) : null
}

/** The rules by which names of the field are found. */
export function rulesOf({ rule, also }: ReferenceNames): MatchRule[] {
  return also ? [rule, also] : [rule]
}

/** The key that a name has under a rule. */
export function keyOfName(
  names: ReferenceNames,
  rule: MatchRule,
  { text, scope }: ScopedName
): string {
  return keyText(rule, normalName(names, rule, text), scope)
}

/** Why a name cannot be that of a new record: it is not of the field's kind; null: it can. */
export function nameProblem({ readers }: ReferenceNames, rule: MatchRule, text: string) {
  const reader = readers.get(rule.fields[0] ?? '')
  return reader === undefined || reader.read(text) !== undefined ? null : reader.problem(text)
}

/** A name in the form in which the other type stores it: hosts without scheme, MACs with colons. */
export function normalName({ readers }: ReferenceNames, rule: MatchRule, text: string): string {
  if (rule.fields.length > 1) return text
  const value = readers.get(rule.fields[0] ?? '')?.read(text)
  return typeof value === 'string' ? value : text
}
