// The versions of a record, newest first: what made each, who, and which fields changed.
// In: a record id and a cursor. Out: a page. Called by routes.ts; memory: one page.
//
// History keeps what fields were before each change. What they became is what they were before the
// next change of the same field, or what they are now: a page is walked from its newest version down.

import type { Static } from 'typebox'
import { AppError } from '../../errors.ts'
import { readCursor, toPage } from '../../platform/cursor.ts'
import type { Db } from '../../platform/db.ts'
import { loadTypes } from '../../record-types/store.ts'
import type { RecordData } from '../../record-types/types.ts'
import { findRecord } from '../list-records.ts'
import type { OrganizationPlace } from '../organizations.ts'
import type { RecordRow } from '../store.ts'
import type { FieldChange, HistoryQuery, Version } from './schemas.ts'
import { type Change, showChanges } from './shown-values.ts'
import {
  type ChangeRow,
  type DeletedRecord,
  findDeleted,
  getMaker,
  listChanges,
  type MakerRow,
  readSince
} from './store.ts'

/** A page of versions. Throws record_not_found, invalid_cursor. */
export async function pageOfHistory(
  db: Db,
  account_id: number,
  id: number,
  query: Static<typeof HistoryQuery>
): Promise<{ data: Version[]; next_cursor: string | null }> {
  const { row, ...place } = await findAnyRecord(db, account_id, id)
  const before = readCursor(query.cursor, row.version + 1)
  const top = Math.min(row.version, before - 1)
  if (top < 1) return { data: [], next_cursor: null }
  const limit = query.limit + 1
  const changes = await listChanges(db, account_id, row, { top, limit })
  const { steps, oldest } = walk(await valuesAt(db, account_id, row, top), changes)
  const bare = changes.map(versionOf)
  // All that is kept has been read: what is left is the version that the oldest change began with.
  if (changes.length < limit) {
    const version = changes.at(-1)?.version ?? top
    const isNew = version === 1
    steps.push(isNew ? created(oldest) : nothing)
    bare.push(await oldestVersion(db, account_id, row, version))
  }
  const { data, next_cursor } = toPage(bare, query.limit, ({ version }) => version)
  const shown = await showChanges(db, place, steps.slice(0, data.length))
  return {
    data: data.map((one, i) => ({ ...one, changes: shown[i] as FieldChange[] })),
    next_cursor
  }
}

/** A record of any type, also one that was deleted: then `deleted` says what else it had. Throws
 *  record_not_found. */
export async function findAnyRecord(
  db: Db,
  account_id: number,
  id: number
): Promise<OrganizationPlace & { row: RecordRow; deleted: DeletedRecord | null }> {
  try {
    return { ...(await findRecord(db, account_id, id)), deleted: null }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'record_not_found') throw error
    const deleted = await findDeleted(db, account_id, id)
    const types = await loadTypes(db, account_id)
    const type = deleted && types.getById(deleted.row.type_id)
    if (!type) throw error
    return { account_id, types, type, row: deleted.row, deleted }
  }
}

const nothing: Change = { before: {}, after: {} }

/** The values of a record in one of its versions, fields without a value absent. Needs the changes
 *  since to be kept. */
export async function valuesAt(
  db: Db,
  account_id: number,
  record: RecordRow,
  version: number
): Promise<RecordData> {
  if (version === record.version) return { ...record.data }
  const { values } = await readSince(db, account_id, record, version)
  return withValues(record.data, values)
}

/** Data with other values in place of its own; null takes one away. */
export function withValues(data: RecordData, values: RecordData): RecordData {
  const all = { ...data, ...values }
  for (const name in values) if (values[name] === null) delete all[name]
  return all
}

/** Goes back change by change. Out: what each changed, and the values before all of them. */
function walk(newest: RecordData, changes: ChangeRow[]): { steps: Change[]; oldest: RecordData } {
  let now = newest
  const steps = changes.map(({ before }) => {
    const after: RecordData = {}
    for (const name in before) after[name] = now[name] ?? null
    now = withValues(now, before)
    return { before, after }
  })
  return { steps, oldest: now }
}

function created(data: RecordData): Change {
  const before = Object.fromEntries(Object.keys(data).map((name) => [name, null]))
  return { before, after: data }
}

type BareVersion = Omit<Version, 'changes'>

function versionOf(row: ChangeRow): BareVersion {
  const { version, changed_at, action, restored_version } = row
  return {
    version: version + 1,
    at: changed_at.toISOString(),
    action,
    restored_version,
    ...madeBy(row)
  }
}

async function oldestVersion(
  db: Db,
  account_id: number,
  row: RecordRow,
  version: number
): Promise<BareVersion> {
  const bare = { version, restored_version: null }
  if (version > 1) return { ...bare, at: null, action: 'not_kept', import: null, key: null }
  const { created_at, created_import_id: import_id } = row
  const maker =
    import_id === null
      ? { import: null, key: null }
      : madeBy(await getMaker(db, account_id, import_id))
  return { ...bare, at: created_at.toISOString(), action: 'create', ...maker }
}

function madeBy({ import_id, file_name, kind, key_id, key_name }: MakerRow) {
  return {
    import: import_id === null ? null : { id: import_id, kind, file_name },
    key: key_id === null || key_name === null ? null : { id: key_id, name: key_name }
  }
}
