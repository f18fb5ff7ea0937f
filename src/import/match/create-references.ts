// Names that nothing exists for -> the records to be created because a row names them.
// Called by resolve-references.ts. They are written with the batch, and only when a row that is
// written really refers to them.

import { keysOf } from '../../record-types/match-keys.ts'
import type { MatchRule, RecordData, RecordType } from '../../record-types/types.ts'
import { generateValues } from '../decide/generate.ts'
import type { Candidate } from '../terms.ts'
import { fetchRecords, probeKeys, takeRecordIds } from './probe-keys.ts'
import {
  isExplicit,
  keyOfName,
  nameProblem,
  normalName,
  type ReferenceNames,
  type ReferencePlace,
  type ScopedName
} from './reference-names.ts'

/** A record that exists only because a row names it. */
export interface NewReference {
  id: number
  type: RecordType
  organization_id: number | null
  data: RecordData
  /** Key texts by position of the type's match rule. */
  keys: string[][]
  /** What it is called in the file. */
  text: string
  /** Records of similar names; null: none, or nobody has to be told. */
  similar: Candidate[] | null
}

/** Makes a record for each name that fits none. Names that are too long, or too similar to what
 *  exists where that is an error, stay without. */
export async function createMissing(
  place: ReferencePlace,
  names: ReferenceNames,
  wanted: ScopedName[],
  created: Map<number, NewReference>
): Promise<void> {
  const { ids } = names
  const missing = wanted.filter(
    ({ name, text, scope }) =>
      ids.get(name)?.length === 0 &&
      !isExplicit(text) &&
      !isTooLong(names, text) &&
      nameProblem(names, namingRule(names), text) === null &&
      (scope !== null || names.within === null)
  )
  if (missing.length === 0) return
  // Two spellings of one name, or two fields that give the same name, are one record.
  const made = madeByKey(names, namingRule(names), created)
  const suggests = place.plan.options.similar === 'ignore' ? null : names.suggests
  const like = suggests && madeByKey(names, suggests, created)
  const newIds = await takeRecordIds(place.tx, missing.length)
  for (const one of missing) {
    const key = keyOfName(names, namingRule(names), one)
    let id = made.get(key)
    if (id === undefined) {
      noteSimilarNew(names, one, like, created)
      // A default is made all the same: no row has said it.
      const isDefault = place.plan.defaults[names.field.name] === one.text
      const refuses = place.plan.options.similar === 'error' && !isDefault
      if (refuses && names.similar.has(one.name)) continue
      id = newIds.shift() as number
      created.set(id, newReference(names, one, id, isDefault))
      made.set(key, id)
      if (suggests) like?.set(keyOfName(names, suggests, one), id)
    }
    ids.set(one.name, [id])
  }
}

/** The rule whose field the name of a new record is put into. */
export const namingRule = ({ rule, also }: ReferenceNames) => also ?? rule

function newReference(
  names: ReferenceNames,
  one: ScopedName,
  id: number,
  isDefault: boolean
): NewReference {
  const { type } = names
  const rule = namingRule(names)
  const data: RecordData = {}
  for (const field of type.fields) {
    // Defaults that name other records are left to whoever completes this one.
    if (field.default !== undefined && !field.reference) data[field.name] = field.default
  }
  data[rule.fields[0] as string] = normalName(names, rule, one.text)
  let organization_id: number | null = null
  if (one.scope !== null && typeof rule.scope === 'object') data[rule.scope.field] = one.scope
  if (one.scope !== null && rule.scope === 'organization' && type.organization_field !== null) {
    organization_id = one.scope
    data[type.organization_field] = one.scope
  }
  Object.assign(data, generateValues(type, data, { now: new Date() }))
  const keys = type.match_rules.map((each) => keysOf(each, data, organization_id))
  const similar = isDefault ? null : (names.similar.get(one.name) ?? null)
  return { id, type, organization_id, data, keys, text: one.text, similar }
}

/** The records of the names' type that this batch is about to create, by the key they will have. */
function madeByKey(
  names: ReferenceNames,
  rule: MatchRule,
  created: Map<number, NewReference>
): Map<string, number> {
  const place = names.type.match_rules.indexOf(rule)
  const made = new Map<string, number>()
  for (const { id, type, keys } of created.values()) {
    if (type === names.type) for (const key of keys[place] ?? []) made.set(key, id)
  }
  return made
}

/** Notes for each name the existing records that are called nearly the same. */
export async function findSimilar(
  { tx, account_id, plan }: ReferencePlace,
  names: ReferenceNames,
  missing: ScopedName[]
): Promise<void> {
  const { type, suggests, similar } = names
  if (!suggests || plan.options.similar === 'ignore') return
  if (missing.length === 0) return
  const keys = new Map(missing.map((one) => [one.name, keyOfName(names, suggests, one)]))
  const wanted = [...new Set(keys.values())].filter((key) => key !== '')
  const place = { account_id, type_id: type.type_id }
  const found = await probeKeys(tx, { ...place, rule: suggests.code }, wanted)
  if (found.size === 0) return
  const records = await fetchRecords(tx, place, [...found.values()].flat(), [])
  const titles = new Map(records.map(({ id, data }) => [id, titleOf(type, data ?? {})]))
  for (const [name, key] of keys) {
    const ids = found.get(key)?.slice(0, 5)
    if (ids)
      similar.set(
        name,
        ids.map((id) => ({ id, title: titles.get(id) ?? `#${id}` }))
      )
  }
}

const titleOf = (type: RecordType, data: RecordData) =>
  type.title_fields.flatMap((name) => data[name] ?? []).join(' ')

/** The same among those that this batch is about to create. */
function noteSimilarNew(
  names: ReferenceNames,
  one: ScopedName,
  like: Map<string, number> | null,
  created: Map<number, NewReference>
): void {
  const { suggests, similar } = names
  if (!suggests || like === null || similar.has(one.name)) return
  const other = created.get(like.get(keyOfName(names, suggests, one)) ?? -1)
  if (other) similar.set(one.name, [{ id: other.id, title: other.text }])
}

/** Most characters that the name of a record has that is made because a row names it. */
export function nameLimit(names: ReferenceNames): number {
  const [name] = namingRule(names).fields
  return names.type.fields.find((field) => field.name === name)?.max_length ?? Infinity
}

/** Whether a text is too long to be the name of a new record. */
export function isTooLong(names: ReferenceNames, text: string): boolean {
  return text.length > nameLimit(names)
}
