// Undos in the table of imports: making one, and what it means for the import that it takes back. Called
// by start-undo.ts and kept.ts.

import type { ImportRow } from '../import/import-row.ts'
import type { Db, Tx } from '../platform/db.ts'

/** Makes the undo of an import, queued. Out: its id. */
export async function insertUndo(
  tx: Tx,
  account_id: number,
  of: ImportRow,
  { key_id, dry_run }: { key_id: number; dry_run: boolean }
): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(
    `/* undo.insert */
    INSERT INTO imports (account_id, created_by, type, kind, undo_of, state, file_name, file_key,
      file_bytes, file_sha256, file_dropped_at, dialect, options, mapping, type_version, profile,
      fields, queued_at)
    SELECT i.account_id, $3::integer, i.type, 'undo', i.id, 'queued', i.file_name, '', 0, '', now(),
      jsonb_build_object('delimiter', ',', 'newline', E'\\n', 'headers', '[]'::jsonb,
        'dataOffset', 0, 'dataLine', 1),
      jsonb_set(i.options, '{dry_run}', to_jsonb($4::boolean)), '[]', i.type_version, NULL,
      '[]', now()
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
    RETURNING id`,
    [account_id, of.id, key_id, dry_run]
  )
  const [row] = rows
  if (!row) throw new Error('INSERT returned no undo')
  return row.id
}

/** Whether a type of the account was defined after a time. */
export async function isDefinedSince(
  db: Db,
  account_id: number,
  type_id: number,
  time: Date
): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* undo.find_newer_type */
    SELECT 1
    FROM record_types t
    WHERE t.account_id = $1::integer
      AND t.type_id = $2::smallint
      AND t.created_at > $3::timestamptz`,
    [account_id, type_id, time]
  )
  return rowCount !== 0
}

/** Marks an import as being taken back, and remembers how it had ended. */
export async function markUndoing(
  tx: Tx,
  account_id: number,
  id: number,
  undo_id: number
): Promise<void> {
  await tx.query(
    `/* undo.mark */
    UPDATE imports i
    SET state_before = CASE i.state WHEN 'partially_undone' THEN i.state_before ELSE i.state END,
      state = 'undoing', undone_by = $3::bigint
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint`,
    [account_id, id, undo_id]
  )
}
