// Decisions -> records, keys and history. A constant number of statements, whatever the batch holds.
// In: what is to be created and updated. The caller holds the types' locks and the transaction.

import { copyInto, type Tx } from '../../platform/db.ts'
import { keysOf } from '../../record-types/match-keys.ts'
import type { MatchRule, RecordData, RecordType } from '../../record-types/types.ts'
import { chunkLines, copyText } from './copy-text.ts'

export interface NewRecord {
  id: number
  type: RecordType
  organization_id: number | null
  fingerprint: number | null
  data: RecordData
  /** Key texts by position of the type's match rule. */
  keys: string[][]
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
  /** See BatchPlace. */
  whileBusy: () => void
}

/** Creates records with their keys. While the server works on the records, the lines of the keys
 *  are made, and whatever else `meanwhile` has to do that needs no database. */
export async function createRecords(
  place: WritePlace,
  records: NewRecord[],
  meanwhile: () => void
): Promise<void> {
  if (records.length === 0) return meanwhile()
  const { tx, account_id, import_id } = place
  const written = copyInto(
    tx,
    `/* write.create_records */
    COPY records (account_id, type_id, id, organization_id, fingerprint, created_import_id,
      updated_import_id, data) FROM STDIN`,
    chunkLines(recordLines(account_id, import_id, records))
  )
  // A failure is seen below; until then it is not an unhandled one.
  written.catch(() => {})
  const lines: string[] = []
  for (const { id, type, keys } of records) pushKeyLines(lines, account_id, type, id, keys)
  lines.sort()
  meanwhile()
  await written
  const indexed = insertKeys(tx, lines)
  indexed.catch(() => {})
  place.whileBusy()
  await indexed
}

function* recordLines(account_id: number, import_id: number, records: NewRecord[]) {
  const tail = `${import_id}\t${import_id}\t`
  for (const { type, id, organization_id, fingerprint, data } of records) {
    const head = `${account_id}\t${type.type_id}\t${id}\t${organization_id ?? '\\N'}\t`
    yield `${head}${fingerprint ?? '\\N'}\t${tail}${copyText(JSON.stringify(data))}\n`
  }
}

function pushKeyLines(
  lines: string[],
  account_id: number,
  type: RecordType,
  id: number,
  keys: string[][]
): void {
  for (let place = 0; place < keys.length; place++) {
    const { code } = type.match_rules[place] as MatchRule
    for (const key of keys[place] as string[]) {
      lines.push(`${account_id}\t${type.type_id}\t${code}\t${copyText(key)}\t${id}\n`)
    }
  }
}

/** Lines come sorted: in index order the b-tree is filled page by page instead of all over. */
async function insertKeys(tx: Tx, lines: string[]): Promise<void> {
  if (lines.length === 0) return
  await copyInto(
    tx,
    `/* write.insert_keys */
    COPY record_keys (account_id, type_id, rule, value, record_id) FROM STDIN`,
    chunkLines(lines)
  )
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
  const middle = `${today}\t${type.type_id}\t${import_id}\tupdate\t`
  for (const { id, version, before } of records) {
    yield `${account_id}\t${id}\t${version}\t${middle}${copyText(JSON.stringify(before))}\n`
  }
}

interface GoneKey {
  rule: number
  value: string
  record_id: number
}

/** Takes away the keys that no longer hold and adds the new ones; equal ones stay untouched. */
async function moveKeys(place: WritePlace, records: ChangedRecord[]): Promise<void> {
  const { tx, account_id, type } = place
  const added: string[] = []
  const gone: GoneKey[] = []
  for (const record of records) diffKeys(place, record, added, gone)
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
  await insertKeys(tx, added.sort())
}

function diffKeys(
  { account_id, type }: WritePlace,
  record: ChangedRecord,
  added: string[],
  gone: GoneKey[]
): void {
  const { id, set, data, organization_id } = record
  const now = { ...data, ...set }
  const moved = type.organization_field !== null && type.organization_field in set
  const was = moved ? (record.before[type.organization_field as string] as number) : organization_id
  for (const [place, rule] of type.match_rules.entries()) {
    if (!moved && !rule.fields.some((name) => name in set)) continue
    const before = keysOf(rule, data, was)
    const after = keysOf(rule, now, organization_id)
    const keys: string[][] = type.match_rules.map(() => [])
    keys[place] = after.filter((value) => !before.includes(value))
    pushKeyLines(added, account_id, type, id, keys)
    for (const value of before) {
      if (!after.includes(value)) gone.push({ rule: rule.code, value, record_id: id })
    }
  }
}
