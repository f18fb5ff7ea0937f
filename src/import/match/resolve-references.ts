// References by name or id -> record ids, for a whole batch.
// In: rows whose reference fields hold the text of the cell. Out: the same rows holding ids, with a
// problem where a name is unknown or fits several records; and the records to be created because a
// row names them. One probe per reference field, rule and batch; found names are remembered.
//
// Fields are taken in the plan's order: what others are looked up inside comes first.

import { rowProblem } from '../../errors.ts'
import { keysOf } from '../../record-types/match-keys.ts'
import type { Json, RecordData } from '../../record-types/types.ts'
import { mixNumber } from '../resolve/hash-cells.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import { type ResolvedRow, reject, warn } from '../resolve/resolve-row.ts'
import {
  createMissing,
  findSimilar,
  isTooLong,
  type NewReference,
  nameLimit,
  namingRule
} from './create-references.ts'
import { findNames } from './find-names.ts'
import {
  defaultScopeOf,
  isId,
  isReadable,
  keyOfName,
  nameProblem,
  type ReferenceNames,
  type ReferencePlace,
  rulesOf,
  type ScopedName,
  scopedName,
  scopeOf,
  textsOf
} from './reference-names.ts'

/** Per reference field, the names in `rows` (and the plan's default) that are not known yet. */
export type UnknownNames = Map<ReferenceNames, ScopedName[]>

/** Collects the names that have to be looked up; a name inside one that is itself unknown counts. */
export function findUnknownNames(
  references: ReferenceNames[],
  plan: ImportPlan,
  rows: ResolvedRow[]
): UnknownNames {
  return new Map(references.map((names) => [names, unknownOf(names, plan, rows)]))
}

/** The text that names the default of a reference field; null: it has none. */
function defaultText({ field }: ReferenceNames, plan: ImportPlan): string | null {
  const text = plan.defaults[field.name]
  return typeof text === 'string' ? text : null
}

/** Whether no name of the field has to be looked up. */
export function allKnown(names: ReferenceNames, plan: ImportPlan, rows: ResolvedRow[]): boolean {
  return unknownOf(names, plan, rows).length === 0
}

function unknownOf(names: ReferenceNames, plan: ImportPlan, rows: ResolvedRow[]): ScopedName[] {
  const found = new Map<string, ScopedName>()
  const add = (text: string, scope: number | null) => {
    const name = scopedName(names, text, scope)
    if (!names.ids.has(name) && !found.has(name)) found.set(name, { name, text, scope })
  }
  const fallback = defaultText(names, plan)
  if (fallback !== null && names.within === null) add(fallback, null)
  for (const row of rows) {
    // All faults of a row are told at once: one that is rejected has its names looked up as well.
    if (!isReadable(row)) continue
    const value = row.values[names.field.name]
    if (typeof value === 'string' || Array.isArray(value)) {
      const scope = scopeOf(plan, names, row)
      for (const text of textsOf(value)) add(text, typeof scope === 'number' ? scope : null)
    } else if (fallback !== null && names.within !== null) {
      const scope = defaultScopeOf(plan, names, row)
      if (scope !== undefined) add(fallback, scope === 'pending' ? null : scope)
    }
  }
  return [...found.values()]
}

/** The types that must be locked before `resolveReferences`: those where a record may have to be
 *  created, because a row names something not yet known. */
export function typesToCreateIn(plan: ImportPlan, unknown: UnknownNames): number[] {
  return [...unknown].flatMap(([names, found]) => {
    const creates = found.some(({ text }) => mayCreate(plan, names, text, true))
    return creates ? [names.type.type_id] : []
  })
}

/** Whether a record is made for a name that fits none. A default is made whatever the policy: nobody
 *  has to know that it is needed. For a name of the file's own type a row may still come. */
function mayCreate(
  plan: ImportPlan,
  names: ReferenceNames,
  text: string,
  isLast: boolean
): boolean {
  if (isId(text) || (names.type === plan.type && !isLast)) return false
  return names.on_missing === 'create' || plan.defaults[names.field.name] === text
}

/** Replaces names by ids in `rows` (changed in place). Out: the records to create. */
export async function resolveReferences(
  place: ReferencePlace,
  references: ReferenceNames[],
  rows: ResolvedRow[]
): Promise<Map<number, NewReference>> {
  const { plan } = place
  const created = new Map<number, NewReference>()
  for (const names of references) {
    const unknown = unknownOf(names, plan, rows)
    if (unknown.length > 0) {
      await findNames(place, names, unknown)
      await noteSimilar(place, names, unknown)
      const own = namesOfThemselves(plan, names, rows)
      const wanted = unknown.filter(
        ({ name, text }) => mayCreate(plan, names, text, place.isLast) && !own.has(name)
      )
      await createMissing(place, names, wanted, created)
    }
    putIds(plan, [names], rows, place.isLast)
    forgetMissing(plan, names, unknown, created)
  }
  return created
}

/** Looks for similar names of those that fit nothing: as a warning, or as a hint what was meant. */
async function noteSimilar(
  place: ReferencePlace,
  names: ReferenceNames,
  unknown: ScopedName[]
): Promise<void> {
  // Rows that may still make the record are asked first.
  if (names.type === place.plan.type && !place.isLast) return
  const missing = unknown.filter(
    ({ name, text }) => names.ids.get(name)?.length === 0 && !isId(text)
  )
  await findSimilar(place, names, missing)
}

/** The names by which rows mean themselves: nothing is made for them but the row's own record. */
function namesOfThemselves(
  plan: ImportPlan,
  names: ReferenceNames,
  rows: ResolvedRow[]
): Set<string> {
  const own = new Set<string>()
  if (names.type !== plan.type) return own
  for (const row of rows) {
    const scope = scopeOf(plan, names, row)
    for (const text of textsOf(row.values[names.field.name])) {
      const isOwn = rulesOf(names).some((rule) => {
        const key = keyOfName(names, rule, { name: '', text, scope: null })
        return keysOf(rule, row.values, null).includes(key)
      })
      if (isOwn) own.add(scopedName(names, text, typeof scope === 'number' ? scope : null))
    }
  }
  return own
}

/** Index of the first row that stands for a record which is being made because an earlier row names
 *  it; `rows.length` when none does. */
export function findNamedRow(
  plan: ImportPlan,
  references: ReferenceNames[],
  created: Map<number, NewReference>,
  rows: ResolvedRow[]
): number {
  const made = [...created.values()].filter(({ type }) => type === plan.type)
  if (made.length === 0) return rows.length
  const rules = references.filter(({ type }) => type === plan.type).flatMap(rulesOf)
  const found = rules.map((rule) => {
    const keys = new Set(made.flatMap(({ data }) => keysOf(rule, data, null)))
    return rows.findIndex(({ values }) => keysOf(rule, values, null).some((key) => keys.has(key)))
  })
  return Math.min(rows.length, ...found.filter((index) => index >= 0))
}

/** What is missing now may be made by a later row, or by another field. */
function forgetMissing(
  plan: ImportPlan,
  { type, ids }: ReferenceNames,
  unknown: ScopedName[],
  created: Map<number, NewReference>
): void {
  const mayCome = type === plan.type || [...created.values()].some((one) => one.type === type)
  if (!mayCome) return
  for (const { name } of unknown) if (ids.get(name)?.length === 0) ids.delete(name)
}

/** Puts ids in place of names that are all known; rows whose names stand in the way get problems. */
export function putIds(
  plan: ImportPlan,
  references: ReferenceNames[],
  rows: ResolvedRow[],
  isLast: boolean
): void {
  // Rows that are rejected here have more than one problem to tell.
  const open = rows.filter(isReadable)
  for (const names of references) {
    for (const row of open) {
      const value = row.values[names.field.name]
      if (typeof value === 'string') putOne(plan, names, row, value, isLast)
      else if (Array.isArray(value)) putMany(plan, names, row, value, isLast)
    }
  }
}

function putOne(
  plan: ImportPlan,
  names: ReferenceNames,
  row: ResolvedRow,
  text: string,
  isLast: boolean
): void {
  const id = idOf(plan, names, row, text, isLast)
  if (id === null) delete row.values[names.field.name]
  else if (id !== undefined) {
    row.values[names.field.name] = id
    row.hash = mixNumber(row.hash, id)
  }
}

function putMany(
  plan: ImportPlan,
  names: ReferenceNames,
  row: ResolvedRow,
  texts: Json[],
  isLast: boolean
): void {
  const ids: Json[] = []
  for (const text of texts) {
    const id = typeof text === 'string' ? idOf(plan, names, row, text, isLast) : (text as number)
    // One that waits keeps the whole cell as it is.
    if (id === undefined) return
    if (id === null || ids.includes(id)) continue
    ids.push(id)
    row.hash = mixNumber(row.hash, id)
  }
  if (ids.length > 0) row.values[names.field.name] = ids
  else delete row.values[names.field.name]
}

/** The id of the one record that a text names; null: none, and the row says why; undefined: the row
 *  waits for a later one. */
function idOf(
  plan: ImportPlan,
  names: ReferenceNames,
  row: ResolvedRow,
  text: string,
  isLast: boolean
): number | null | undefined {
  const scope = scopeOf(plan, names, row)
  const place = { column: names.header, field: names.field.name, value: text }
  const name = scopedName(names, text, typeof scope === 'number' ? scope : null)
  const ids = names.ids.get(name) ?? []
  if (ids.length === 1) return ids[0] as number
  if (ids.length > 1) {
    const candidates = ids.slice(0, 5).map((id) => ({ id, title: text }))
    reject(row, rowProblem('ambiguous_reference', { ...place, candidates }))
    return null
  }
  if (scope === undefined && !text.startsWith('id:')) {
    // Where the outer cell is itself at fault, its problem says enough.
    const within = names.within ?? ''
    if (!row.rejected) reject(row, rowProblem('scope_missing', { ...place, args: { within } }))
    return null
  }
  const creates = mayCreate(plan, names, text, isLast)
  if (!creates && names.type === plan.type && !isLast) {
    // Whether it is missing cannot be said yet; a row that is rejected anyway does not wait.
    row.waits = !row.rejected
    return undefined
  }
  refuse(names, row, creates, text, name)
  return null
}

function refuse(
  names: ReferenceNames,
  row: ResolvedRow,
  creates: boolean,
  text: string,
  name: string
): void {
  const { field, header } = names
  const similar = names.similar.get(name)
  const place = {
    column: header,
    field: field.name,
    value: text,
    ...(similar && { candidates: similar })
  }
  const unreadable = creates ? nameProblem(names, namingRule(names), text) : null
  if (creates && similar) reject(row, rowProblem('similar_refused', place))
  else if (creates && isTooLong(names, text)) {
    const args = { found: text.length, limit: nameLimit(names) }
    reject(row, rowProblem('value_too_long', { ...place, args }))
  } else if (unreadable !== null) {
    const { code, args } = unreadable
    reject(row, rowProblem(code, { ...place, ...(args && { args }) }))
  } else if (names.on_missing === 'ignore' && !field.required) {
    warn(row, rowProblem('reference_ignored', place))
  } else reject(row, rowProblem('unknown_reference', place))
}

/** The ids of the plan's default references, e.g. the status of a new record. */
export function defaultReferences(references: ReferenceNames[], plan: ImportPlan): RecordData {
  const data: RecordData = {}
  for (const names of references) {
    const text = defaultText(names, plan)
    const id = text === null || names.within !== null ? undefined : names.ids.get(text)?.[0]
    if (id !== undefined) data[names.field.name] = names.field.many ? [id] : id
  }
  return data
}

/** The same for references whose default depends on the row: a desk of its project. */
export function scopedDefaults(
  references: ReferenceNames[],
  plan: ImportPlan,
  row: ResolvedRow
): RecordData {
  const data: RecordData = {}
  for (const names of references) {
    const text = defaultText(names, plan)
    const scope = text === null ? undefined : defaultScopeOf(plan, names, row)
    if (text === null || typeof scope !== 'number') continue
    const id = names.ids.get(scopedName(names, text, scope))?.[0]
    if (id !== undefined) data[names.field.name] = names.field.many ? [id] : id
  }
  return data
}
