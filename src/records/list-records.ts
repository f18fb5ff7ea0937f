// The verbs of the record routes: one record, and pages of records. In: plain values of the request.
// Out: records as JSON. Called by routes.ts.

import type { Static } from 'typebox'
import { appError } from '../errors.ts'
import { readCursor, toPage } from '../platform/cursor.ts'
import type { Db } from '../platform/db.ts'
import {
  getRecordType,
  getRecordTypeById,
  listRecordTypes,
  recordTypeNames
} from '../record-types/registry.ts'
import type { RecordType } from '../record-types/types.ts'
import { findOrganization, nameOrganizations, organizationTypeOf } from './organizations.ts'
import { type RecordJson, recordJson } from './record-json.ts'
import type { RecordListQuery } from './schemas.ts'
import { getRecord, listRecords, type RecordRow } from './store.ts'

/** One record. Throws record_not_found. */
export async function showRecord(db: Db, account_id: number, id: number): Promise<RecordJson> {
  const type_ids = listRecordTypes().map((type) => type.type_id)
  const row = await getRecord(db, account_id, type_ids, id)
  const type = row && getRecordTypeById(row.type_id)
  if (!type) throw appError('record_not_found', { id })
  const [json] = await withOrganizations(db, account_id, type, [row])
  return json as RecordJson // one row in, one out
}

/** A page of records of one type. Throws unknown_record_type, validation_failed (unknown field),
 *  organization_not_found, organization_ambiguous, invalid_cursor. */
export async function pageOfRecords(
  db: Db,
  account_id: number,
  query: Static<typeof RecordListQuery>
) {
  const type = getRecordType(query.type)
  if (!type) {
    const known = recordTypeNames().join(', ')
    throw appError('unknown_record_type', { type: query.type, known })
  }
  const fields = checkFields(type, query.filter ?? {})
  const organization_id = await readOrganization(db, account_id, type, query.organization)
  const rows = await listRecords(db, account_id, {
    type_id: type.type_id,
    organization_id,
    fields,
    after: readCursor(query.cursor, 0),
    limit: query.limit + 1
  })
  const { data, next_cursor } = toPage(rows, query.limit, (row) => row.id)
  return { data: await withOrganizations(db, account_id, type, data), next_cursor }
}

function checkFields(type: RecordType, filter: Record<string, string>) {
  const known = new Set(type.fields.map((field) => field.name))
  const faults = Object.keys(filter)
    .filter((name) => !known.has(name))
    .map((name) => ({ path: `query/filter[${name}]`, message: `${type.name} have no such field` }))
  if (faults.length > 0) {
    const reason = `${faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ')}.`
    throw appError('validation_failed', { reason }, { details: faults })
  }
  return Object.entries(filter).map(([name, value]) => ({ name, value }))
}

async function readOrganization(
  db: Db,
  account_id: number,
  type: RecordType,
  wanted: string | undefined
): Promise<number | null> {
  if (wanted === undefined) return null
  if (!organizationTypeOf(type)) {
    const fault = { path: 'query/organization', message: `${type.name} belong to no organization` }
    throw appError(
      'validation_failed',
      { reason: `${fault.path}: ${fault.message}.` },
      { details: [fault] }
    )
  }
  return (await findOrganization(db, account_id, type, wanted)).id
}

async function withOrganizations(db: Db, account_id: number, type: RecordType, rows: RecordRow[]) {
  const ids = rows.map((row) => row.organization_id)
  const names = await nameOrganizations(db, account_id, type, ids)
  return rows.map((row) => recordJson(row, names.get(row.organization_id ?? 0) ?? null))
}
