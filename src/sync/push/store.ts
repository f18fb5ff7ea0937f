// Pushes in the database: which are open, the outcomes they walk over, and how far they have come.
// Statements of a page run in its one transaction. Finding an open push is over all accounts.

import type { Db, Tx } from '../../platform/db.ts'
import type { RecordData } from '../../record-types/types.ts'

export type What = 'created' | 'updated' | 'all'

/** A push with what it has to know of its import. */
export interface PushRow {
  account_id: number
  id: number
  import_id: number
  what: What
  record_ids: number[] | null
  after_row: number
  kind: 'import' | 'undo'
  /** Name of the import's record type. */
  type: string
  created_on: string
  undo_of: number | null
  created_by: number | null
}

/** The push whose turn it is, held for a page: pushes of an account go one after the other, so that
 *  what is told of a record stays in order. Null: there is none, or others are at it. */
export async function claimPush(tx: Tx): Promise<PushRow | null> {
  const { rows } = await tx.query<PushRow>(
    `/* push.claim */
    SELECT p.account_id, p.id, p.import_id, p.what, p.record_ids, p.after_row, i.kind, i.type,
      i.created_on, i.undo_of, i.created_by
    FROM pushes p
    JOIN imports i ON i.account_id = p.account_id AND i.id = p.import_id
    WHERE p.ended_at IS NULL
      AND NOT EXISTS (
        SELECT 1
        FROM pushes o
        WHERE o.account_id = p.account_id
          AND o.id < p.id
          AND o.ended_at IS NULL
      )
    ORDER BY p.moved_at
    LIMIT 1
    FOR UPDATE OF p SKIP LOCKED`
  )
  return rows[0] ?? null
}

/** Begins a push. NOTIFY wakes the workers. */
export async function insertPush(
  tx: Tx,
  push: Pick<PushRow, 'account_id' | 'import_id' | 'what' | 'record_ids'> & { asked_by: number }
): Promise<void> {
  await tx.query(
    `/* push.insert */
    WITH made AS (
      INSERT INTO pushes (account_id, import_id, what, record_ids, asked_by)
      VALUES ($1::integer, $2::bigint, $3::text, $4::bigint[], $5::integer)
      RETURNING id
    )
    SELECT pg_notify('muster_events', 'pushes')
    FROM made`,
    [push.account_id, push.import_id, push.what, push.record_ids, push.asked_by]
  )
}

/** A row that wrote, and was not told of. */
export interface PushedRow {
  /** 0: no row made the record, rows only named it. */
  row_number: number
  record_id: number
  /** null: that of the import. */
  type_id: number | null
  outcome: 'created' | 'updated' | 'reverted'
}

/** Records of other types that the import made, which are told of first. */
export async function listReferences(tx: Tx, push: PushRow, limit: number): Promise<PushedRow[]> {
  const { rows } = await tx.query<PushedRow>(
    `/* push.list_references */
    SELECT 0 AS row_number, f.record_id, f.type_id, 'created' AS outcome
    FROM import_references f
    WHERE f.account_id = $1::integer
      AND f.import_id = $2::bigint
      AND f.pushed IS NULL
      AND ($3::bigint[] IS NULL OR f.record_id = ANY ($3::bigint[]))
    ORDER BY f.record_id
    LIMIT $4::integer`,
    [push.account_id, push.import_id, push.record_ids, limit]
  )
  return rows
}

/** The next rows, in the order of the file. */
export async function listRows(tx: Tx, push: PushRow, limit: number): Promise<PushedRow[]> {
  const { rows } = await tx.query<PushedRow>(
    `/* push.list_rows */
    SELECT r.row_number, r.record_id, r.type_id, r.outcome
    FROM import_rows r
    WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.row_number > $4::integer
      AND r.outcome IN ('created', 'updated', 'reverted')
      AND r.pushed IS NULL
      AND r.record_id IS NOT NULL
      AND ($5::bigint[] IS NULL OR r.record_id = ANY ($5::bigint[]))
    ORDER BY r.row_number
    LIMIT $6::integer`,
    [push.account_id, push.import_id, push.created_on, push.after_row, push.record_ids, limit]
  )
  return rows
}

/** What fields of a record were. */
export interface Changes {
  before: RecordData | null
  /** false: the history does not reach back far enough. */
  is_whole: boolean
  /** The version before the first of the changes. */
  first: number
}

/** What an import changed of records: of each field what it was before the import's first change. */
export async function readBefore(
  tx: Tx,
  push: PushRow,
  ids: number[]
): Promise<Map<number, Changes>> {
  if (ids.length === 0) return new Map()
  const { rows } = await tx.query<Changes & { record_id: number }>(
    `/* push.read_before */
    SELECT f.record_id, jsonb_object_agg(f.name, f.value) FILTER (WHERE f.name IS NOT NULL) AS before,
      true AS is_whole, min(f.version) AS first
    FROM (
      SELECT DISTINCT ON (c.record_id, e.key) c.record_id, e.key AS name, e.value, c.version
      FROM record_changes c
      LEFT JOIN LATERAL jsonb_each(c.before) AS e ON true
      WHERE c.account_id = $1::integer
        AND c.record_id = ANY ($2::bigint[])
        AND c.import_id = $3::bigint
        AND c.changed_on >= $4::date - 1
      ORDER BY c.record_id, e.key, c.version
    ) f
    GROUP BY f.record_id`,
    [push.account_id, ids, push.import_id, push.created_on]
  )
  return new Map(rows.map((row) => [row.record_id, row]))
}

/** What changed of records since a version of each: of each field what it was then. `day`: none of
 *  these was told of before. */
export async function readSince(
  tx: Tx,
  push: PushRow,
  { ids, versions, day }: { ids: number[]; versions: number[]; day: string }
): Promise<Map<number, Changes>> {
  if (ids.length === 0) return new Map()
  const { rows } = await tx.query<Changes & { record_id: number }>(
    `/* push.read_since */
    SELECT f.record_id, jsonb_object_agg(f.name, f.value) FILTER (WHERE f.name IS NOT NULL) AS before,
      bool_or(f.is_first) AS is_whole, min(f.version) AS first
    FROM (
      SELECT DISTINCT ON (c.record_id, e.key) c.record_id, e.key AS name, e.value,
        c.version, c.version = u.version AS is_first
      FROM record_changes c
      JOIN unnest($2::bigint[], $3::integer[]) AS u (record_id, version)
        ON u.record_id = c.record_id AND u.version <= c.version
      LEFT JOIN LATERAL jsonb_each(c.before) AS e ON true
      WHERE c.account_id = $1::integer
        AND c.record_id = ANY ($2::bigint[])
        AND c.changed_on >= $4::date - 1
      ORDER BY c.record_id, e.key, c.version
    ) f
    GROUP BY f.record_id`,
    [push.account_id, ids, versions, day]
  )
  return new Map(rows.map((row) => [row.record_id, row]))
}

/** Which of the records somebody else changed, too, from a version of each on. Out: their ids. */
export async function listChangedByOthers(
  tx: Tx,
  push: PushRow,
  { ids, versions, day }: { ids: number[]; versions: number[]; day: string }
): Promise<Set<number>> {
  if (ids.length === 0) return new Set()
  const { rows } = await tx.query<{ record_id: number }>(
    `/* push.list_changed_by_others */
    SELECT DISTINCT c.record_id
    FROM record_changes c
    JOIN unnest($2::bigint[], $3::integer[]) AS u (record_id, version)
      ON u.record_id = c.record_id AND u.version <= c.version
    LEFT JOIN imports i ON i.account_id = c.account_id AND i.id = c.import_id
    WHERE c.account_id = $1::integer
      AND c.record_id = ANY ($2::bigint[])
      AND c.changed_on >= $4::date - 1
      AND COALESCE(c.actor_key, i.created_by) IS DISTINCT FROM $5::integer`,
    [push.account_id, ids, versions, day, push.created_by]
  )
  return new Set(rows.map(({ record_id }) => record_id))
}

/** Marks the rows that there is nothing left to tell of. */
export async function markRows(tx: Tx, push: PushRow, rows: PushedRow[]): Promise<void> {
  const place = [push.account_id, push.import_id]
  const references = rows.flatMap((row) => (row.row_number === 0 ? [row.record_id] : []))
  const numbers = rows.flatMap(({ row_number }) => (row_number > 0 ? [row_number] : []))
  if (references.length > 0) {
    await tx.query(
      `/* push.mark_references */
      UPDATE import_references f
      SET pushed = true
      WHERE f.account_id = $1::integer
        AND f.import_id = $2::bigint
        AND f.record_id = ANY ($3::bigint[])`,
      [...place, references]
    )
  }
  if (numbers.length === 0) return
  await tx.query(
    `/* push.mark_rows */
    UPDATE import_rows r
    SET pushed = true
    WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.row_number = ANY ($4::integer[])`,
    [...place, push.created_on, numbers]
  )
  await tx.query(
    `/* push.count */
    UPDATE imports i
    SET rows_pushed = i.rows_pushed + $3::bigint
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [...place, numbers.length]
  )
}

/** Notes how far a push has come. */
export async function movePush(
  tx: Tx,
  { account_id, id }: PushRow,
  after_row: number,
  hasEnded: boolean
): Promise<void> {
  await tx.query(
    `/* push.move */
    UPDATE pushes p
    SET after_row = $3::integer, moved_at = clock_timestamp(),
      ended_at = CASE WHEN $4::boolean THEN clock_timestamp() END
    WHERE p.account_id = $1::integer
      AND p.id = $2::bigint`,
    [account_id, id, after_row, hasEnded]
  )
}

/** Whether any push is open, of whatever account. */
export async function hasOpenPush(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ is_open: boolean }>(
    `/* push.has_open */
    SELECT EXISTS (SELECT 1 FROM pushes p WHERE p.ended_at IS NULL) AS is_open`
  )
  return rows[0]?.is_open === true
}
