// References of records as cells that an import reads back: the name where it finds exactly that
// record and nothing else, `id:17` otherwise.
// In: a page of records and one reference field. Out: a cell text per record. Called by
// export-csv.ts; a statement for the records and one for each rule of the reference, per page.

import type { Db } from '../platform/db.ts'
import { keyText } from '../record-types/match-keys.ts'
import type { Field, Json, MatchRule, RecordData, RecordType } from '../record-types/types.ts'
import type { OrganizationPlace } from './organizations.ts'
import { findByKeys, getRecords } from './store.ts'

/** The cells of a reference field, in the order of `rows`. */
export async function referenceCells(
  db: Db,
  place: OrganizationPlace,
  field: Field,
  rows: { data: RecordData }[]
): Promise<string[]> {
  const separator = field.many?.separator ?? ''
  const named = await nameTargets(db, place, field, rows)
  return rows.map(({ data }) => {
    const scope = scopeOf(field, data)
    return idsOf(data[field.name])
      .map((id) => named(id, scope) ?? `id:${id}`)
      .join(separator)
  })
}

/** Looks the names of all records referred to up, as an import would. Out: the name to write for an
 *  id inside a scope; null: there is none that finds it. The readable name is tried first. */
async function nameTargets(
  db: Db,
  place: OrganizationPlace,
  field: Field,
  rows: { data: RecordData }[]
): Promise<(id: number, scope: Scope) => string | null> {
  const target = place.types.require(field.reference?.type ?? '')
  const ruleOf = (name: string | undefined) => target.match_rules.find((one) => one.name === name)
  const first = ruleOf(field.reference?.rule)
  if (!first) return () => null
  const rules = [ruleOf(field.reference?.also), first].filter((rule) => rule !== undefined)
  const wanted = [...new Set(rows.flatMap(({ data }) => idsOf(data[field.name])))]
  const found = await getRecords(db, place.account_id, target.type_id, wanted)
  const names = rules.map(
    (rule) => new Map(found.map(({ id, data }) => [id, usableName(field, rule, data)]))
  )
  const pairs = rows.flatMap(({ data }) => {
    const scope = scopeOf(field, data)
    return idsOf(data[field.name]).map((id) => ({ id, scope }))
  })
  const texts = names.flatMap((some) =>
    pairs.flatMap(({ id, scope }) => {
      const text = some.get(id)
      return text ? [{ text, scope }] : []
    })
  )
  // Whoever is found by any of the rules may be meant.
  const holders = await Promise.all(
    rules.map((rule) => findHolders(db, place, { target, rule }, texts))
  )
  return (id, scope) => {
    for (const some of names) {
      const text = some.get(id)
      if (!text) continue
      const ids = new Set(holders.flatMap((find) => find(text, scope)))
      if (ids.size === 1 && ids.has(id)) return text
    }
    return null
  }
}

type Scope = number | null | undefined

/** Looks texts up under one rule. Out: the ids that a text inside a scope finds. */
async function findHolders(
  db: Db,
  { account_id }: OrganizationPlace,
  { target, rule }: { target: RecordType; rule: MatchRule },
  texts: { text: string; scope: Scope }[]
): Promise<(text: string, scope: Scope) => number[]> {
  // Without the record inside which it is unique, a name finds nothing.
  const keyOf = (text: string, scope: Scope) =>
    typeof scope !== 'number' && rule.scope !== 'account' ? '' : keyText(rule, text, scope ?? null)
  const keys = new Set(texts.map(({ text, scope }) => keyOf(text, scope)))
  keys.delete('')
  const key = { type_id: target.type_id, rule: rule.code, values: [...keys] }
  const found = await findByKeys(db, account_id, key)
  return (text, scope) => found.get(keyOf(text, scope)) ?? []
}

/** The record inside which the name is looked up; null: account-wide, undefined: it is not known. */
function scopeOf({ reference }: Field, data: RecordData): Scope {
  if (reference?.within === undefined) return null
  const scope = data[reference.within]
  return typeof scope === 'number' ? scope : undefined
}

/** The name of a record under a rule, when a cell may hold it and means it only. */
function usableName(field: Field, rule: MatchRule, data: RecordData): string | null {
  // Of several fields the words in their order, as the text of a cell is taken apart.
  const parts = rule.fields.map((name) => [data[name]].flat()[0])
  const name = parts.filter((part) => typeof part === 'string').join(' ')
  if (name === '') return null
  const isWritten = name === name.trim().normalize('NFC') && !/[\r\n]/.test(name)
  const meansMore = /^\d+$|^id:|^external_id:/i.test(name)
  const isSplit = field.many !== null && name.includes(field.many.separator)
  return isWritten && !meansMore && !isSplit ? name : null
}

function idsOf(value: Json | undefined): number[] {
  return [value].flat().filter((one) => typeof one === 'number')
}
