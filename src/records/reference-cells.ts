// References of records as cells that an import reads back: the name where it finds exactly that
// record and nothing else, `id:17` otherwise.
// In: a page of records and one reference field. Out: a cell text per record. Called by
// export-csv.ts; two statements per field and page.

import type { Db } from '../platform/db.ts'
import { keyText } from '../record-types/match-keys.ts'
import type { Field, Json, MatchRule, RecordData } from '../record-types/types.ts'
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
 *  id inside a scope; null: there is none that finds it. */
async function nameTargets(
  db: Db,
  { account_id, types }: OrganizationPlace,
  field: Field,
  rows: { data: RecordData }[]
): Promise<(id: number, scope: number | null | undefined) => string | null> {
  const target = types.require(field.reference?.type ?? '')
  const rule = target.match_rules.find((one) => one.name === field.reference?.rule)
  if (!rule) return () => null
  const wanted = [...new Set(rows.flatMap(({ data }) => idsOf(data[field.name])))]
  const found = await getRecords(db, account_id, target.type_id, wanted)
  const names = new Map(found.map(({ id, data }) => [id, usableName(field, rule, data)]))
  const keyOf = (id: number, scope: number | null | undefined) => {
    const name = names.get(id) ?? null
    return name === null || scope === undefined ? '' : keyText(rule, name, scope)
  }
  const keys = new Set(
    rows.flatMap(({ data }) => {
      const scope = scopeOf(field, data)
      return idsOf(data[field.name]).map((id) => keyOf(id, scope))
    })
  )
  const values = [...keys].filter((key) => key !== '')
  const holders = await findByKeys(db, account_id, {
    type_id: target.type_id,
    rule: rule.code,
    values
  })
  return (id, scope) => {
    const ids = holders.get(keyOf(id, scope))
    return ids?.length === 1 && ids[0] === id ? (names.get(id) ?? null) : null
  }
}

/** The record inside which the name is looked up; null: account-wide, undefined: it is not known. */
function scopeOf({ reference }: Field, data: RecordData): number | null | undefined {
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
