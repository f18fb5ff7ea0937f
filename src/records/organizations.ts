// The organizations that records belong to: found by id or name, and named by title.
// Which type plays that part, and by which rule it is found, is said by the record type itself.
// Called by the record routes and by import/ (one organization for a whole file).

import { appError } from '../errors.ts'
import type { Db } from '../platform/db.ts'
import { keyText } from '../record-types/match-keys.ts'
import type { TypeCatalogue } from '../record-types/registry.ts'
import type { RecordType } from '../record-types/types.ts'
import { recordTitle } from './record-json.ts'
import type { NamedRecord } from './schemas.ts'
import { findByKey, getRecords } from './store.ts'

/** Whose records of which type are meant. */
export interface OrganizationPlace {
  account_id: number
  types: TypeCatalogue
  type: RecordType
}

/** The type of the organizations that records of `type` belong to; null: they stand alone. */
export function organizationTypeOf(types: TypeCatalogue, type: RecordType): RecordType | null {
  const reference = organizationReference(type)
  return reference ? types.require(reference.type) : null
}

function organizationReference(type: RecordType) {
  return type.fields.find((field) => field.name === type.organization_field)?.reference
}

/** Finds the organization that a caller means by id or exact name. A text that is the id of one and
 *  the name of another is not guessed. Throws organization_not_found, organization_ambiguous. */
export async function findOrganization(
  db: Db,
  { account_id, types, type }: OrganizationPlace,
  wanted: string | number
): Promise<NamedRecord> {
  const reference = organizationReference(type)
  if (!reference) throw new Error(`${type.name} belong to no organization`)
  const target = types.require(reference.type)
  const text = String(wanted).trim()
  const ids = new Set(/^[1-9]\d{0,14}$/.test(text) ? [Number(text)] : [])
  const rule = target.match_rules.find((one) => one.name === reference.rule)
  if (typeof wanted === 'string' && rule) {
    const value = keyText(rule, text.normalize('NFC'), null)
    const key = { type_id: target.type_id, rule: rule.code, value }
    for (const id of await findByKey(db, account_id, key)) ids.add(id)
  }
  const rows = await getRecords(db, account_id, target.type_id, [...ids])
  const found = rows.map((row) => ({ id: row.id, title: recordTitle(target, row.data) }))
  const [one, ...others] = found
  if (!one) throw appError('organization_not_found', { organization: cut(text) })
  if (others.length > 0) {
    throw appError(
      'organization_ambiguous',
      { organization: cut(text) },
      { details: { candidates: found } }
    )
  }
  return one
}

const cut = (text: string) => (text.length > 100 ? `${text.slice(0, 99).toWellFormed()}…` : text)

/** Titles of organizations by id, for records or imports of one type; one statement. */
export async function nameOrganizations(
  db: Db,
  { account_id, types, type }: OrganizationPlace,
  ids: (number | null)[]
): Promise<Map<number, NamedRecord>> {
  const target = organizationTypeOf(types, type)
  const wanted = [...new Set(ids.filter((id) => id !== null))]
  if (!target || wanted.length === 0) return new Map()
  const rows = await getRecords(db, account_id, target.type_id, wanted)
  return new Map(rows.map((row) => [row.id, { id: row.id, title: recordTitle(target, row.data) }]))
}
