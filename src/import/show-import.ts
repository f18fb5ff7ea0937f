// Reading imports: one with everything around it, and pages of them. Called by routes.ts.

import type { Static } from 'typebox'
import { appError } from '../errors.ts'
import { readCursor, toPage } from '../platform/cursor.ts'
import type { Db } from '../platform/db.ts'
import { waitForDisk } from '../platform/wait-for-disk.ts'
import type { TypeCatalogue } from '../record-types/registry.ts'
import { loadTypes } from '../record-types/store.ts'
import { nameOrganizations } from '../records/organizations.ts'
import type { NamedRecord } from '../records/schemas.ts'
import { type ImportJson, importJson } from './import-json.ts'
import type { ImportRow } from './import-row.ts'
import { type PreviewSettings, previewImport } from './preview.ts'
import type { ImportListQuery } from './request-schemas.ts'
import { type ImportState, isWritten } from './status.ts'
import { findEarlierImport, getImport, listImports } from './store.ts'

interface TypesOfAccount {
  account_id: number
  types: TypeCatalogue
}

/** One import; a draft comes with its preview. Throws import_not_found. */
export async function showImport(
  db: Db,
  settings: PreviewSettings,
  account_id: number,
  id: number
): Promise<ImportJson> {
  const row = await requireImport(db, account_id, id)
  await makeLasting(db, [row])
  const types = await loadTypes(db, account_id)
  const { file_sha256: sha256, type } = row
  const [organization, earlier_import] = await Promise.all([
    organizationOf(db, { account_id, types }, row),
    row.kind === 'undo' ? null : findEarlierImport(db, account_id, { sha256, type, before: id })
  ])
  const preview = row.state === 'draft' ? await previewImport(settings, types, row) : undefined
  return importJson(row, {
    organization,
    earlier_import,
    ...(preview !== undefined && { preview })
  })
}

/** Progress that somebody has seen must not go back when the database server crashes. */
async function makeLasting(db: Db, rows: ImportRow[]): Promise<void> {
  if (rows.some(({ state }) => isWritten(state))) await waitForDisk(db)
}

/** The import's row. Throws import_not_found when the account has none with that id. */
export async function requireImport(db: Db, account_id: number, id: number): Promise<ImportRow> {
  const row = await getImport(db, account_id, id)
  if (!row) throw appError('import_not_found', { id })
  return row
}

/** As `requireImport`, for who wants the outcomes of its rows. Throws rows_gone as well. */
export async function requireRows(db: Db, account_id: number, id: number): Promise<ImportRow> {
  const row = await requireImport(db, account_id, id)
  if (row.rows_dropped_at === null) return row
  throw appError('rows_gone', { id, day: row.rows_dropped_at.toISOString().slice(0, 10) })
}

async function organizationOf(db: Db, place: TypesOfAccount, row: ImportRow) {
  const names = await organizationsOf(db, place, [row])
  return names.get(row.id) ?? null
}

/** A page of imports, newest first. Throws invalid_cursor. */
export async function pageOfImports(
  db: Db,
  account_id: number,
  query: Static<typeof ImportListQuery>
) {
  const rows = await listImports(db, account_id, {
    states: query.state ? (query.state.split(',') as ImportState[]) : null,
    type: query.type ?? null,
    created_after: query.created_after ?? null,
    created_before: query.created_before ?? null,
    q: query.q ?? null,
    before: readCursor(query.cursor, null),
    limit: query.limit + 1
  })
  const { data, next_cursor } = toPage(rows, query.limit, (row) => row.id)
  await makeLasting(db, data)
  const types = await loadTypes(db, account_id)
  const names = await organizationsOf(db, { account_id, types }, data)
  const json = data.map((row) => importJson(row, { organization: names.get(row.id) ?? null }))
  return { data: json, next_cursor }
}

/** The organization of each import that has one, by import id: one statement per record type. */
async function organizationsOf(db: Db, { account_id, types }: TypesOfAccount, rows: ImportRow[]) {
  const found = new Map<number, NamedRecord>()
  for (const [name, those] of Map.groupBy(rows, (row) => row.type)) {
    const type = types.get(name)
    if (!type) continue
    const ids = those.map((row) => row.options.organization_id)
    const names = await nameOrganizations(db, { account_id, types, type }, ids)
    for (const { id, options } of those) {
      const organization = names.get(options.organization_id ?? 0)
      if (organization) found.set(id, organization)
    }
  }
  return found
}
