// The records of a batch as its rows leave them, one row after the other: what an earlier row made
// or changed is seen by the later ones, before anything is written. Filled by decide-rows.ts, written
// by write/.

import { diffKeys } from '../record-types/changed-keys.ts'
import type { RecordData, RecordType } from '../record-types/types.ts'
import type { ExistingRecord } from './decide/existing-record.ts'
import { type Identities, identitiesOf } from './match/identities.ts'

/** A record that the batch makes or changes. */
export interface BatchRecord {
  /** As the latest row left it. */
  now: ExistingRecord & { data: RecordData; fingerprint: number }
  /** As the database has it; null: the batch makes it. */
  before: ExistingRecord | null
  /** All changes together; null values: the field is cleared. Of a new record: nothing. */
  set: RecordData
  /** What each change changed: the version before it and the values that version had. */
  steps: { version: number; before: RecordData }[]
  /** Keys of a new record that no later row has changed; null: to be worked out. */
  keys: string[][] | null
  identities: Identities | null
}

export interface BatchRecords {
  all: Map<number, BatchRecord>
  /** Per match rule, key -> records that got it in this batch. */
  gained: Map<string, number[]>[]
  /** Per match rule, key -> records that lost it in this batch. */
  lost: Map<string, number[]>[]
  /** Whether any key was gained or lost that a later row may have. */
  hasKeys: boolean
}

/** Nothing made or changed yet. */
export function noRecords(type: RecordType): BatchRecords {
  const maps = () => type.match_rules.map(() => new Map<string, number[]>())
  return { all: new Map(), gained: maps(), lost: maps(), hasKeys: false }
}

// A new record that no later row changes; never written to.
const none: RecordData = Object.freeze({})
const noSteps: BatchRecord['steps'] = []

/** Adds a record that a row makes. `shared`: per rule, the keys that other rows have as well. */
export function addMade(
  records: BatchRecords,
  made: BatchRecord['now'],
  keys: string[][],
  shared: (Set<string> | null)[]
): void {
  records.all.set(made.id, {
    now: made,
    before: null,
    set: none,
    steps: noSteps,
    keys,
    identities: null
  })
  for (let index = 0; index < keys.length; index++) {
    const repeated = shared[index]
    if (!repeated) continue
    for (const key of keys[index] as string[]) {
      if (repeated.has(key)) put(records, index, key, made.id)
    }
  }
}

/** Adds a change of a record, whether it is of this batch or not. */
export function addChange(
  records: BatchRecords,
  type: RecordType,
  record: ExistingRecord,
  change: {
    set: RecordData
    before: RecordData
    organization_id: number | null
    fingerprint: number
  }
): void {
  const { set, before, organization_id, fingerprint } = change
  const was = record.data ?? {}
  const data = { ...was, ...set }
  for (const name in set) if (set[name] === null) delete data[name]
  const now = { id: record.id, version: record.version + 1, organization_id, fingerprint, data }
  const known = records.all.get(record.id)
  const step = { version: record.version, before }
  if (known) {
    known.now = now
    known.steps = [...known.steps, step]
    known.keys = null
    known.identities = null
    known.set = { ...known.set, ...set }
  } else {
    const one = { now, before: record, set, steps: [step], keys: null, identities: null }
    records.all.set(record.id, one)
  }
  const stored = { data: was, organization_id: record.organization_id }
  const { gained, lost } = diffKeys(type, stored, now, Object.keys(set))
  for (const { index, value } of gained) put(records, index, value, record.id)
  for (const { index, value } of lost) take(records, index, value, record.id)
}

function put(records: BatchRecords, index: number, key: string, id: number): void {
  remove(records.lost[index], key, id)
  const ids = records.gained[index]?.get(key)
  if (ids) ids.push(id)
  else records.gained[index]?.set(key, [id])
  records.hasKeys = true
}

function take(records: BatchRecords, index: number, key: string, id: number): void {
  remove(records.gained[index], key, id)
  const ids = records.lost[index]?.get(key)
  if (ids) ids.push(id)
  else records.lost[index]?.set(key, [id])
  records.hasKeys = true
}

function remove(map: Map<string, number[]> | undefined, key: string, id: number): void {
  const ids = map?.get(key)?.filter((one) => one !== id)
  if (ids) map?.set(key, ids)
}

/** The identities of a record of the batch. */
export function identitiesNow(type: RecordType, record: BatchRecord): Identities {
  record.identities ??= identitiesOf(type, record.now.data)
  return record.identities
}
