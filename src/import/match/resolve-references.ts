// References by name or id -> record ids, for a whole batch.
// In: rows whose reference fields hold the text of the cell. Out: the same rows holding ids, with a
// problem where a name is unknown or fits several records; and the records to be created because a
// row names them. One probe per reference field and batch; found names are remembered.

import { rowProblem } from '../../errors.ts'
import type { Tx } from '../../platform/db.ts'
import { keysOf, keyText } from '../../record-types/match-keys.ts'
import { requireRecordType } from '../../record-types/registry.ts'
import type { Field, MatchRule, RecordData, RecordType } from '../../record-types/types.ts'
import { mixNumber } from '../resolve/hash-cells.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { ResolvedRow } from '../resolve/resolve-row.ts'
import type { Problem } from '../terms.ts'
import { fetchRecords, probeKeys, takeRecordIds } from './probe-keys.ts'

/** A record that exists only because a row names it. */
export interface NewReference {
  id: number
  type: RecordType
  data: RecordData
  /** Key texts by position of the type's match rule. */
  keys: string[][]
}

/** What is known about the names of one reference field. */
export interface ReferenceNames {
  field: Field
  header: string | null
  type: RecordType
  rule: MatchRule
  /** Cell text -> ids it fits; [] when it fits none. */
  ids: Map<string, number[]>
}

const maxNames = 50_000

/** Prepares the (empty) memory for the plan's reference fields. */
export function prepareReferences(plan: ImportPlan): ReferenceNames[] {
  return plan.references.map(({ field, header }) => {
    if (!field.reference) throw new Error(`field ${field.name} has no reference`)
    const type = requireRecordType(field.reference.type)
    const wanted = field.reference.rule
    const rule = type.match_rules.find((one) => one.name === wanted)
    if (!rule) throw new Error(`${type.name} have no match rule ${wanted}`)
    return { field, header, type, rule, ids: new Map() }
  })
}

/** Keeps the memory bounded for imports that name very many different records. Out: whether names
 *  were forgotten. */
export function trimReferences(references: ReferenceNames[]): boolean {
  const full = references.filter(({ ids }) => ids.size > maxNames)
  for (const { ids } of full) ids.clear()
  return full.length > 0
}

/** Per reference field, the names in `rows` (and the plan's default) that are not known yet. */
export type UnknownNames = Map<ReferenceNames, string[]>

/** Collects the names that have to be looked up. */
export function findUnknownNames(
  references: ReferenceNames[],
  plan: ImportPlan,
  rows: ResolvedRow[]
): UnknownNames {
  return new Map(references.map((names) => [names, unknownTexts(names, plan, rows)]))
}

/** The types that must be locked before `resolveReferences`: those where a record may have to be
 *  created, because a row names something not yet known. */
export function typesToCreateIn(unknown: UnknownNames): number[] {
  return [...unknown].flatMap(([{ field, type }, texts]) =>
    field.reference?.on_missing === 'create' && texts.length > 0 ? [type.type_id] : []
  )
}

/** Replaces names by ids in `rows` (changed in place). Out: the records to create. */
export async function resolveReferences(
  tx: Tx,
  account_id: number,
  unknown: UnknownNames,
  rows: ResolvedRow[]
): Promise<Map<number, NewReference>> {
  const created = new Map<number, NewReference>()
  for (const [names, texts] of unknown) {
    if (texts.length > 0) await lookUp(tx, account_id, names, texts)
    await createMissing(tx, names, texts, created)
  }
  putIds([...unknown.keys()], rows)
  // What is missing now may be a later row of the file.
  for (const [names, texts] of unknown) {
    for (const text of texts) if (names.ids.get(text)?.length === 0) names.ids.delete(text)
  }
  return created
}

/** Puts ids in place of names that are all known; rows whose names stand in the way get problems. */
export function putIds(references: ReferenceNames[], rows: ResolvedRow[]): void {
  for (const names of references) {
    for (const row of rows) if (!row.rejected) putId(names, row)
  }
}

/** The ids of the plan's default references, e.g. the status of a new record. */
export function defaultReferences(references: ReferenceNames[], plan: ImportPlan): RecordData {
  const data: RecordData = {}
  for (const { field, ids } of references) {
    const text = plan.defaults[field.name]
    const id = typeof text === 'string' ? ids.get(text)?.[0] : undefined
    if (id !== undefined) data[field.name] = id
  }
  return data
}

function unknownTexts(names: ReferenceNames, plan: ImportPlan, rows: ResolvedRow[]): string[] {
  const texts = new Set<string>()
  const fallback = plan.defaults[names.field.name]
  if (typeof fallback === 'string' && !names.ids.has(fallback)) texts.add(fallback)
  for (const row of rows) {
    if (row.rejected) continue
    const text = row.values[names.field.name]
    if (typeof text === 'string' && !names.ids.has(text)) texts.add(text)
  }
  return [...texts]
}

async function lookUp(tx: Tx, account_id: number, names: ReferenceNames, texts: string[]) {
  const place = { account_id, type_id: names.type.type_id }
  const keyOf = new Map(texts.map((text) => [text, keyText(names.rule, text, null)]))
  const found = await probeKeys(tx, { ...place, rule: names.rule.code }, [...keyOf.values()])
  for (const [text, key] of keyOf) names.ids.set(text, found.get(key) ?? [])
  // A name that looks like a number and is none may be an id.
  const numbers = texts.filter((text) => names.ids.get(text)?.length === 0 && isId(text))
  const records = await fetchRecords(tx, place, numbers.map(Number), [])
  for (const { id } of records) names.ids.set(String(id), [id])
}

const isId = (text: string) => /^[1-9][0-9]{0,14}$/.test(text)

async function createMissing(
  tx: Tx,
  names: ReferenceNames,
  texts: string[],
  created: Map<number, NewReference>
): Promise<void> {
  const { type, rule, ids } = names
  const [name] = rule.fields
  if (names.field.reference?.on_missing !== 'create' || name === undefined) return
  const keyOf = (text: string) => keyText(rule, text, null)
  const missing = texts.filter((text) => ids.get(text)?.length === 0 && !isTooLong(names, text))
  // Two spellings of one name, or two fields that give the same name, are one record.
  const made = madeByKey(names, created)
  const fresh = new Map<string, string>()
  for (const text of missing) {
    const key = keyOf(text)
    if (!made.has(key) && !fresh.has(key)) fresh.set(key, text)
  }
  const newIds = await takeRecordIds(tx, fresh.size)
  for (const [key, text] of fresh) {
    const id = newIds.shift() as number
    const data = { [name]: text }
    const keys = type.match_rules.map((one) => keysOf(one, data, null))
    created.set(id, { id, type, data, keys })
    made.set(key, id)
  }
  for (const text of missing) ids.set(text, [made.get(keyOf(text)) as number])
}

/** The records of the names' type that this batch is about to create, by the key they will have. */
function madeByKey({ type, rule }: ReferenceNames, created: Map<number, NewReference>) {
  const place = type.match_rules.indexOf(rule)
  const made = new Map<string, number>()
  for (const { id, type: other, keys } of created.values()) {
    if (other === type) for (const key of keys[place] ?? []) made.set(key, id)
  }
  return made
}

/** Most characters that the name of a record has that is made because a row names it. */
function nameLimit({ type, rule }: ReferenceNames): number {
  return type.fields.find((field) => field.name === rule.fields[0])?.max_length ?? Infinity
}

const isTooLong = (names: ReferenceNames, text: string) => text.length > nameLimit(names)

/** Puts the id in place of the name, or the problem that stands in its way. */
function putId(names: ReferenceNames, row: ResolvedRow): void {
  const { field } = names
  const text = row.values[field.name]
  if (typeof text !== 'string') return
  const ids = names.ids.get(text) ?? []
  const id = ids[0]
  if (ids.length === 1 && id !== undefined) {
    row.values[field.name] = id
    row.hash = mixNumber(row.hash, id)
    return
  }
  delete row.values[field.name]
  const place = { column: names.header, field: field.name, value: text }
  if (ids.length > 1) {
    const candidates = ids.slice(0, 5).map((one) => ({ id: one, title: text }))
    addProblem(row, rowProblem('ambiguous_reference', { ...place, candidates }))
  } else if (field.reference?.on_missing === 'create') {
    // The one reason why it was not created.
    const args = { found: text.length, limit: nameLimit(names) }
    addProblem(row, rowProblem('value_too_long', { ...place, args }))
  } else if (field.reference?.on_missing === 'ignore' && !field.required) {
    addProblem(row, rowProblem('reference_ignored', place))
  } else addProblem(row, rowProblem('unknown_reference', place))
}

function addProblem(row: ResolvedRow, problem: Problem): void {
  row.problems = row.problems === null ? [problem] : [...row.problems, problem]
  if (problem.severity === 'error') row.rejected = true
}
