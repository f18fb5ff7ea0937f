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

/** The next rows, in the order of the file. Of an undo only those whose record was told of by what it
 *  takes back. */
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

/** Which of the rows of an undo are about records that were told of by the import that it takes back:
 *  their line is the row there. Out: row numbers of the undo. */
export async function listToldBefore(tx: Tx, push: PushRow, row_numbers: number[]) {
  const { rows } = await tx.query<{ row_number: number }>(
    `/* push.list_told_before */
    SELECT u.row_number
    FROM import_rows u
    JOIN imports i ON i.account_id = u.account_id AND i.id = $4::bigint
    LEFT JOIN import_rows r ON r.account_id = u.account_id
      AND r.import_id = i.id
      AND r.created_on = i.created_on
      AND r.row_number = u.line_number
    LEFT JOIN import_references f ON f.account_id = u.account_id
      AND f.import_id = i.id
      AND f.type_id = u.type_id
      AND f.record_id = u.record_id
    WHERE u.account_id = $1::integer
      AND u.import_id = $2::bigint
      AND u.created_on = $3::date
      AND u.row_number = ANY ($5::integer[])
      AND (r.pushed OR f.pushed)`,
    [push.account_id, push.import_id, push.created_on, push.undo_of, row_numbers]
  )
  return new Set(rows.map(({ row_number }) => row_number))
}

/** What an import changed of records: of each field what it was before the import's first change. */
export async function readBefore(tx: Tx, push: PushRow, ids: number[]) {
  const { rows } = await tx.query<{ record_id: number; before: RecordData; is_new: boolean }>(
    `/* push.read_before */
    SELECT f.record_id, jsonb_object_agg(f.name, f.value) FILTER (WHERE f.name IS NOT NULL) AS before,
      bool_or(f.action = 'recreate') AS is_new
    FROM (
      SELECT DISTINCT ON (c.record_id, e.key) c.record_id, e.key AS name, e.value, c.action
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

/** Marks what was told of, and what was gone before its turn among the references. */
export async function markRows(
  tx: Tx,
  push: PushRow,
  { told, gone }: { told: PushedRow[]; gone: PushedRow[] }
): Promise<void> {
  const numbers = told.flatMap(({ row_number }) => (row_number > 0 ? [row_number] : []))
  const references = (rows: PushedRow[]) =>
    rows.flatMap(({ row_number, record_id }) => (row_number === 0 ? [record_id] : []))
  await tx.query(
    `/* push.mark_rows */
    UPDATE import_rows r
    SET pushed = true
    WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.row_number = ANY ($4::integer[])`,
    [push.account_id, push.import_id, push.created_on, numbers]
  )
  await tx.query(
    `/* push.mark_references */
    UPDATE import_references f
    SET pushed = f.record_id = ANY ($3::bigint[])
    WHERE f.account_id = $1::integer
      AND f.import_id = $2::bigint
      AND f.record_id = ANY ($3::bigint[] || $4::bigint[])`,
    [push.account_id, push.import_id, references(told), references(gone)]
  )
  await tx.query(
    `/* push.count */
    UPDATE imports i
    SET rows_pushed = i.rows_pushed + $3::bigint
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [push.account_id, push.import_id, numbers.length]
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
