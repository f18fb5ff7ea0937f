// What must be true after any faults: every row has its one outcome, every key its one record, every
// change its one version, all of it in the right account. In: what was sent. Out: what was found.
// Called by the scenarios and by test/chaos.test.ts.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { keysOf } from '../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import type { RecordData, RecordType } from '../../src/record-types/types.ts'
import { type ChaosFile, type FileType, fileTypes } from './files.ts'
import type { Query } from './place.ts'

/** A file and the import that it became. */
export interface SentFile extends ChaosFile {
  import_id: number
}

export interface Findings {
  rows: number
  /** Rows without outcome, keys without record or index entry, versions without history. */
  missing: number
  /** Outcomes, records, index entries or versions too many. */
  doubled: number
  /** Everything else that is not as it should be. */
  wrong: number
  /** The first of each kind, in words. */
  notes: string[]
}

export const noFindings = (): Findings => ({ rows: 0, missing: 0, doubled: 0, wrong: 0, notes: [] })

const maxNotes = 20

function note(found: Findings, kind: 'missing' | 'doubled' | 'wrong', count: number, text: string) {
  if (count === 0) return
  found[kind] += count
  if (found.notes.length < maxNotes) found.notes.push(`${kind}: ${text} (${count})`)
}

/** One import that has ended: every row of its file has one outcome, and the counts say the same. */
export async function checkImport(query: Query, sent: SentFile, found: Findings): Promise<void> {
  const [row] = await query<{
    state: string
    counted: number
    good: number
    total: number | null
    outcomes: number
    numbers: number
    highest: number | null
    waiting: number
    error: unknown
  }>(
    `SELECT i.state, i.rows_total AS total, i.error, i.rows_created + i.rows_updated AS good,
      i.rows_created + i.rows_updated + i.rows_unchanged + i.rows_skipped + i.rows_rejected
        + i.rows_failed AS counted,
      count(r.row_number) AS outcomes, count(DISTINCT r.row_number) AS numbers,
      max(r.row_number) AS highest,
      (SELECT count(*) FROM import_waiting_rows w WHERE w.import_id = i.id) AS waiting
    FROM imports i
    LEFT JOIN import_rows r ON r.account_id = i.account_id AND r.import_id = i.id
    WHERE i.id = $1::bigint
    GROUP BY i.account_id, i.id`,
    [sent.import_id]
  )
  const rows = sent.keys.length
  const what = `import ${sent.import_id} (${sent.tag}, ${row?.state})`
  found.rows += rows
  if (!row) return note(found, 'missing', rows, `${what} is gone`)
  note(found, 'missing', Math.max(0, rows - row.numbers), `outcomes of ${what}`)
  note(found, 'doubled', row.outcomes - row.numbers, `outcomes of ${what}`)
  note(found, 'doubled', Math.max(0, (row.highest ?? 0) - rows), `row numbers of ${what}`)
  note(found, 'wrong', Math.abs(row.counted - row.outcomes), `counts of ${what}`)
  note(found, 'wrong', row.total === rows ? 0 : 1, `total ${row.total} of ${what}`)
  note(found, 'wrong', row.waiting, `rows that still wait of ${what}`)
  note(found, 'wrong', rows - row.good, `rows not created or updated by ${what}`)
  if (row.state !== 'completed') note(found, 'wrong', 1, `${what}: ${JSON.stringify(row.error)}`)
}

interface StoredRecord {
  type_id: number
  id: number
  version: number
  organization_id: number | null
  created_import_id: number
  data: RecordData
}

interface Change {
  record_id: number
  version: number
  import_id: number
  before: RecordData
}

/** All that an account has, once none of its imports is at work. */
export async function checkAccount(
  query: Query,
  account_id: number,
  sent: SentFile[],
  found: Findings
): Promise<void> {
  const records = await query<StoredRecord>(
    `SELECT r.type_id, r.id, r.version, r.organization_id, r.created_import_id, r.data
    FROM records r WHERE r.account_id = $1::integer`,
    [account_id]
  )
  const changes = await query<Change>(
    `SELECT c.record_id, c.version, c.import_id, c.before
    FROM record_changes c WHERE c.account_id = $1::integer`,
    [account_id]
  )
  checkRecords(records, sent, found)
  checkHistory(records, changes, sent, found)
  await checkKeys(query, account_id, records, found)
  await checkOutcomes(query, account_id, records, changes, found)
}

/** Each key that was sent has one record, inside an organization of the account. */
function checkRecords(records: StoredRecord[], sent: SentFile[], found: Findings): void {
  const organizations = builtinTypes.require('organizations')
  const ids = new Set(records.filter((one) => one.type_id === organizations.type_id).map(idOf))
  for (const name of Object.keys(fileTypes) as FileType[]) {
    const type = builtinTypes.require(name)
    const wanted = new Set(
      sent.flatMap((file) => [
        ...(file.type === name ? file.keys : []),
        ...(name === 'organizations' ? file.organizations : [])
      ])
    )
    const stored = new Map<string, number>()
    for (const { type_id, data, organization_id } of records) {
      if (type_id !== type.type_id) continue
      const key = String(data[fileTypes[name].key])
      stored.set(key, (stored.get(key) ?? 0) + 1)
      if (!wanted.has(key)) note(found, 'wrong', 1, `${name} ${key} was never sent`)
      const isLost = type !== organizations && !ids.has(organization_id ?? 0)
      if (isLost) note(found, 'wrong', 1, `organization of ${name} ${key} is not there`)
    }
    for (const key of wanted) if (!stored.has(key)) note(found, 'missing', 1, `${name} ${key}`)
    for (const [key, count] of stored) note(found, 'doubled', count - 1, `${name} ${key}`)
  }
}

const idOf = ({ id }: { id: number }) => id

/** Versions have no gap and none twice, and each says what the import said that made it. */
function checkHistory(
  records: StoredRecord[],
  changes: Change[],
  sent: SentFile[],
  found: Findings
): void {
  const byRecord = Map.groupBy(changes, ({ record_id }) => record_id)
  const files = new Map(sent.map((file) => [file.import_id, file]))
  for (const record of records) {
    const own = byRecord.get(record.id) ?? []
    const byVersion = new Map(own.map((change) => [change.version, change]))
    note(found, 'doubled', own.length - byVersion.size, `history of record ${record.id}`)
    const name = (Object.keys(fileTypes) as FileType[]).find(
      (one) => builtinTypes.require(one).type_id === record.type_id
    )
    let maker = record.created_import_id
    for (let version = 1; version <= record.version; version++) {
      const next = byVersion.get(version)
      const isLast = version === record.version
      if (isLast === (next !== undefined)) {
        note(found, isLast ? 'doubled' : 'missing', 1, `version ${version} of ${record.id}`)
      }
      if (name === undefined) continue
      const { tag } = fileTypes[name]
      const file = files.get(maker)
      // An organization that a row of another type has named says nothing about itself.
      const wanted = file?.type === name ? file.tag : null
      const told = (next ? next.before[tag] : record.data[tag]) ?? null
      if (!file || told !== wanted) {
        note(found, 'wrong', 1, `version ${version} of ${name} ${record.id} says ${told}`)
      }
      maker = next?.import_id ?? 0
    }
  }
}

/** The index has the keys that the values give, and no other. */
async function checkKeys(
  query: Query,
  account_id: number,
  records: StoredRecord[],
  found: Findings
): Promise<void> {
  const types = new Map<number, RecordType>(builtinTypes.list.map((type) => [type.type_id, type]))
  const wanted = new Set(
    records.flatMap(({ type_id, id, data, organization_id }) =>
      (types.get(type_id)?.match_rules ?? []).flatMap((rule) =>
        keysOf(rule, data, organization_id).map((key) => `${type_id} ${id} ${rule.code} ${key}`)
      )
    )
  )
  const stored = await query<{ key: string }>(
    `SELECT k.type_id || ' ' || k.record_id || ' ' || k.rule || ' ' || k.value AS key
    FROM record_keys k WHERE k.account_id = $1::integer`,
    [account_id]
  )
  for (const { key } of stored) if (!wanted.delete(key)) note(found, 'doubled', 1, `key ${key}`)
  for (const key of wanted) note(found, 'missing', 1, `key ${key}`)
}

/** Outcomes, records and history tell the same story. */
async function checkOutcomes(
  query: Query,
  account_id: number,
  records: StoredRecord[],
  changes: Change[],
  found: Findings
): Promise<void> {
  const outcomes = await query<{ import_id: number; outcome: string; record_id: number }>(
    `SELECT r.import_id, r.outcome, r.record_id
    FROM import_rows r WHERE r.account_id = $1::integer`,
    [account_id]
  )
  const created = new Map(records.map((one) => [one.id, one.created_import_id]))
  const updates = new Set(changes.map((one) => `${one.import_id} ${one.record_id}`))
  let updated = 0
  for (const { import_id, outcome, record_id } of outcomes) {
    const place = `${import_id} ${record_id}`
    if (!created.has(record_id)) note(found, 'missing', 1, `record ${place} of an outcome`)
    if (outcome === 'created' && created.get(record_id) !== import_id) {
      note(found, 'wrong', 1, `outcome created ${place}`)
    }
    if (outcome !== 'updated') continue
    updated++
    if (!updates.has(place)) note(found, 'missing', 1, `history of outcome updated ${place}`)
  }
  note(found, 'doubled', changes.length - updated, `changes of account ${account_id}`)
}

/** The folder for uploads holds the file of each import, and nothing that is half written. */
export async function checkUploads(query: Query, dataDir: string, found: Findings): Promise<void> {
  const folder = join(dataDir, 'uploads')
  const partial = await readdir(join(folder, 'partial')).catch(() => [])
  note(found, 'wrong', partial.length, 'uploads that were cut off and are still there')
  const files = new Set((await readdir(folder)).filter((name) => name !== 'partial'))
  const imports = await query<{ file_key: string }>('SELECT i.file_key FROM imports i')
  for (const { file_key } of imports) {
    if (!files.delete(file_key)) note(found, 'missing', 1, `upload ${file_key}`)
  }
  note(found, 'wrong', files.size, 'uploads that no import names')
}
