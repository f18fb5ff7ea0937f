// Decisions -> records, keys and history. A constant number of statements, whatever the batch holds.
// In: what is to be created and updated. The caller holds the types' locks and the transaction.
// New rows are given as COPY parts, which the batch sends all together.

import type { CopyPart } from '../../platform/copy-in.ts'
import type { Tx } from '../../platform/db.ts'
import { diffKeys } from '../../record-types/changed-keys.ts'
import type { MatchRule, RecordData, RecordType } from '../../record-types/types.ts'
import type { ExistingRecord } from '../decide/existing-record.ts'
import { copyText } from './copy-text.ts'

export interface NewRecord {
  id: number
  type: RecordType
  version: number
  organization_id: number | null
  fingerprint: number | null
  data: RecordData
  /** Key texts by position of the type's match rule. */
  keys: string[][]
}

export interface ChangedRecord {
  /** As the database has it, and as the batch leaves it. */
  before: ExistingRecord
  now: ExistingRecord & { fingerprint: number; data: RecordData }
  /** Only the fields that change; null: the value is taken away. */
  set: RecordData
}

/** One change of a record: the version it had before, and what that version said otherwise. */
export interface RecordStep {
  id: number
  version: number
  /** Value before by field that changed; null: had none. */
  before: RecordData
}

export interface WritePlace {
  tx: Tx
  account_id: number
  import_id: number
  type: RecordType
}

/** The rows of new records. */
export function copyRecords({ account_id, import_id }: WritePlace, records: NewRecord[]): CopyPart {
  const tail = `${import_id}\t${import_id}\t`
  function* lines() {
    for (const { type, id, version, organization_id, fingerprint, data } of records) {
      const place = `${account_id}\t${type.type_id}\t${id}\t${version}`
      const head = `${place}\t${organization_id ?? '\\N'}\t`
      yield `${head}${fingerprint ?? '\\N'}\t${tail}${copyText(JSON.stringify(data))}\n`
    }
  }
  return {
    sql: `/* write.create_records */
    COPY records (account_id, type_id, id, version, organization_id, fingerprint,
      created_import_id, updated_import_id, data) FROM STDIN`,
    lines: lines()
  }
}

/** The records that an import makes because its rows name them: an undo takes them away, too. */
export function copyReferences(
  { account_id, import_id }: WritePlace,
  records: { id: number; type: RecordType }[]
): CopyPart {
  function* lines() {
    for (const { id, type } of records)
      yield `${account_id}\t${import_id}\t${type.type_id}\t${id}\n`
  }
  return {
    sql: `/* write.insert_references */
    COPY import_references (account_id, import_id, type_id, record_id) FROM STDIN`,
    lines: lines()
  }
}

/** The keys of new records, and those that changed records gain. Made when they are sent: by then
 *  the server is at work on what was sent before. */
export function copyKeys(account_id: number, records: NewRecord[], gained: string[]): CopyPart {
  function* lines() {
    const all = [...gained]
    for (const { id, type, keys } of records) pushKeyLines(all, account_id, type, id, keys)
    // In index order the b-tree is filled page by page instead of all over.
    yield* all.sort()
  }
  return {
    sql: `/* write.insert_keys */
    COPY record_keys (account_id, type_id, rule, value, record_id) FROM STDIN`,
    lines: lines()
  }
}

function keyLine(
  account_id: number,
  { type_id }: RecordType,
  rule: number,
  key: string,
  id: number
): string {
  return `${account_id}\t${type_id}\t${rule}\t${copyText(key)}\t${id}\n`
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
      lines.push(keyLine(account_id, type, code, key, id))
    }
  }
}

/** The history of changed records: what they were before. */
export function copyChanges(place: WritePlace, steps: RecordStep[]): CopyPart {
  const { account_id, import_id, type } = place
  const today = new Date().toISOString().slice(0, 10)
  const middle = `${today}\t${type.type_id}\t${import_id}\tupdate\t`
  function* lines() {
    for (const { id, version, before } of steps) {
      yield `${account_id}\t${id}\t${version}\t${middle}${copyText(JSON.stringify(before))}\n`
    }
  }
  return {
    sql: `/* write.insert_changes */
    COPY record_changes (account_id, record_id, version, changed_on, type_id, import_id, action,
      before) FROM STDIN`,
    lines: lines()
  }
}

/** Changes records and takes away the keys that no longer hold. Out: lines of the keys gained.
 *  The ids are given twice on purpose: joined to unnest alone, the planner scans the whole type
 *  while statistics are young (42 us per changed row in 100,000 and growing; 6 us with ANY). */
export async function updateRecords(
  place: WritePlace,
  records: ChangedRecord[],
  meanwhile: () => void
): Promise<string[]> {
  if (records.length === 0) return []
  const { tx, account_id, import_id, type } = place
  const updated = tx.query(
    `/* write.update_records */
    UPDATE records AS r
    SET data = CASE WHEN u.cleared IS NULL THEN r.data || u.set_data::jsonb
        ELSE (r.data || u.set_data::jsonb) - string_to_array(u.cleared, ',') END,
      version = u.version, updated_at = now(),
      updated_import_id = $3::bigint, fingerprint = u.fingerprint,
      organization_id = u.organization_id
    FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
      $9::integer[]) AS u (id, organization_id, fingerprint, set_data, cleared, version)
    WHERE r.account_id = $1::integer
    AND r.type_id = $2::smallint
    AND r.id = ANY ($4::bigint[])
    AND r.id = u.id`,
    [
      account_id,
      type.type_id,
      import_id,
      records.map(({ now }) => now.id),
      records.map(({ now }) => now.organization_id),
      records.map(({ now }) => now.fingerprint),
      records.map(({ set }) => JSON.stringify(set)),
      records.map(({ set }) => clearedFields(set)),
      records.map(({ now }) => now.version)
    ]
  )
  meanwhile()
  await updated
  const gained: string[] = []
  const lost: LostKey[] = []
  for (const { before, now, set } of records) {
    const was = { data: before.data ?? {}, organization_id: before.organization_id }
    const keys = diffKeys(type, was, now, Object.keys(set))
    for (const key of keys.gained)
      gained.push(keyLine(account_id, type, key.rule, key.value, now.id))
    for (const { rule, value } of keys.lost) lost.push({ rule, value, record_id: now.id })
  }
  await deleteKeys(place, lost)
  return gained
}

/** Names of the fields that lose their value; null: none does. */
function clearedFields(set: RecordData): string | null {
  let names: string | null = null
  for (const name in set) {
    if (set[name] === null) names = names === null ? name : `${names},${name}`
  }
  return names
}

interface LostKey {
  rule: number
  value: string
  record_id: number
}

async function deleteKeys({ tx, account_id, type }: WritePlace, lost: LostKey[]): Promise<void> {
  if (lost.length === 0) return
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
      lost.map((key) => key.rule),
      lost.map((key) => key.value),
      lost.map((key) => key.record_id)
    ]
  )
}
