// Records in the database, as the API reads them. Called by the verbs of this module and, for the
// organization of an import, by import/. Writing records is the engine's work (import/write), and that
// of write/ where there is no file.

import type { RecordEventData } from '../event-data.ts'
import type { Db, Tx } from '../platform/db.ts'
import type { RecordData } from '../record-types/types.ts'

/** One row of `records`. Times are Dates. */
export interface RecordRow {
  id: number
  type_id: number
  version: number
  organization_id: number | null
  data: RecordData
  created_at: Date
  updated_at: Date
  created_import_id: number | null
  updated_import_id: number | null
  archived_at: Date | null
}

const recordColumns = `r.id, r.type_id, r.version, r.organization_id, r.data, r.created_at,
      r.updated_at, r.created_import_id, r.updated_import_id, r.archived_at`

/** One record of any of the types; null when the account has none with that id. */
export async function getRecord(
  db: Db,
  account_id: number,
  type_ids: number[],
  id: number
): Promise<RecordRow | null> {
  const { rows } = await db.query<RecordRow>(
    `/* records.get */
    SELECT ${recordColumns}
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = ANY($2::smallint[])
      AND r.id = $3::bigint`,
    [account_id, type_ids, id]
  )
  return rows[0] ?? null
}

/** Records of one type by id; those that do not exist are left out. */
export async function getRecords(db: Db, account_id: number, type_id: number, ids: number[]) {
  if (ids.length === 0) return []
  const { rows } = await db.query<RecordRow>(
    `/* records.get_many */
    SELECT ${recordColumns}
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = $2::smallint
      AND r.id = ANY($3::bigint[])`,
    [account_id, type_id, ids]
  )
  return rows
}

/** Ids of the records that hold a key under a match rule (its code); at most 10. */
export async function findByKey(
  db: Db,
  account_id: number,
  key: { type_id: number; rule: number; value: string }
): Promise<number[]> {
  const { rows } = await db.query<{ record_id: number }>(
    `/* records.find_by_key */
    SELECT k.record_id
    FROM record_keys k
    WHERE k.account_id = $1::integer
      AND k.type_id = $2::smallint
      AND k.rule = $3::smallint
      AND k.value = $4::text
    ORDER BY k.record_id
    LIMIT 10`,
    [account_id, key.type_id, key.rule, key.value]
  )
  return rows.map((row) => row.record_id)
}

/** Ids of the records that hold keys under a match rule (its code), by key. */
export async function findByKeys(
  db: Db,
  account_id: number,
  { type_id, rule, values }: { type_id: number; rule: number; values: string[] }
): Promise<Map<string, number[]>> {
  if (values.length === 0) return new Map()
  const { rows } = await db.query<{ value: string; ids: number[] }>(
    `/* records.find_by_keys */
    SELECT k.value, json_agg(k.record_id) AS ids
    FROM record_keys k
    WHERE k.account_id = $1::integer
      AND k.type_id = $2::smallint
      AND k.rule = $3::smallint
      AND k.value = ANY ($4::text[])
    GROUP BY k.value`,
    [account_id, type_id, rule, values]
  )
  return new Map(rows.map((row) => [row.value, row.ids]))
}

/** What `GET /records` may ask for. */
export interface RecordFilter {
  type_id: number
  organization_id: number | null
  /** Field -> text of the value wanted; all must hold. */
  fields: { name: string; value: string }[]
  /** Only records with a greater id. */
  after: number
  limit: number
}

/** Records of one type by id. A field is compared by the text of its value; a many-valued one fits
 *  when one of its values does. Reads in key order until the page is full: a filter that fits few
 *  records of a large type is ended by the pool's statement timeout. */
export async function listRecords(db: Db, account_id: number, filter: RecordFilter) {
  const { rows } = await db.query<RecordRow>(
    `/* records.list */
    SELECT ${recordColumns}
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = $2::smallint
      AND r.id > $3::bigint
      AND ($4::bigint IS NULL OR r.organization_id = $4::bigint)
      AND NOT EXISTS (
        SELECT 1
        FROM unnest($5::text[], $6::text[]) AS f (name, value)
        WHERE (CASE jsonb_typeof(r.data -> f.name)
          WHEN 'array' THEN (r.data -> f.name) ? f.value
          ELSE r.data ->> f.name = f.value
        END) IS NOT TRUE
      )
    ORDER BY r.id
    LIMIT $7::integer`,
    [
      account_id,
      filter.type_id,
      filter.after,
      filter.organization_id,
      filter.fields.map((field) => field.name),
      filter.fields.map((field) => field.value),
      filter.limit
    ]
  )
  return rows
}

/** Takes the account's turn to tell of records, until the transaction ends. Whoever writes events that
 *  hold records takes it before reading them: events of a record then come in the order of its
 *  versions. Taken after the turns of types and after records are held, before links are written. */
export async function lockTelling(tx: Tx, account_id: number): Promise<void> {
  await tx.query(
    `/* records.lock_telling */
    SELECT pg_advisory_xact_lock(hashtextextended('muster.tell_records ' || $1::integer, 0))`,
    [account_id]
  )
}

/** Writes events about records of one type into the outbox, in their order. */
export async function writeEvents(
  tx: Tx,
  events: {
    account_id: number
    type: string
    import_id: number | null
    record_type: string
    actor_key: number | null
    all: RecordEventData[]
  }
): Promise<void> {
  await tx.query(
    `/* records.write_events */
    SELECT write_event($1::integer, $2::text, e.data::jsonb, $3::bigint, $4::text, $5::integer)
    FROM unnest($6::text[]) WITH ORDINALITY AS e (data, place)
    ORDER BY e.place`,
    [
      events.account_id,
      events.type,
      events.import_id,
      events.record_type,
      events.actor_key,
      events.all.map((data) => JSON.stringify(data))
    ]
  )
}

/** An API key by name; null: there is none. */
export async function getActor(db: Db, account_id: number, key_id: number | null) {
  const { rows } = await db.query<{ id: number; name: string }>(
    `/* records.get_actor */
    SELECT k.id, k.name
    FROM api_keys k
    WHERE k.account_id = $1::integer
      AND k.id = $2::integer`,
    [account_id, key_id]
  )
  return rows[0] ?? null
}

/** The ids of records in other systems, by record; those without any are absent. */
export async function listExternalIds(db: Db, account_id: number, ids: number[]) {
  const { rows } = await db.query<{ record_id: number; external_ids: Record<string, string> }>(
    `/* records.list_external_ids */
    SELECT l.record_id, jsonb_object_agg(l.system, l.external_id ORDER BY l.system) AS external_ids
    FROM record_links l
    WHERE l.account_id = $1::integer
      AND l.record_id = ANY ($2::bigint[])
      AND l.external_id IS NOT NULL
      AND l.state <> 'disconnected'
    GROUP BY l.record_id`,
    [account_id, ids]
  )
  return new Map(rows.map(({ record_id, external_ids }) => [record_id, external_ids]))
}

/** Links of records whose change is told of are to be written again; not where the connector made the
 *  change itself. */
export async function markPending(
  tx: Tx,
  account_id: number,
  ids: number[],
  actor_key: number | null
): Promise<void> {
  await tx.query(
    `/* records.mark_pending */
    UPDATE record_links l
    SET state = 'pending', error = NULL, changed_at = now()
    WHERE l.account_id = $1::integer
      AND l.record_id = ANY ($2::bigint[])
      AND l.state IN ('synced', 'error')
      AND l.changed_by IS DISTINCT FROM $3::integer`,
    [account_id, ids, actor_key]
  )
}

/** What was told of a record last. */
export interface ToldVersion {
  version: number
  is_gone: boolean
  /** yyyy-mm-dd */
  told_on: string
}

/** What was told of records, by id; those that nobody was told of are absent. */
export async function readTold(
  tx: Tx,
  account_id: number,
  ids: number[]
): Promise<Map<number, ToldVersion>> {
  const { rows } = await tx.query<ToldVersion & { record_id: number }>(
    `/* records.read_told */
    SELECT t.record_id, t.version, t.is_gone, t.told_on
    FROM told_records t
    WHERE t.account_id = $1::integer
      AND t.record_id = ANY ($2::bigint[])`,
    [account_id, ids]
  )
  return new Map(rows.map(({ record_id, ...told }) => [record_id, told]))
}

/** Whether the account was told of any record at all. */
export async function hasTold(tx: Tx, account_id: number): Promise<boolean> {
  const { rows } = await tx.query<{ has: boolean }>(
    `/* records.has_told */
    SELECT EXISTS (
      SELECT 1
      FROM told_records t
      WHERE t.account_id = $1::integer
    ) AS has`,
    [account_id]
  )
  return rows[0]?.has === true
}

/** Notes what is told of records, each at most once. */
export async function noteTold(
  tx: Tx,
  account_id: number,
  told: { id: number; version: number; gone: boolean }[]
): Promise<void> {
  if (told.length === 0) return
  await tx.query(
    `/* records.note_told */
    INSERT INTO told_records (account_id, record_id, version, is_gone, told_on)
    SELECT $1::integer, u.record_id, u.version, u.is_gone, (now() AT TIME ZONE 'UTC')::date
    FROM unnest($2::bigint[], $3::integer[], $4::boolean[]) AS u (record_id, version, is_gone)
    ON CONFLICT (account_id, record_id) DO UPDATE
    SET version = excluded.version, is_gone = excluded.is_gone, told_on = excluded.told_on`,
    [
      account_id,
      told.map(({ id }) => id),
      told.map(({ version }) => version),
      told.map(({ gone }) => gone)
    ]
  )
}
