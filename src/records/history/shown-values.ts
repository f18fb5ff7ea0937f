// Values of a record's past as the API shows them: references with their titles, and of secrets only
// that there is one.
// In: changes with values as stored. Out: the same as JSON. Called by list-history.ts and
// restore-record.ts; one statement for each type referred to, whatever the number of changes.

import type { Db } from '../../platform/db.ts'
import { isSealed } from '../../platform/secrets.ts'
import { listPastSecrets } from '../../record-types/store.ts'
import { isSensitive, type Json, type RecordData } from '../../record-types/types.ts'
import type { OrganizationPlace } from '../organizations.ts'
import { recordTitle } from '../record-json.ts'
import { getRecords } from '../store.ts'
import type { FieldChange } from './schemas.ts'

/** What fields were and what they became; null: no value. */
export interface Change {
  before: RecordData
  after: RecordData
}

/** Makes the changes of fields, in the order of the type's fields; those that the type has no more
 *  come last. Out: a list per change. */
export async function showChanges(
  db: Db,
  place: OrganizationPlace,
  changes: Change[]
): Promise<FieldChange[][]> {
  const { type } = place
  const known = new Map(type.fields.map((field) => [field.name, field]))
  const names = new Set(changes.flatMap(({ before }) => Object.keys(before)))
  const former = [...names].filter((name) => !known.has(name)).sort()
  const secret = new Set(type.fields.filter(isSensitive).map(({ name }) => name))
  if (former.length > 0) {
    for (const name of await listPastSecrets(db, place.account_id, type)) secret.add(name)
  }
  const titles = await readTitles(db, place, changes)
  const show = (name: string, value: Json): unknown => {
    if (value === null) return null
    if (secret.has(name) || holdsSealed(value)) return { secret: true }
    if (!known.get(name)?.reference) return value
    const one = (id: Json) => (typeof id === 'number' ? { id, title: titles.get(id) ?? null } : id)
    return Array.isArray(value) ? value.map(one) : one(value)
  }
  const order = [...known.keys(), ...former]
  return changes.map(({ before, after }) =>
    order
      .filter((name) => name in before)
      .map((field) => ({
        field,
        before: show(field, before[field] ?? null),
        after: show(field, after[field] ?? null)
      }))
  )
}

/** Whether a value is, or has in it, something encrypted: its field was a secret once. */
export function holdsSealed(value: Json | undefined): boolean {
  return Array.isArray(value) ? value.some(holdsSealed) : isSealed(value)
}

/** The ids that a value of a reference field holds. */
export function idsOf(value: Json | undefined): number[] {
  return [value].flat().filter((one) => typeof one === 'number')
}

/** Titles of all records that the values refer to. */
async function readTitles(
  db: Db,
  { account_id, types, type }: OrganizationPlace,
  changes: Change[]
): Promise<Map<number, string>> {
  const wanted = new Map<string, Set<number>>()
  for (const { name, reference } of type.fields) {
    if (!reference) continue
    const ids = wanted.get(reference.type) ?? new Set()
    wanted.set(reference.type, ids)
    for (const { before, after } of changes) {
      for (const id of [...idsOf(before[name]), ...idsOf(after[name])]) ids.add(id)
    }
  }
  const titles = new Map<number, string>()
  for (const [name, ids] of wanted) {
    const target = types.require(name)
    for (const { id, data } of await getRecords(db, account_id, target.type_id, [...ids])) {
      titles.set(id, recordTitle(target, data))
    }
  }
  return titles
}
