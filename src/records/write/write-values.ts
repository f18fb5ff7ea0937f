// Values -> records, their keys and their history, for up to 3,000 records of one type at a time.
// A constant number of statements, whatever the batch holds. Called by whoever changes records without
// a file: restoring a version, taking an import back.
//
// In two steps inside the caller's transaction: `openRecords` takes the type's turn and reads,
// `writeValues` writes. What is decided in between holds until the transaction ends. Call
// `ensureHistory` before the transaction begins.

import { diffKeys } from '../../record-types/changed-keys.ts'
import { holdWriters } from '../../record-types/store.ts'
import type { RecordData, RecordType } from '../../record-types/types.ts'
import { getRecords, type RecordRow } from '../store.ts'
import { applyValues } from './apply-values.ts'
import {
  type Author,
  deleteKeys,
  insertChanges,
  insertKeys,
  type RecordKey,
  type RecordUpdate,
  recreateRecords,
  type TypePlace,
  updateRecords
} from './store.ts'

/** Takes the turn of the type, as imports do for every batch, and reads the records; those that do
 *  not exist are left out. An import that is running finds out that somebody else wrote, and drops
 *  what it remembers. Load the types of the account afterwards: changing them takes the turn, too. */
export async function openRecords(
  { tx, account_id, type_id }: TypePlace,
  ids: number[]
): Promise<RecordRow[]> {
  await holdWriters(tx, account_id, type_id)
  return getRecords(tx, account_id, type_id, ids)
}

export interface ValueWrite {
  /** As `openRecords` has read it. */
  record: RecordRow
  /** New values; null: the field is cleared. Secrets are sealed. Fields not named stay. */
  set: RecordData
  /** The version whose values these are; absent: it is no restore. */
  restored_version?: number
}

export interface WrittenRecord {
  id: number
  /** The version it has now; as before when nothing changed. */
  version: number
  /** Names of the fields that changed; []: it said all that already, and nothing was written. */
  changed: string[]
}

/** Writes values into records, each at most once. Out: what became of each, in order. Throws an Error
 *  when a record is not as it was read: the turn was not taken. */
export async function writeValues(
  place: Omit<TypePlace, 'type_id'> & { type: RecordType },
  author: Author,
  writes: ValueWrite[]
): Promise<WrittenRecord[]> {
  const { type } = place
  const at = { ...place, type_id: type.type_id }
  const gained: RecordKey[] = []
  const lost: RecordKey[] = []
  const updates: RecordUpdate[] = []
  const written = writes.map(({ record, set, restored_version }): WrittenRecord => {
    const after = applyValues(type, record, set)
    const { id, version } = record
    const { changed } = after
    if (changed.length === 0) return { id, version, changed }
    const keys = diffKeys(type, record, after, changed)
    gained.push(...keys.gained.map((key) => ({ ...key, record_id: id })))
    lost.push(...keys.lost.map((key) => ({ ...key, record_id: id })))
    updates.push({
      id,
      version,
      organization_id: after.organization_id,
      set: pick(set, changed),
      before: pick(record.data, changed),
      restored_version: restored_version ?? null
    })
    return { id, version: version + 1, changed }
  })
  if (updates.length === 0) return written
  const count = await updateRecords(at, author, updates)
  if (count !== updates.length) throw new Error(`${count} of ${updates.length} records were there`)
  await insertChanges(at, author, updates)
  await deleteKeys(at, lost)
  await insertKeys(at, gained)
  return written
}

export interface ReturnWrite extends ValueWrite {
  /** What its deletion has kept besides the values. */
  facts: object
}

/** Brings deleted records back with values, under their ids. `record`: what the record is while it is
 *  gone, without values and in the version that its deletion made. */
export async function returnRecords(
  place: Omit<TypePlace, 'type_id'> & { type: RecordType },
  author: Author,
  writes: ReturnWrite[]
): Promise<void> {
  const { type } = place
  const at = { ...place, type_id: type.type_id }
  const gained: RecordKey[] = []
  const records = writes.map(({ record, set, restored_version, facts }) => {
    const { id, version } = record
    const { data, organization_id, changed } = applyValues(type, record, set)
    const keys = diffKeys(type, record, { data, organization_id }, changed)
    gained.push(...keys.gained.map((key) => ({ ...key, record_id: id })))
    const back = { id, version: version + 1, organization_id, data, facts }
    return { ...back, restored_version: restored_version ?? null }
  })
  await recreateRecords(at, author, records)
  await insertKeys(at, gained)
}

function pick(values: RecordData, names: string[]): RecordData {
  return Object.fromEntries(names.map((name) => [name, values[name] ?? null]))
}
