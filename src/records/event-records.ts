// Records -> what events tell of them: values without secrets, references by title and external id,
// from what to what fields changed. Called by whoever changes records and tells of it, in the
// transaction of the events; a statement for each type referred to, whatever the number of records.

import type { EventRecord, EventReference, FieldChange } from '../event-data.ts'
import type { Db } from '../platform/db.ts'
import {
  type Field,
  isSensitive,
  type Json,
  type RecordData,
  type RecordType
} from '../record-types/types.ts'
import { holdsSealed, idsOf } from './history/shown-values.ts'
import type { OrganizationPlace } from './organizations.ts'
import { recordTitle } from './record-json.ts'
import { getRecords, listExternalIds } from './store.ts'

/** One record to tell of. */
export interface Told {
  id: number
  /** The version that it is now; of one that is gone: of no meaning. */
  version: number
  /** What it is now; of one that is gone: what it was. */
  data: RecordData
  organization_id: number | null
  /** What the fields that changed were before, null: no value. null: it is new or gone. */
  before: RecordData | null
  gone: boolean
}

/** Who made the change. */
export type Actor = EventRecord['actor']

/** What an event tells of records of one type, in their order. */
export async function eventRecords(
  db: Db,
  place: OrganizationPlace,
  all: Told[],
  actor: Actor
): Promise<EventRecord[]> {
  const external = await listExternalIds(db, place.account_id, namedIds(place.type, all))
  const named = await nameReferences(db, place, all, external)
  const { type } = place
  return all.map(({ id, data, organization_id, before, gone }) => {
    const nameOne = (value: Json) =>
      typeof value === 'number' ? (named.get(value) ?? null) : value
    const show = ({ reference }: Field, value: Json): unknown => {
      if (!reference || value === null) return value
      return Array.isArray(value) ? value.map(nameOne) : nameOne(value)
    }
    const values: Record<string, unknown> = {}
    const changed: Record<string, FieldChange> = {}
    for (const field of type.fields) {
      const { name } = field
      const [from, to] = [before?.[name], data[name] ?? null]
      const isSecret = isSensitive(field) || holdsSealed(from) || holdsSealed(to)
      if (from !== undefined) {
        changed[name] = isSecret
          ? { secret: true }
          : { from: show(field, from), to: show(field, to) }
      }
      if (to !== null && !isSecret) values[name] = show(field, to)
    }
    return {
      record_id: id,
      type: type.name,
      title: recordTitle(type, data),
      external_ids: external.get(id) ?? {},
      organization: named.get(organization_id ?? 0) ?? null,
      changed_fields: before && changed,
      values: gone ? null : values,
      actor
    }
  })
}

/** The records and all that they name. */
function namedIds({ fields }: RecordType, all: Told[]): number[] {
  const references = fields.filter(({ reference }) => reference)
  const ids = all.flatMap(({ id, data, before, organization_id }) => [
    id,
    ...(organization_id === null ? [] : [organization_id]),
    ...references.flatMap(({ name }) => [...idsOf(data[name]), ...idsOf(before?.[name])])
  ])
  return [...new Set(ids)]
}

/** Every record that is named, by id; those that are gone are absent. */
async function nameReferences(
  db: Db,
  { account_id, types, type }: OrganizationPlace,
  all: Told[],
  external: Map<number, Record<string, string>>
): Promise<Map<number, EventReference>> {
  const wanted = new Map<string, Set<number>>()
  for (const { name, reference } of type.fields) {
    if (!reference) continue
    const ids = wanted.get(reference.type) ?? new Set()
    wanted.set(reference.type, ids)
    for (const { data, before, organization_id } of all) {
      for (const id of [...idsOf(data[name]), ...idsOf(before?.[name])]) ids.add(id)
      if (name === type.organization_field && organization_id !== null) ids.add(organization_id)
    }
  }
  const named = new Map<number, EventReference>()
  for (const [name, ids] of wanted) {
    const target = types.require(name)
    for (const { id, data } of await getRecords(db, account_id, target.type_id, [...ids])) {
      const external_id = typeof data.external_id === 'string' ? data.external_id : null
      const external_ids = external.get(id) ?? {}
      named.set(id, { id, title: recordTitle(target, data), external_id, external_ids })
    }
  }
  return named
}

/** The fields of `before` that say something else now. */
export function stillChanged(before: RecordData, now: RecordData): RecordData {
  return Object.fromEntries(
    Object.entries(before).filter(
      ([name, was]) => JSON.stringify(was) !== JSON.stringify(now[name] ?? null)
    )
  )
}
