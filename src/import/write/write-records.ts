// Decisions -> records, keys and history. A constant number of statements, whatever the batch holds.
// In: what is to be created and updated. The caller holds the types' locks and the transaction.

import { copyInto, type Tx } from '../../platform/db.ts'
import { keysOf } from '../../record-types/match-keys.ts'
import type { RecordData, RecordType } from '../../record-types/types.ts'
import { chunkLines, copyText } from './copy-text.ts'

export interface NewRecord {
  id: number
  type_id: number
  organization_id: number | null
  fingerprint: number | null
  data: RecordData
  /** Keys by match rule code. */
  keys: { rule: number; value: string }[]
}

export interface ChangedRecord {
  id: number
  version: number
  organization_id: number | null
  fingerprint: number
  /** All values before the change. */
  data: RecordData
  /** Only the fields that change: new values and values before (null: had none). */
  set: RecordData
  before: RecordData
}

export interface WritePlace {
  tx: Tx
  account_id: number
  import_id: number
  type: RecordType
}

/** Creates records with their keys. */
export async function createRecords(place: WritePlace, records: NewRecord[]): Promise<void> {
  if (records.length === 0) return
  const { tx, account_id, import_id } = place
  await copyInto(
    tx,
    `/* write.create_records */
    COPY records (account_id, type_id, id, organization_id, fingerprint, created_import_id,
      updated_import_id, data) FROM STDIN`,
    chunkLines(recordLines(account_id, import_id, records))
  )
  await insertKeys(
    tx,
    account_id,
    records.flatMap(({ id, type_id, keys }) =>
      keys.map(({ rule, value }) => ({ type_id, rule, record_id: id, value }))
    )
  )
}

function* recordLines(account_id: number, import_id: number, records: NewRecord[]) {
  for (const record of records) {
    const { type_id, id } = record
    const organization_id = record.organization_id ?? '\\N'
    const fingerprint = record.fingerprint ?? '\\N'
    const data = copyText(JSON.stringify(record.data))
    yield `${account_id}\t${type_id}\t${id}\t${organization_id}\t${fingerprint}\t${import_id}\t${import_id}\t${data}\n`
  }
}

interface KeyRow {
  type_id: number
  rule: number
  record_id: number
  value: string
}

async function insertKeys(tx: Tx, account_id: number, keys: KeyRow[]): Promise<void> {
  if (keys.length === 0) return
  // In index order the b-tree is filled page by page instead of all over.
  keys.sort((a, b) => a.type_id - b.type_id || a.rule - b.rule || (a.value < b.value ? -1 : 1))
  await copyInto(
    tx,
    `/* write.insert_keys */
    COPY record_keys (account_id, type_id, rule, record_id, value) FROM STDIN`,
    chunkLines(keyLines(account_id, keys))
  )
}

function* keyLines(account_id: number, keys: KeyRow[]) {
  for (const { type_id, rule, record_id, value } of keys) {
    yield `${account_id}\t${type_id}\t${rule}\t${record_id}\t${copyText(value)}\n`
  }
}

/** Changes records: values, version, keys, and the history of what was before.
 *  The ids are given twice on purpose: joined to unnest alone, the planner scans the whole type
 *  while statistics are young (42 us per changed row in 100,000 and growing; 6 us with ANY). */
export async function updateRecords(place: WritePlace, records: ChangedRecord[]): Promise<void> {
  if (records.length === 0) return
  const { tx, account_id, import_id, type } = place
  await tx.query(
    `/* write.update_records */
    UPDATE records AS r
    SET data = r.data || u.set_data::jsonb, version = r.version + 1, updated_at = now(),
      updated_import_id = $3::bigint, fingerprint = u.fingerprint,
      organization_id = u.organization_id
    FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
      AS u (id, organization_id, fingerprint, set_data)
    WHERE r.account_id = $1::integer
    AND r.type_id = $2::smallint
    AND r.id = ANY ($4::bigint[])
    AND r.id = u.id`,
    [
      account_id,
      type.type_id,
      import_id,
      records.map((record) => record.id),
      records.map((record) => record.organization_id),
      records.map((record) => record.fingerprint),
      records.map((record) => JSON.stringify(record.set))
    ]
  )
  await copyInto(
    tx,
    `/* write.insert_changes */
    COPY record_changes (account_id, record_id, version, changed_on, type_id, import_id, action,
      before) FROM STDIN`,
    chunkLines(changeLines(place, records))
  )
  await moveKeys(place, records)
}

function* changeLines(place: WritePlace, records: ChangedRecord[]) {
  const { account_id, import_id, type } = place
  const today = new Date().toISOString().slice(0, 10)
  for (const { id, version, before } of records) {
    const values = copyText(JSON.stringify(before))
    yield `${account_id}\t${id}\t${version}\t${today}\t${type.type_id}\t${import_id}\tupdate\t${values}\n`
  }
}

/** Takes away the keys that no longer hold and adds the new ones; equal ones stay untouched. */
async function moveKeys(place: WritePlace, records: ChangedRecord[]): Promise<void> {
  const { tx, account_id, type } = place
  const added: KeyRow[] = []
  const gone: KeyRow[] = []
  for (const record of records) diffKeys(type, record, added, gone)
  if (gone.length > 0) {
    await tx.query(
      `/* write.delete_keys */
      DELETE FROM record_keys AS k
      USING unnest($3::smallint[], $4::text[], $5::bigint[]) AS g (rule, value, record_id)
      WHERE k.account_id = $1::integer
      AND k.type_id = $2::smallint
      AND k.rule = ANY ($3::smallint[])
      AND k.value = ANY ($4::text[])
      AND k.rule = g.rule
      AND k.value = g.value
      AND k.record_id = g.record_id`,
      [
        account_id,
        type.type_id,
        gone.map((key) => key.rule),
        gone.map((key) => key.value),
        gone.map((key) => key.record_id)
      ]
    )
  }
  await insertKeys(tx, account_id, added)
}

function diffKeys(type: RecordType, record: ChangedRecord, added: KeyRow[], gone: KeyRow[]): void {
  const { id: record_id, set, data, organization_id } = record
  const now = { ...data, ...set }
  const moved = type.organization_field !== null && type.organization_field in set
  const was = moved ? (record.before[type.organization_field as string] as number) : organization_id
  for (const rule of type.match_rules) {
    if (!moved && !rule.fields.some((name) => name in set)) continue
    const before = new Set(keysOf(rule, data, was))
    const after = new Set(keysOf(rule, now, organization_id))
    const place = { type_id: type.type_id, rule: rule.code, record_id }
    for (const value of after) if (!before.has(value)) added.push({ ...place, value })
    for (const value of before) if (!after.has(value)) gone.push({ ...place, value })
  }
}
