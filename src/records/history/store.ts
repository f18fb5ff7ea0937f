// History in the database: what a record was before each change, newest first.
// Every statement names account and record, which is where the key of each partition begins, and the
// days between which the record can have changed: the other partitions are not even opened.

import type { Db, Tx } from '../../platform/db.ts'
import type { RecordData } from '../../record-types/types.ts'
import type { RecordRow } from '../store.ts'

/** Who or what made a change. */
export interface MakerRow {
  import_id: number | null
  /** null: none, or the import is not kept any more. */
  file_name: string | null
  /** undo: it took back what another import wrote. */
  kind: 'import' | 'undo' | null
  key_id: number | null
  key_name: string | null
}

/** One row of `record_changes`. Times are Dates. */
export interface ChangeRow extends MakerRow {
  /** The version that the values belong to; the change made the next one. */
  version: number
  changed_at: Date
  action: 'update' | 'delete' | 'merge' | 'restore' | 'undo' | 'recreate'
  restored_version: number | null
  before: RecordData
}

// The clocks of those who write may differ a little from each other.
const daysOfRecord = `c.changed_on BETWEEN ($3::timestamptz AT TIME ZONE 'UTC')::date - 1
        AND ($4::timestamptz AT TIME ZONE 'UTC')::date + 1`

const placeOf = (account_id: number, { id, created_at, updated_at }: RecordRow) => [
  account_id,
  id,
  created_at,
  updated_at
]

/** The changes that made version `top` and those before it, newest first; at most `limit`. */
export async function listChanges(
  db: Db,
  account_id: number,
  record: RecordRow,
  { top, limit }: { top: number; limit: number }
): Promise<ChangeRow[]> {
  const { rows } = await db.query<ChangeRow>(
    `/* history.list */
    SELECT c.version, c.changed_at, c.action, c.restored_version, c.before, c.import_id,
      i.file_name, i.kind, k.id AS key_id, k.name AS key_name
    FROM record_changes c
    LEFT JOIN imports i ON i.account_id = c.account_id AND i.id = c.import_id
    LEFT JOIN api_keys k ON k.account_id = c.account_id
      AND k.id = COALESCE(c.actor_key, i.created_by)
    WHERE c.account_id = $1::integer
      AND c.record_id = $2::bigint
      AND ${daysOfRecord}
      AND c.version < $5::integer
    ORDER BY c.version DESC
    LIMIT $6::integer`,
    [...placeOf(account_id, record), top, limit]
  )
  return rows
}

/** Ids of the imports and undos that made a record what nobody was told of yet, oldest first, at most
 *  `limit`. Those whose outcomes are gone can tell nothing any more and are left out. */
export async function listNotPushed(
  db: Db,
  account_id: number,
  record: RecordRow,
  limit: number
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `/* history.list_not_pushed */
    WITH told AS MATERIALIZED (
      SELECT COALESCE(max(t.version), 0) AS version
      FROM told_records t
      WHERE t.account_id = $1::integer
        AND t.record_id = $2::bigint
        AND NOT t.is_gone
    ), makers AS (
      SELECT $5::bigint AS import_id
      FROM told t
      WHERE t.version = 0
      UNION
      SELECT c.import_id
      FROM told t
      JOIN record_changes c ON c.version >= t.version
      WHERE c.account_id = $1::integer
        AND c.record_id = $2::bigint
        AND ${daysOfRecord}
    )
    SELECT i.id
    FROM makers m
    JOIN imports i ON i.account_id = $1::integer AND i.id = m.import_id
    WHERE NOT EXISTS (
        SELECT 1
        FROM dropped_weeks d
        WHERE d.what = 'import_rows'
          AND d.week = date_trunc('week', i.created_on::timestamp)::date
          AND d.dropped_at >= i.finished_at
      )
    ORDER BY i.id
    LIMIT $6::integer`,
    [...placeOf(account_id, record), record.created_import_id, limit]
  )
  return rows.map(({ id }) => id)
}

/** What a deletion keeps besides the values. Times are ISO texts. */
export interface DeletedFacts {
  created_at: string
  created_import_id: number | null
  archived_at: string | null
  merged_into: number | null
}

/** A record that was deleted: as a record that has no values any more, in the version that the
 *  deletion made. */
export interface DeletedRecord {
  row: RecordRow
  facts: DeletedFacts
}

/** The record that was deleted under an id; null: there never was one, or it is no longer kept. Whoever
 *  asks knows that it is not there. */
export async function findDeleted(
  db: Db,
  account_id: number,
  id: number
): Promise<DeletedRecord | null> {
  const { rows } = await db.query<{
    type_id: number
    version: number
    changed_at: Date
    import_id: number | null
    action: string
    record: DeletedFacts | null
  }>(
    `/* history.find_deleted */
    SELECT c.type_id, c.version, c.changed_at, c.import_id, c.action, c.record
    FROM record_changes c
    WHERE c.account_id = $1::integer
      AND c.record_id = $2::bigint
    ORDER BY c.version DESC
    LIMIT 1`,
    [account_id, id]
  )
  const [last] = rows
  if (last?.action !== 'delete' || !last.record) return null
  const { record: facts, type_id, version, changed_at, import_id } = last
  const row: RecordRow = {
    id,
    type_id,
    version: version + 1,
    organization_id: null,
    data: {},
    created_at: new Date(facts.created_at),
    updated_at: changed_at,
    created_import_id: facts.created_import_id,
    updated_import_id: import_id,
    archived_at: facts.archived_at === null ? null : new Date(facts.archived_at)
  }
  return { row, facts }
}

/** What deleted records were when they were deleted last, by id; those that never were are absent.
 *  `since`: a day before which none of them was. */
export async function readDeleted(
  db: Db,
  account_id: number,
  ids: number[],
  since: string
): Promise<Map<number, RecordData>> {
  if (ids.length === 0) return new Map()
  const { rows } = await db.query<{ record_id: number; before: RecordData }>(
    `/* history.read_deleted */
    SELECT DISTINCT ON (c.record_id) c.record_id, c.before
    FROM record_changes c
    WHERE c.account_id = $1::integer
      AND c.record_id = ANY ($2::bigint[])
      AND c.changed_on >= $3::date - 1
      AND c.action = 'delete'
    ORDER BY c.record_id, c.version DESC`,
    [account_id, ids, since]
  )
  return new Map(rows.map(({ record_id, before }) => [record_id, before]))
}

/** What the fields that changed since a version were in it; null: they had no value. `kept`: how many
 *  of the changes since are still there. */
export async function readSince(
  db: Db,
  account_id: number,
  record: RecordRow,
  version: number
): Promise<{ values: RecordData; kept: number }> {
  // The oldest change of a field since then knows what it was then.
  const { rows } = await db.query<{ values: RecordData | null; kept: number }>(
    `/* history.since */
    WITH since AS (
      SELECT c.version, c.before
      FROM record_changes c
      WHERE c.account_id = $1::integer
        AND c.record_id = $2::bigint
        AND ${daysOfRecord}
        AND c.version >= $5::integer
        AND c.version < $6::integer
    )
    SELECT (SELECT count(*) FROM since) AS kept, (
        SELECT jsonb_object_agg(f.name, f.value)
        FROM (
          SELECT DISTINCT ON (e.key) e.key AS name, e.value
          FROM since s
          CROSS JOIN LATERAL jsonb_each(s.before) AS e
          ORDER BY e.key, s.version
        ) f
      ) AS values`,
    [...placeOf(account_id, record), version, record.version]
  )
  return { values: rows[0]?.values ?? {}, kept: rows[0]?.kept ?? 0 }
}

/** The import that made a record and the key it ran with. */
export async function getMaker(db: Db, account_id: number, import_id: number): Promise<MakerRow> {
  const { rows } = await db.query<MakerRow>(
    `/* history.get_maker */
    SELECT i.id AS import_id, i.file_name, i.kind, k.id AS key_id, k.name AS key_name
    FROM imports i
    LEFT JOIN api_keys k ON k.account_id = i.account_id AND k.id = i.created_by
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [account_id, import_id]
  )
  return rows[0] ?? { import_id, file_name: null, kind: null, key_id: null, key_name: null }
}

/** Which of the records exist, held until the transaction ends: nobody can take them away meanwhile. */
export async function holdRecords(tx: Tx, account_id: number, type_id: number, ids: number[]) {
  const { rows } = await tx.query<{ id: number }>(
    `/* history.hold_records */
    SELECT r.id
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = $2::smallint
      AND r.id = ANY ($3::bigint[])
    ORDER BY r.id
    FOR KEY SHARE`,
    [account_id, type_id, ids]
  )
  return new Set(rows.map(({ id }) => id))
}
