// Imports and the outcomes of their rows in the database, as the API needs them.
// Every statement names the account. The engine's own statements (batches, counts, checkpoint) are
// in write/; here is what requests read and change.

import type { Db, Tx } from '../platform/db.ts'
import type { ShownChanges } from './dry-run/terms.ts'
import type { ImportRow, NewImport } from './import-row.ts'
import type { FieldFacts } from './profiles/profile-facts.ts'
import type { ImportOptions } from './resolve/import-options.ts'
import type { ImportState } from './status.ts'
import type { Problem, ShownOutcome } from './terms.ts'

const importColumns = `i.id, i.created_on, i.created_at, i.created_by, k.name AS created_by_name,
      i.type, i.kind, i.profile, i.state, i.file_name, i.file_key, i.file_bytes, i.file_sha256, i.dialect,
      i.options, i.mapping, i.next_offset, i.rows_created, i.rows_updated, i.rows_unchanged, i.rows_skipped,
      i.rows_rejected, i.rows_failed, i.rows_with_warnings, i.references_created, i.rows_total,
      i.rows_reverted, i.rows_kept, i.rows_pushed, i.applied_from, i.applied_by, i.undo_of, i.undone_by,
      i.state_before, i.error, i.queued_at, i.started_at, i.progressed_at, i.finished_at, i.file_dropped_at,
      (
        SELECT min(d.dropped_at)
        FROM dropped_weeks d
        WHERE d.what = 'import_rows'
          AND d.week = date_trunc('week', i.created_on::timestamp)::date
          AND d.dropped_at >= i.finished_at
      ) AS rows_dropped_at,
      (
        SELECT min(d.dropped_at)
        FROM dropped_weeks d
        WHERE d.what = 'record_changes'
          AND d.week BETWEEN date_trunc('week', i.started_at AT TIME ZONE 'UTC')::date
            AND (i.finished_at AT TIME ZONE 'UTC')::date
      ) AS history_dropped_at`

/** Creates an import; reading begins at the first data row. Returns its id. */
export async function insertImport(db: Db, made: NewImport): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `/* import.insert */
    INSERT INTO imports (account_id, created_by, type, state, file_name, file_key, file_bytes,
      file_sha256, dialect, options, mapping, type_version, profile, fields, queued_at)
    VALUES ($1::integer, $2::integer, $3::text, $4::text, $5::text, $6::text, $7::bigint,
      $8::text, $9::jsonb, $10::jsonb, $11::jsonb, $12::integer, $13::text,
      $14::jsonb, CASE $4::text WHEN 'queued' THEN now() END)
    RETURNING id`,
    [
      made.account_id,
      made.created_by,
      made.type,
      made.state,
      made.file_name,
      made.file_key,
      made.file_bytes,
      made.file_sha256,
      JSON.stringify(made.dialect),
      JSON.stringify(made.options),
      JSON.stringify(made.mapping),
      made.type_version,
      made.profile,
      JSON.stringify(made.fields)
    ]
  )
  const [row] = rows
  if (!row) throw new Error('INSERT returned no import')
  return row.id
}

/** One import, or null when the account has none with that id. */
export async function getImport(db: Db, account_id: number, id: number): Promise<ImportRow | null> {
  const { rows } = await db.query<ImportRow>(
    `/* import.get */
    SELECT ${importColumns}
    FROM imports i
    LEFT JOIN api_keys k ON k.account_id = i.account_id AND k.id = i.created_by
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [account_id, id]
  )
  return rows[0] ?? null
}

/** As `getImport`, and holds the import's row until the transaction ends. */
export async function lockImport(tx: Tx, account_id: number, id: number) {
  const { rows } = await tx.query<ImportRow>(
    `/* import.lock */
    SELECT ${importColumns}
    FROM imports i
    LEFT JOIN api_keys k ON k.account_id = i.account_id AND k.id = i.created_by
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
    FOR UPDATE OF i`,
    [account_id, id]
  )
  return rows[0] ?? null
}

/** The fields of the import's type as they were when mapping and options were made. */
export async function readFields(db: Db, account_id: number, id: number): Promise<FieldFacts[]> {
  const { rows } = await db.query<{ fields: FieldFacts[] }>(
    `/* import.read_fields */
    SELECT i.fields
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [account_id, id]
  )
  return rows[0]?.fields ?? []
}

/** The newest import before `id` (null: of all) with the same content and type; null: none. */
export async function findEarlierImport(
  db: Db,
  account_id: number,
  file: { sha256: string; type: string; before: number }
): Promise<number | null> {
  const { rows } = await db.query<{ id: number | null }>(
    `/* import.find_earlier */
    SELECT max(i.id) AS id
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.file_sha256 = $2::text
      AND i.type = $3::text
      AND i.id < $4::bigint`,
    [account_id, file.sha256, file.type, file.before]
  )
  return rows[0]?.id ?? null
}

/** Makes those who queue imports of an account take turns, until the transaction ends. */
export async function lockUnfinished(tx: Tx, account_id: number): Promise<void> {
  await tx.query(
    `/* import.lock_unfinished */
    SELECT pg_advisory_xact_lock(hashtextextended('muster.imports ' || $1::integer::text, 0))`,
    [account_id]
  )
}

/** How many imports have begun, or are to begin, and have not ended: all, and those of a type; and an
 *  estimate of the seconds until one of those that run has ended. */
export async function countUnfinished(db: Db, account_id: number, type: string) {
  const { rows } = await db.query<{ count: number; of_type: number; seconds_left: number | null }>(
    `/* import.count_unfinished */
    SELECT count(*)::integer AS count,
      (count(*) FILTER (WHERE i.type = $2::text))::integer AS of_type,
      (min(i.file_bytes - i.next_offset) FILTER (WHERE i.state = 'running') / 1e6)::float8
        AS seconds_left
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.state IN ('queued', 'running', 'pausing', 'paused', 'cancelling')`,
    [account_id, type]
  )
  return rows[0] ?? { count: 0, of_type: 0, seconds_left: null }
}

/** What `GET /imports` may ask for; null: any. */
export interface ImportFilter {
  states: ImportState[] | null
  type: string | null
  created_after: string | null
  created_before: string | null
  /** Part of the file's name, any case. */
  q: string | null
  /** Only imports with a smaller id. */
  before: number | null
  limit: number
}

/** Imports of the account, newest first. Times are compared as they are shown: in milliseconds. */
export async function listImports(db: Db, account_id: number, filter: ImportFilter) {
  const { rows } = await db.query<ImportRow>(
    `/* import.list */
    SELECT ${importColumns}
    FROM imports i
    LEFT JOIN api_keys k ON k.account_id = i.account_id AND k.id = i.created_by
    WHERE i.account_id = $1::integer
      AND ($2::text[] IS NULL OR i.state = ANY($2::text[]))
      AND ($3::text IS NULL OR i.type = $3::text)
      AND ($4::timestamptz IS NULL
        OR date_trunc('milliseconds', i.created_at) > $4::timestamptz)
      AND ($5::timestamptz IS NULL
        OR date_trunc('milliseconds', i.created_at) < $5::timestamptz)
      AND ($6::text IS NULL OR strpos(lower(i.file_name), lower($6::text)) > 0)
      AND ($7::bigint IS NULL OR i.id < $7::bigint)
    ORDER BY i.id DESC
    LIMIT $8::integer`,
    [
      account_id,
      filter.states,
      filter.type,
      filter.created_after,
      filter.created_before,
      filter.q,
      filter.before,
      filter.limit
    ]
  )
  return rows
}

/** Replaces the choices of a draft; `made` null: they are for the fields they were made for. Returns
 *  false when it is no draft any more. */
export async function updateDraft(
  db: Db,
  account_id: number,
  id: number,
  draft: {
    options: ImportOptions
    mapping: (string | null)[]
    made: { type_version: number; fields: FieldFacts[] } | null
  }
): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* import.update_draft */
    UPDATE imports i
    SET options = $3::jsonb, mapping = $4::jsonb,
      type_version = COALESCE($5::integer, i.type_version),
      fields = COALESCE($6::jsonb, i.fields)
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.state = 'draft'`,
    [
      account_id,
      id,
      JSON.stringify(draft.options),
      JSON.stringify(draft.mapping),
      draft.made?.type_version ?? null,
      draft.made && JSON.stringify(draft.made.fields)
    ]
  )
  return rowCount === 1
}

/** draft -> queued. Returns false when it is no draft any more. */
export async function queueDraft(db: Db, account_id: number, id: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* import.queue_draft */
    UPDATE imports i
    SET state = 'queued', queued_at = now()
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.state = 'draft'`,
    [account_id, id]
  )
  return rowCount === 1
}

/** The outcome of one row as stored. */
export interface OutcomeRow {
  row_number: number
  line_number: number
  outcome: ShownOutcome
  record_id: number | null
  /** Number of the record's type; null: that of the import. */
  type_id: number | null
  matched_by: string | null
  /** Whether events have told of it; null: no. */
  pushed: boolean | null
  changed_fields: string[] | null
  problems: Problem[] | null
  /** Of a dry run: what would change. */
  changes: ShownChanges | null
}

/** With the cells as the file has them; null where they were not kept. */
export interface BadOutcomeRow extends OutcomeRow {
  cells: string[] | null
}

/** The outcomes that import_rows_bad_idx covers. */
export const badOutcomes = [
  'rejected',
  'failed',
  'skipped',
  'kept'
] as const satisfies ShownOutcome[]

export interface OutcomeFilter {
  account_id: number
  import_id: number
  /** The import's created_on: names the partition. */
  created_on: string
  /** Null: all. */
  outcomes: ShownOutcome[] | null
  /** Only rows with a greater number. */
  after: number
  limit: number
}

/** Outcomes in file order. */
export async function listOutcomes(db: Db, filter: OutcomeFilter): Promise<OutcomeRow[]> {
  const { rows } = await db.query<OutcomeRow>(
    `/* import.list_outcomes */
    SELECT ${outcomeColumns}
    FROM import_rows r
    WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.row_number > $4::integer
      AND ($5::text[] IS NULL OR r.outcome = ANY($5::text[]))
    ORDER BY r.row_number
    LIMIT $6::integer`,
    outcomeValues(filter)
  )
  return rows
}

/** As `listOutcomes`, for outcomes that are all in `badOutcomes`, with the cells of the row where
 *  they were kept. Reads only such rows, however many good ones lie between them. */
export async function listBadOutcomes(db: Db, filter: OutcomeFilter): Promise<BadOutcomeRow[]> {
  const { rows } = await db.query<BadOutcomeRow>(
    `/* import.list_bad_outcomes */
    ${badOutcomes.map(badBranch).join('\n    UNION ALL\n    ')}
    ORDER BY row_number
    LIMIT $6::integer`,
    outcomeValues(filter)
  )
  return rows
}

const outcomeColumns = `r.row_number, r.line_number, r.outcome, r.record_id, r.type_id, r.matched_by,
      r.changed_fields, r.problems, r.changes, r.pushed`

// One ordered walk through the partial index import_rows_bad_idx per outcome, merged: the index
// is only usable with the outcome as a constant, and a list of outcomes would need a sort.
const badBranch = (outcome: ShownOutcome) => `(
      SELECT ${outcomeColumns}, r.cells
      FROM import_rows r
      WHERE r.account_id = $1::integer
        AND r.import_id = $2::bigint
        AND r.created_on = $3::date
        AND r.row_number > $4::integer
        AND r.outcome = '${outcome}'
        AND '${outcome}' = ANY($5::text[])
      ORDER BY r.row_number
      LIMIT $6::integer
    )`

function outcomeValues(filter: OutcomeFilter) {
  const { account_id, import_id, created_on, after, outcomes, limit } = filter
  return [account_id, import_id, created_on, after, outcomes, limit]
}
