// What a batch of an undo has to know: records, their history since the job, and what stands around.
// A constant number of statements, whatever the batch holds.

import type { Db, Tx } from '../../platform/db.ts'
import type { RecordData } from '../../record-types/types.ts'
import type { HeldRecord, MakerId, PastChange } from '../terms.ts'

/** The records of all types by id; those that do not exist are absent. */
export async function readRecords(
  db: Db,
  account_id: number,
  type_ids: number[],
  ids: number[]
): Promise<Map<number, HeldRecord>> {
  type Row = [number, number, number, number | null, RecordData, number | null]
  const { rows } = await db.query<Row>({
    text: `/* undo.read_records */
    SELECT r.id, r.type_id, r.version, r.organization_id, r.data, r.created_import_id
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = ANY ($2::smallint[])
      AND r.id = ANY ($3::bigint[])`,
    values: [account_id, type_ids, ids],
    rowMode: 'array'
  })
  return new Map(
    rows.map(([id, type_id, version, organization_id, data, created_import_id]) => [
      id,
      { id, type_id, version, organization_id, data, created_import_id }
    ])
  )
}

const none: PastChange[] = []

/** The changes of records since a day, oldest first, by record. */
export async function readChanges(
  db: Db,
  account_id: number,
  ids: number[],
  since: string
): Promise<(id: number) => PastChange[]> {
  type Row = [
    number,
    number,
    number | null,
    number | null,
    string,
    RecordData,
    PastChange['record']
  ]
  const { rows } = await db.query<Row>({
    text: `/* undo.read_changes */
    SELECT c.record_id, c.version, c.import_id, c.actor_key, c.action, c.before, c.record
    FROM record_changes c
    WHERE c.account_id = $1::integer
      AND c.record_id = ANY ($2::bigint[])
      AND c.changed_on >= $3::date`,
    values: [account_id, ids, since],
    rowMode: 'array'
  })
  const found = new Map<number, PastChange[]>()
  for (const [record_id, version, import_id, actor_key, action, before, record] of rows) {
    const change = { record_id, version, import_id, actor_key, action, before, record }
    const list = found.get(record_id)
    if (list) list.push(change)
    else found.set(record_id, [change])
  }
  for (const list of found.values()) {
    if (list.length > 1) list.sort((a, b) => a.version - b.version)
  }
  return (id) => found.get(id) ?? none
}

/** Which of the records exist. */
export async function findExisting(
  tx: Tx,
  account_id: number,
  type_ids: number[],
  ids: number[]
): Promise<Set<number>> {
  if (ids.length === 0) return new Set()
  const { rows } = await tx.query<[number]>({
    text: `/* undo.find_existing */
    SELECT r.id
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = ANY ($2::smallint[])
      AND r.id = ANY ($3::bigint[])`,
    values: [account_id, type_ids, ids],
    rowMode: 'array'
  })
  return new Set(rows.map(([id]) => id))
}

export interface KeyPlace {
  type_id: number
  rule: number
  value: string
}

/** Who has the keys: type, rule, value, record. */
export async function findHolders(
  tx: Tx,
  account_id: number,
  keys: KeyPlace[]
): Promise<[number, number, string, number][]> {
  if (keys.length === 0) return []
  const { rows } = await tx.query<[number, number, string, number]>({
    text: `/* undo.find_holders */
    SELECT k.type_id, k.rule, k.value, k.record_id
    FROM record_keys k
    WHERE k.account_id = $1::integer
      AND k.type_id = ANY ($2::smallint[])
      AND k.rule = ANY ($3::smallint[])
      AND k.value = ANY ($4::text[])
    ORDER BY k.record_id`,
    values: [
      account_id,
      [...new Set(keys.map(({ type_id }) => type_id))],
      [...new Set(keys.map(({ rule }) => rule))],
      keys.map(({ value }) => value)
    ],
    rowMode: 'array'
  })
  return rows
}

/** Records that a reason names: what they say, and who wrote them last. */
export async function readNamed(
  tx: Tx,
  account_id: number,
  ids: number[]
): Promise<{ id: number; type_id: number; data: RecordData; by: MakerId }[]> {
  if (ids.length === 0) return []
  const { rows } = await tx.query<{
    id: number
    type_id: number
    data: RecordData
    import_id: number | null
    actor_key: number | null
  }>(
    `/* undo.read_named */
    SELECT r.id, r.type_id, r.data, r.updated_import_id AS import_id, (
        SELECT c.actor_key
        FROM record_changes c
        WHERE c.account_id = r.account_id
          AND c.record_id = r.id
          AND c.version = r.version - 1
          AND r.updated_import_id IS NULL
        LIMIT 1
      ) AS actor_key
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = ANY (SELECT tw.type_id FROM type_writes tw WHERE tw.account_id = $1::integer)
      AND r.id = ANY ($2::bigint[])`,
    [account_id, ids]
  )
  return rows.map(({ id, type_id, data, import_id, actor_key }) => {
    return { id, type_id, data, by: { import_id, actor_key } }
  })
}

/** Files of imports and names of keys. */
export async function readMakers(
  tx: Tx,
  account_id: number,
  import_ids: number[],
  key_ids: number[]
) {
  const { rows } = await tx.query<{
    id: number
    kind: 'import' | 'undo' | 'key'
    name: string
  }>(
    `/* undo.read_makers */
    SELECT i.id, i.kind, i.file_name AS name
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.id = ANY ($2::bigint[])
    UNION ALL
    SELECT k.id, 'key', k.name
    FROM api_keys k
    WHERE k.account_id = $1::integer
      AND k.id = ANY ($3::integer[])`,
    [account_id, import_ids, key_ids]
  )
  return rows
}
