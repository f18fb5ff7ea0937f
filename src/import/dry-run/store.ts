// Statements of dry runs and of the imports that apply them.

import type { Db, Tx } from '../../platform/db.ts'
import type { ClaimedImport } from '../write/import-state.ts'
import { pagesOfRecords } from '../write/touched-rows.ts'
import type { DryRun, ForeseenRow } from './terms.ts'

/** What a dry run said of some of its rows, in no order. */
export async function listForeseen(
  db: Db,
  dryRun: DryRun & { account_id: number },
  rowNumbers: number[]
): Promise<ForeseenRow[]> {
  const { rows } = await db.query<ForeseenRow>(
    `/* dry_run.list_foreseen */
    SELECT r.row_number, r.outcome, r.record_id, r.record_version, r.changes
    FROM import_rows r
    WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.row_number = ANY ($4::integer[])`,
    [dryRun.account_id, dryRun.id, dryRun.created_on, rowNumbers]
  )
  return rows
}

const pageSize = 50_000

/** The ids of all records that an import has made so far, by its rows or because rows name them. */
export async function* pagesOfMade(db: Db, run: ClaimedImport): AsyncGenerator<number[]> {
  const { account_id, id } = run
  yield* pagesOfRecords(db, run, ['created'])
  for (let after = [0, 0]; ; ) {
    const { rows } = await db.query<[number, number]>({
      text: `/* dry_run.list_references */
      SELECT f.type_id, f.record_id
      FROM import_references f
      WHERE f.account_id = $1::integer
        AND f.import_id = $2::bigint
        AND (f.type_id, f.record_id) > ($3::smallint, $4::bigint)
      ORDER BY f.type_id, f.record_id
      LIMIT $5::integer`,
      values: [account_id, id, ...after, pageSize],
      rowMode: 'array'
    })
    yield rows.map(([, record_id]) => record_id)
    after = rows.at(-1) ?? after
    if (rows.length < pageSize) break
  }
}

/** The records that a dry run would have changed by rows that were refused as drifted since. */
export async function readDrifted(db: Db, run: ClaimedImport, dryRun: DryRun): Promise<number[]> {
  const { rows } = await db.query<{ record_id: number }>(
    `/* dry_run.read_drifted */
    SELECT DISTINCT d.record_id
    FROM import_rows r
    JOIN import_rows d ON d.account_id = r.account_id
      AND d.import_id = $4::bigint
      AND d.created_on = $5::date
      AND d.row_number = r.row_number
    WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.outcome = 'rejected'
      AND r.problems @> '[{"code": "drifted"}]'
      AND d.outcome = 'updated'
      AND d.record_id IS NOT NULL`,
    [run.account_id, run.id, run.created_on, dryRun.id, dryRun.created_on]
  )
  return rows.map(({ record_id }) => record_id)
}

/** Makes the import that applies a dry run, over a file of its own, and notes it with the dry run.
 *  Returns its id. */
export async function insertApplying(
  tx: Tx,
  made: {
    account_id: number
    created_by: number
    dry_run_id: number
    file_key: string
    allow_partial: boolean
  }
): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(
    `/* dry_run.insert_applying */
    WITH made AS (
      INSERT INTO imports (account_id, created_by, type, state, file_name, file_key, file_bytes,
        file_sha256, dialect, options, mapping, type_version, profile, fields, applied_from,
        queued_at)
      SELECT d.account_id, $3::integer, d.type, 'queued', d.file_name, $4::text, d.file_bytes,
        d.file_sha256, d.dialect,
        d.options || jsonb_build_object('dry_run', false, 'allow_partial', $5::boolean),
        d.mapping, d.type_version, d.profile, d.fields, d.id, now()
      FROM imports d
      WHERE d.account_id = $1::integer
        AND d.id = $2::bigint
      RETURNING id
    )
    UPDATE imports i
    SET applied_by = made.id
    FROM made
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
    RETURNING made.id`,
    [made.account_id, made.dry_run_id, made.created_by, made.file_key, made.allow_partial]
  )
  const [row] = rows
  if (!row) throw new Error('INSERT returned no import')
  return row.id
}
