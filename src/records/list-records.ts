// The verbs of the record routes: one record, and pages of records. In: plain values of the request.
// Out: records as JSON. Called by routes.ts.

import type { Static } from 'typebox'
import { appError } from '../errors.ts'
import { readCursor, toPage } from '../platform/cursor.ts'
import type { Db } from '../platform/db.ts'
import { shownNames } from '../record-types/registry.ts'
import { loadTypes } from '../record-types/store.ts'
import { isSensitive, type RecordType } from '../record-types/types.ts'
import { listNotPushed } from './history/store.ts'
import {
  findOrganization,
  nameOrganizations,
  type OrganizationPlace,
  organizationTypeOf
} from './organizations.ts'
import { type RecordJson, recordJson } from './record-json.ts'
import type { RecordListQuery } from './schemas.ts'
import { getRecord, listRecords, type RecordRow } from './store.ts'

// Of a record that a nightly import changes and nobody ever pushes.
const maxNotPushed = 20

/** One record, with the imports of which nobody was told. Throws record_not_found. */
export async function showRecord(db: Db, account_id: number, id: number): Promise<RecordJson> {
  const { row, ...place } = await findRecord(db, account_id, id)
  const [json] = await showRecords(db, place, [row])
  const not_pushed = await listNotPushed(db, account_id, row, maxNotPushed)
  return { ...(json as RecordJson), not_pushed } // one row in, one out
}

/** A record of any type, with its type and those around it. Throws record_not_found. */
export async function findRecord(
  db: Db,
  account_id: number,
  id: number
): Promise<OrganizationPlace & { row: RecordRow }> {
  const types = await loadTypes(db, account_id)
  const type_ids = types.list.map((type) => type.type_id)
  const row = await getRecord(db, account_id, type_ids, id)
  const type = row && types.getById(row.type_id)
  if (!type) throw appError('record_not_found', { id })
  return { account_id, types, type, row }
}

/** A page of records of one type. Throws unknown_record_type, validation_failed (unknown or sensitive
 *  field),
 *  organization_not_found, organization_ambiguous, invalid_cursor. */
export async function pageOfRecords(
  db: Db,
  account_id: number,
  query: Static<typeof RecordListQuery>
) {
  const place = await findPlace(db, account_id, query.type)
  const { type } = place
  const fields = checkFields(type, query.filter ?? {})
  const organization_id = await readOrganization(db, place, query.organization)
  const rows = await listRecords(db, account_id, {
    type_id: type.type_id,
    organization_id,
    fields,
    after: readCursor(query.cursor, 0),
    limit: query.limit + 1
  })
  const { data, next_cursor } = toPage(rows, query.limit, (row) => row.id)
  return { data: await showRecords(db, place, data), next_cursor }
}

/** The type that a query means, with the types around it. Throws unknown_record_type. */
export async function findPlace(
  db: Db,
  account_id: number,
  name: string
): Promise<OrganizationPlace> {
  const types = await loadTypes(db, account_id)
  const type = types.get(name)
  if (type) return { account_id, types, type }
  throw appError('unknown_record_type', { type: name, known: shownNames(types) })
}

function checkFields(type: RecordType, filter: Record<string, string>) {
  const known = new Map(type.fields.map((field) => [field.name, field]))
  const faults = Object.keys(filter).flatMap((name) => {
    const field = known.get(name)
    const path = `query/filter[${name}]`
    if (!field) return [{ path, message: `${type.name} have no such field` }]
    return isSensitive(field) ? [{ path, message: 'is a secret, which nothing is found by' }] : []
  })
  if (faults.length > 0) {
    const reason = `${faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ')}.`
    throw appError('validation_failed', { reason }, { details: faults })
  }
  return Object.entries(filter).map(([name, value]) => ({ name, value }))
}

/** The id of the organization that a query names; null: it names none. Throws validation_failed,
 *  organization_not_found, organization_ambiguous. */
export async function readOrganization(
  db: Db,
  place: OrganizationPlace,
  wanted: string | undefined
): Promise<number | null> {
  if (wanted === undefined) return null
  if (!organizationTypeOf(place.types, place.type)) {
    const message = `${place.type.name} belong to no organization`
    const fault = { path: 'query/organization', message }
    throw appError(
      'validation_failed',
      { reason: `${fault.path}: ${fault.message}.` },
      { details: [fault] }
    )
  }
  return (await findOrganization(db, place, wanted)).id
}

/** Records of one type as JSON, each with its organization; one statement. */
export async function showRecords(
  db: Db,
  place: OrganizationPlace,
  rows: RecordRow[]
): Promise<RecordJson[]> {
  const ids = rows.map((row) => row.organization_id)
  const names = await nameOrganizations(db, place, ids)
  return rows.map((row) => recordJson(place.type, row, names.get(row.organization_id ?? 0) ?? null))
}
