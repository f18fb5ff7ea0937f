// The statements that change records, their keys and their history: each one for a whole batch.
// Called by write-values.ts, inside its caller's transaction and turn.
//
// Ids and keys are given twice on purpose, as `ANY (array)` and joined to unnest: joined alone, the
// planner scans the whole type while statistics are young.

import type { Db, Tx } from '../../platform/db.ts'
import type { RecordData } from '../../record-types/types.ts'

/** Whose records of which type. */
export interface TypePlace {
  tx: Tx
  account_id: number
  type_id: number
}

/** What wrote: exactly one of them, where it is known. */
export interface Author {
  import_id: number | null
  /** Id of the API key. */
  actor_key: number | null
}

/** One record as it is to be written. */
export interface RecordUpdate {
  id: number
  /** Version that the record has before. */
  version: number
  organization_id: number | null
  /** Only the fields that change: new values, and those before (null: had none, gets none). */
  set: RecordData
  before: RecordData
  /** The version whose values are brought back; null: it is no restore. */
  restored_version: number | null
}

/** Makes sure that history of today and the days to come has a place. A statement of its own: made
 *  inside a transaction that holds a turn, a partition could wait for those who wait for the turn. */
export async function ensureHistory(db: Db): Promise<void> {
  await db.query(
    `/* records.ensure_history */
    SELECT ensure_partitions(u.today), ensure_partitions(u.today + 7)
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) u`
  )
}

/** Puts values into records. Out: how many were there with the version given. The fingerprint is
 *  void: what the records say is no longer what a row said. */
export async function updateRecords(
  { tx, account_id, type_id }: TypePlace,
  { import_id }: Author,
  records: RecordUpdate[]
): Promise<number> {
  const { rowCount } = await tx.query(
    `/* records.update_values */
    UPDATE records AS r
    SET data = (r.data || u.set_data::jsonb) - string_to_array(u.cleared, ','),
      version = r.version + 1, updated_at = now(), updated_import_id = $3::bigint,
      fingerprint = NULL, organization_id = u.organization_id
    FROM unnest($4::bigint[], $5::integer[], $6::bigint[], $7::text[], $8::text[])
      AS u (id, version, organization_id, set_data, cleared)
    WHERE r.account_id = $1::integer
      AND r.type_id = $2::smallint
      AND r.id = ANY ($4::bigint[])
      AND r.id = u.id
      AND r.version = u.version`,
    [
      account_id,
      type_id,
      import_id,
      records.map((record) => record.id),
      records.map((record) => record.version),
      records.map((record) => record.organization_id),
      records.map((record) => JSON.stringify(record.set)),
      records.map(({ set }) => clearedFields(set))
    ]
  )
  return rowCount ?? 0
}

/** Names of the fields that lose their value, with commas between; none of them has one. */
function clearedFields(set: RecordData): string {
  return Object.keys(set)
    .filter((name) => set[name] === null)
    .join(',')
}

/** Writes down what the records were before. */
export async function insertChanges(
  { tx, account_id, type_id }: TypePlace,
  { import_id, actor_key }: Author,
  records: RecordUpdate[]
): Promise<void> {
  await tx.query(
    `/* records.insert_changes */
    INSERT INTO record_changes (account_id, record_id, version, changed_on, type_id, import_id,
      actor_key, action, restored_version, before)
    SELECT $1::integer, u.record_id, u.version, (now() AT TIME ZONE 'UTC')::date, $2::smallint,
      $3::bigint, $4::integer, CASE WHEN u.restored_version IS NULL THEN 'update' ELSE 'restore' END,
      u.restored_version, u.before::jsonb
    FROM unnest($5::bigint[], $6::integer[], $7::integer[], $8::text[])
      AS u (record_id, version, restored_version, before)`,
    [
      account_id,
      type_id,
      import_id,
      actor_key,
      records.map((record) => record.id),
      records.map((record) => record.version),
      records.map((record) => record.restored_version),
      records.map((record) => JSON.stringify(record.before))
    ]
  )
}

/** A record that comes back: all its values, and what else it had. Times are ISO texts. */
export interface RecordReturn {
  id: number
  /** The version that it comes back with. */
  version: number
  organization_id: number | null
  data: RecordData
  /** created_at, created_import_id, archived_at, merged_into: as its deletion has kept them. */
  facts: object
  restored_version: number | null
}

/** Brings deleted records back under their ids, and writes down that they were not there before. */
export async function recreateRecords(
  { tx, account_id, type_id }: TypePlace,
  { import_id, actor_key }: Author,
  records: RecordReturn[]
): Promise<number> {
  const { rowCount } = await tx.query(
    `/* records.recreate */
    WITH back AS (
      SELECT u.*, f.*
      FROM unnest($5::bigint[], $6::integer[], $7::bigint[], $8::text[], $9::text[], $10::integer[])
        AS u (id, version, organization_id, data, facts, restored_version)
      CROSS JOIN LATERAL jsonb_to_record(u.facts::jsonb) AS f (created_at timestamptz,
        created_import_id bigint, archived_at timestamptz, merged_into bigint)
    ), made AS (
      INSERT INTO records (account_id, type_id, id, version, organization_id, data, created_at,
        created_import_id, updated_import_id, archived_at, merged_into)
      SELECT $1::integer, $2::smallint, b.id, b.version, b.organization_id, b.data::jsonb,
        b.created_at, b.created_import_id, $3::bigint, b.archived_at, b.merged_into
      FROM back b
    )
    INSERT INTO record_changes (account_id, record_id, version, changed_on, type_id, import_id,
      actor_key, action, restored_version, before)
    SELECT $1::integer, b.id, b.version - 1, (now() AT TIME ZONE 'UTC')::date, $2::smallint,
      $3::bigint, $4::integer, 'recreate', b.restored_version, (
        SELECT COALESCE(jsonb_object_agg(k.name, NULL), '{}')
        FROM jsonb_object_keys(b.data::jsonb) AS k (name)
      )
    FROM back b`,
    [
      account_id,
      type_id,
      import_id,
      actor_key,
      records.map((record) => record.id),
      records.map((record) => record.version),
      records.map((record) => record.organization_id),
      records.map((record) => JSON.stringify(record.data)),
      records.map((record) => JSON.stringify(record.facts)),
      records.map((record) => record.restored_version)
    ]
  )
  return rowCount ?? 0
}

/** A match key and the record that has it. */
export interface RecordKey {
  rule: number
  value: string
  record_id: number
}

/** Takes keys away; those that are not there are passed over. Needs the turn of the type. Each key is
 *  looked up by itself (OFFSET 0 keeps the planner from joining): a name may be that of thousands of
 *  records, and deleting by rule and value would read all of them. */
export async function deleteKeys(place: TypePlace, keys: RecordKey[]): Promise<void> {
  if (keys.length === 0) return
  await place.tx.query(
    `/* records.delete_keys */
    DELETE FROM record_keys AS d
    WHERE d.account_id = $1::integer
      AND d.ctid = ANY (ARRAY(
        SELECT f.place
        FROM unnest($3::smallint[], $4::text[], $5::bigint[]) AS g (rule, value, record_id)
        CROSS JOIN LATERAL (
          SELECT k.ctid AS place
          FROM record_keys k
          WHERE k.account_id = $1::integer
            AND k.type_id = $2::smallint
            AND k.rule = g.rule
            AND k.value = g.value
            AND k.record_id = g.record_id
          OFFSET 0
        ) f
      ))`,
    [place.account_id, place.type_id, ...columnsOf(keys)]
  )
}

/** Adds keys, in the order of the index; those that are there already stay. */
export async function insertKeys(place: TypePlace, keys: RecordKey[]): Promise<void> {
  if (keys.length === 0) return
  await place.tx.query(
    `/* records.insert_keys */
    INSERT INTO record_keys (account_id, type_id, rule, value, record_id)
    SELECT $1::integer, $2::smallint, g.rule, g.value, g.record_id
    FROM unnest($3::smallint[], $4::text[], $5::bigint[]) AS g (rule, value, record_id)
    ORDER BY g.rule, g.value COLLATE "C", g.record_id
    ON CONFLICT DO NOTHING`,
    [place.account_id, place.type_id, ...columnsOf(keys)]
  )
}

const columnsOf = (keys: RecordKey[]) => [
  keys.map((key) => key.rule),
  keys.map((key) => key.value),
  keys.map((key) => key.record_id)
]
