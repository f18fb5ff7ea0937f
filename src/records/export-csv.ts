// Records of one type as CSV that an import takes as it is: sent again it changes nothing, edited it
// changes what was edited.
// In: a query and who asks. Out: CSV text, page by page in the order of ids; memory: one page.
// Called by routes.ts.

import type { Static } from 'typebox'
import { csvLine } from '../platform/csv-text.ts'
import type { Db } from '../platform/db.ts'
import type { Secrets } from '../platform/secrets.ts'
import { type Field, idLabel, isSensitive, type Json } from '../record-types/types.ts'
import { findPlace, readOrganization } from './list-records.ts'
import type { OrganizationPlace } from './organizations.ts'
import { openValue, requireSecretReader, type SecretReader } from './read-secrets.ts'
import { referenceCells } from './reference-cells.ts'
import type { ExportQuery } from './schemas.ts'
import { listRecords, type RecordRow } from './store.ts'

const pageRows = 2_000

export interface RecordExport {
  /** Name of the record type. */
  type: string
  /** Sensitive fields whose values are in it. */
  secretFields: string[]
  /** The file in parts; nothing is read before it is asked for. */
  csv: AsyncGenerator<string>
}

/** Prepares an export. Throws forbidden, unknown_record_type, validation_failed (an organization
 *  where there is none), organization_not_found, organization_ambiguous. */
export async function exportRecords(
  db: Db,
  secrets: Secrets,
  reader: SecretReader,
  query: Static<typeof ExportQuery>
): Promise<RecordExport> {
  if (query.secrets) requireSecretReader(reader)
  const place = await findPlace(db, reader.account_id, query.type)
  const organization_id = await readOrganization(db, place, query.organization)
  const opened = query.secrets ? secrets : null
  const sensitive = place.type.fields.filter(isSensitive).map((field) => field.name)
  return {
    type: place.type.name,
    secretFields: query.secrets ? sensitive : [],
    csv: csvPages(db, place, { organization_id, opened })
  }
}

interface Choice {
  organization_id: number | null
  /** null: cells of sensitive fields stay blank. */
  opened: Secrets | null
}

async function* csvPages(db: Db, place: OrganizationPlace, choice: Choice): AsyncGenerator<string> {
  const { account_id, type } = place
  // Goes out with the first page, so that what fails there can still be answered as a problem.
  let text = csvLine([idLabel, ...type.fields.map((field) => field.label)])
  let after = 0
  for (;;) {
    const { type_id } = type
    const { organization_id } = choice
    const filter = { type_id, organization_id, fields: [], after, limit: pageRows }
    const rows = await listRecords(db, account_id, filter)
    text += await csvPage(db, place, rows, choice.opened)
    if (text !== '') yield text
    const last = rows.at(-1)
    if (!last || rows.length < pageRows) return
    text = ''
    after = last.id
  }
}

async function csvPage(
  db: Db,
  place: OrganizationPlace,
  rows: RecordRow[],
  opened: Secrets | null
): Promise<string> {
  const columns: string[][] = []
  for (const field of place.type.fields) {
    columns.push(
      field.kind === 'reference'
        ? await referenceCells(db, place, field, rows)
        : rows.map(({ data }) => cellOf(field, data[field.name], opened))
    )
  }
  // Ids are numbers to us, and no formula can begin with one.
  return rows.map((row, i) => csvLine([row.id, ...columns.map((cells) => cells[i])])).join('')
}

/** The cell that an import reads as this value. */
export function cellOf(field: Field, value: Json | undefined, opened: Secrets | null): string {
  if (value === undefined || value === null) return ''
  if (isSensitive(field)) return opened ? plainCell(field, openValue(opened, value)) : ''
  return plainCell(field, value)
}

// What clears a cell unless an import says otherwise; quotes in front are counted in, so that taking
// one off again is exactly the reverse.
const clearMarker = /^'*__CLEAR__$/

function plainCell(field: Field, value: Json): string {
  const text =
    field.many && Array.isArray(value)
      ? listText(
          value.map((one) => textOf(field, one)),
          field.many.separator
        )
      : textOf(field, value)
  return clearMarker.test(text) ? `'${text}` : text
}

/** The values with the separator between them; as a JSON list where that would be read otherwise. */
function listText(texts: string[], separator: string): string {
  const plain = texts.join(separator)
  const isUnclear =
    texts.some((one) => one.includes(separator) || (texts.length > 1 && clearMarker.test(one))) ||
    plain.startsWith('["')
  return isUnclear ? JSON.stringify(texts) : plain
}

function textOf(field: Field, value: Json): string {
  if (field.kind === 'json')
    return typeof value === 'string' && isSensitive(field) ? value : JSON.stringify(value)
  if (typeof value === 'number') return decimal(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A number without an exponent, which no cell may have, and with all its digits. */
function decimal(value: number): string {
  const text = String(value)
  const [, sign = '', first = '', rest = '', exponent] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? []
  if (exponent === undefined) return text
  const digits = first + rest
  const point = 1 + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}${point < digits.length ? `.${digits.slice(point)}` : ''}`
}
