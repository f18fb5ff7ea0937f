// Brings the values of an earlier version of a record back, as a new version.
// In: who asks, a record id, which version and fields. Out: the record, and what changed. Called by
// routes.ts. All in one transaction that has the type's turn: what was checked holds when it is
// written, and an import that runs meanwhile sees the outcome with its next batch.

import { appError } from '../../errors.ts'
import { type Db, type Pool, type Tx, withTransaction } from '../../platform/db.ts'
import type { Secrets } from '../../platform/secrets.ts'
import type { ReadCell } from '../../record-types/read-values.ts'
import { listPastShapes } from '../../record-types/store.ts'
import type { RecordData, RecordType } from '../../record-types/types.ts'
import { stillChanged } from '../event-records.ts'
import { showRecords } from '../list-records.ts'
import type { OrganizationPlace } from '../organizations.ts'
import type { RecordJson } from '../record-json.ts'
import { getActor, getRecords, lockTelling, noteTold, type RecordRow, readTold } from '../store.ts'
import { type Telling, tellRecords } from '../tell-records.ts'
import { applyValues } from '../write/apply-values.ts'
import { ensureHistory } from '../write/store.ts'
import { openRecords, returnRecords, writeValues } from '../write/write-values.ts'
import { findAnyRecord, withValues } from './list-history.ts'
import { planRestore } from './plan-restore.ts'
import { findConflicts } from './restore-conflicts.ts'
import type { Conflict, FieldChange, Restore } from './schemas.ts'
import { showChanges } from './shown-values.ts'
import { type DeletedRecord, holdRecords, readSince } from './store.ts'
import { pastFields } from './unfit-values.ts'

export interface RestoreContext {
  pool: Pool
  secrets: Secrets
  /** How a text is read as a value of a field. */
  readCell: ReadCell
  account_id: number
  /** The API key that asks. */
  key_id: number
}

export interface Restored {
  record: RecordJson
  restored_version: number
  dry_run: boolean
  changes: FieldChange[]
  conflicts: Conflict[]
}

/** Restores a version, or says what that would change. Throws record_not_found, version_not_found,
 *  version_conflict, validation_failed (unknown field), restore_conflict (not in a dry run),
 *  secret_key_missing. */
export async function restoreRecord(
  context: RestoreContext,
  id: number,
  wanted: Restore
): Promise<Restored> {
  const { pool, account_id } = context
  const { row } = await findAnyRecord(pool, account_id, id)
  if (!wanted.dry_run) await ensureHistory(pool)
  return withTransaction(pool, async (tx) => {
    const place = await openPlace(tx, account_id, row, wanted.dry_run)
    const set = await planSet(tx, context.secrets, place, wanted)
    const { type } = place
    const shapes = await listPastShapes(tx, account_id, type.type_id)
    const past = pastFields(type, shapes, context.readCell)
    const restore = { ...place, db: tx, set, past, isReturn: place.deleted !== null }
    const conflicts = await findConflicts(restore, (type_id, ids) =>
      existingRecords(tx, account_id, type_id, ids, wanted.dry_run)
    )
    if (!wanted.dry_run) {
      await write(tx, context, restore, conflicts, wanted.version)
      await tell(tx, context, restore)
    }
    return await answer(tx, restore, conflicts, wanted)
  })
}

/** `deleted`: the record is not there, and `row` is what it is while it is gone. */
type RecordPlace = OrganizationPlace & { row: RecordRow; deleted: DeletedRecord | null }

/** The record and its type, which stay as they are from here on unless it is a dry run. */
async function openPlace(
  tx: Tx,
  account_id: number,
  { id, type_id }: RecordRow,
  dry_run: boolean
): Promise<RecordPlace> {
  if (!dry_run) await openRecords({ tx, account_id, type_id }, [])
  return findAnyRecord(tx, account_id, id)
}

/** The values to set. */
async function planSet(
  db: Db,
  secrets: Secrets,
  { account_id, type, row, deleted }: RecordPlace,
  { version, fields, expected_version }: Restore
): Promise<RecordData> {
  const { id } = row
  if (expected_version !== undefined && expected_version !== row.version) {
    const args = { id, found: row.version, expected: expected_version }
    throw appError('version_conflict', args, { details: { version: row.version } })
  }
  checkFields(type, fields ?? [])
  if (deleted && fields) {
    const fault = { path: 'body/fields', message: 'a deleted record comes back whole' }
    const reason = `${fault.path}: ${fault.message}.`
    throw appError('validation_failed', { reason }, { details: [fault] })
  }
  if (version > row.version) throw appError('version_not_found', { id, version })
  const { values, kept } = await readSince(db, account_id, row, version)
  if (kept < row.version - version) throw appError('version_not_found', { id, version })
  const then = withValues(row.data, values)
  const set = planRestore(type, secrets, { now: row.data, then }, fields)
  if (Object.keys(set).length === 0) return set
  const given = new Set(Object.keys(set).filter((name) => set[name] !== null))
  const after = applyValues(type, row, set).data
  // What follows from the values by the type's own rules, as for a row of an import.
  return { ...set, ...type.check?.({ after, given, isNew: false }).set }
}

function checkFields(type: RecordType, fields: string[]): void {
  const known = new Set(type.fields.map(({ name }) => name))
  const faults = fields.flatMap((name, i) =>
    known.has(name)
      ? []
      : [{ path: `body/fields/${i}`, message: `${type.name} have no such field` }]
  )
  if (faults.length === 0) return
  const reason = `${faults.map(({ path, message }) => `${path}: ${message}`).join('; ')}.`
  throw appError('validation_failed', { reason }, { details: faults })
}

async function existingRecords(
  tx: Tx,
  account_id: number,
  type_id: number,
  ids: number[],
  dry_run: boolean
): Promise<Set<number>> {
  if (!dry_run) return holdRecords(tx, account_id, type_id, ids)
  return new Set((await getRecords(tx, account_id, type_id, ids)).map(({ id }) => id))
}

async function write(
  tx: Tx,
  { account_id, key_id }: RestoreContext,
  { type, row, set, deleted }: RecordPlace & { set: RecordData },
  conflicts: Conflict[],
  version: number
): Promise<void> {
  if (conflicts.length > 0) {
    const reasons = conflicts.map(({ message }) => message).join(' ')
    throw appError('restore_conflict', { id: row.id, version, reasons }, { details: { conflicts } })
  }
  const author = { import_id: null, actor_key: key_id }
  const one = { record: row, set, restored_version: version }
  const place = { tx, account_id, type }
  // A version in which it was gone already: nothing comes back.
  if (deleted && Object.keys(set).length > 0) {
    await returnRecords(place, author, [{ ...one, facts: deleted.facts }])
  } else if (!deleted) await writeValues(place, author, [one])
}

/** The event of what was written; none when it said all that already. */
async function tell(
  tx: Tx,
  { account_id, key_id }: RestoreContext,
  { row, set, deleted, types, type }: RecordPlace & { set: RecordData }
): Promise<void> {
  const { changed } = applyValues(type, row, set)
  await lockTelling(tx, account_id)
  const [now] = await getRecords(tx, account_id, type.type_id, [row.id])
  if (changed.length === 0 || !now) return
  const { id, version, data, organization_id } = now
  const past = (await readTold(tx, account_id, [id])).get(id)
  // What was held until now is told along: nobody else will.
  const isBehind = !deleted && past !== undefined && !past.is_gone && past.version < row.version
  const before = isBehind
    ? stillChanged((await readSince(tx, account_id, now, past.version)).values, data)
    : Object.fromEntries(changed.map((name) => [name, row.data[name] ?? null]))
  const about = { id, version, data, organization_id, gone: false }
  if (isBehind && Object.keys(before).length === 0) return noteTold(tx, account_id, [about])
  const actor = isBehind ? null : await getActor(tx, account_id, key_id)
  const told = { ...about, before: deleted ? null : before }
  const telling = { type: deleted ? 'record.created' : 'record.updated', import_id: null, actor }
  await tellRecords(tx, { account_id, types, type }, telling as Telling, [told])
}

/** The record as it is after the restore, or as it would be. */
async function answer(
  tx: Tx,
  { row, set, db: _, deleted: __, ...place }: RecordPlace & { set: RecordData; db: Db },
  conflicts: Conflict[],
  { version, dry_run }: Restore
): Promise<Restored> {
  const { account_id, type } = place
  const { data, organization_id, changed } = applyValues(type, row, set)
  const pick = (values: RecordData) =>
    Object.fromEntries(changed.map((name) => [name, values[name] ?? null]))
  const [changes = []] = await showChanges(tx, place, [
    { before: pick(row.data), after: pick(data) }
  ])
  const [now] = dry_run ? [] : await getRecords(tx, account_id, type.type_id, [row.id])
  const [record] = await showRecords(tx, place, [now ?? { ...row, data, organization_id }])
  if (!record) throw new Error(`record ${row.id} is not shown`)
  return { record, restored_version: version, dry_run, changes, conflicts }
}
