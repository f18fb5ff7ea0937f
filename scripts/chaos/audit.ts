// Who wrote what: a trigger notes the transaction in which a worker, holding the latest attempt, moved
// an import forward. Whatever an import wrote in any other transaction was written by somebody who
// had lost it, or outside of its checkpoint.

import type { Query } from './place.ts'

/** Makes the table and the trigger. */
export async function installAudit(query: Query): Promise<void> {
  await query(
    `CREATE TABLE chaos_batches (
      import_id bigint NOT NULL, attempt integer NOT NULL, batches bigint NOT NULL,
      xid text NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp())`
  )
  await query('GRANT INSERT ON chaos_batches TO PUBLIC')
  await query(
    `CREATE FUNCTION chaos_note_batch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO chaos_batches (import_id, attempt, batches, xid)
      VALUES (NEW.id, NEW.attempt, NEW.batches, (pg_current_xact_id()::xid)::text);
      RETURN NULL;
    END $$`
  )
  await query(
    `CREATE TRIGGER chaos_note_batch AFTER UPDATE ON imports
    FOR EACH ROW WHEN (NEW.batches > OLD.batches) EXECUTE FUNCTION chaos_note_batch()`
  )
}

/** Counts rows that no batch of the import's latest attempt wrote, and batches out of their order. */
export async function countForeignWrites(query: Query): Promise<number> {
  const [row] = await query<{ count: number }>(
    `WITH xids AS (SELECT DISTINCT b.xid, b.import_id FROM chaos_batches b)
    SELECT
      (SELECT count(*) FROM import_rows r
        WHERE NOT EXISTS (
          SELECT FROM xids x WHERE x.xid = r.xmin::text AND x.import_id = r.import_id))
      + (SELECT count(*) FROM record_changes c
        WHERE NOT EXISTS (
          SELECT FROM xids x WHERE x.xid = c.xmin::text AND x.import_id = c.import_id))
      + (SELECT count(*) FROM records r
        WHERE NOT EXISTS (
          SELECT FROM xids x WHERE x.xid = r.xmin::text AND x.import_id = r.updated_import_id))
      + (SELECT count(*) FROM record_keys k
        WHERE NOT EXISTS (SELECT FROM xids x WHERE x.xid = k.xmin::text))
      + (SELECT count(*) FROM (
          SELECT b.attempt < lag(b.attempt) OVER w OR b.batches <> row_number() OVER w AS is_odd
          FROM chaos_batches b
          WINDOW w AS (PARTITION BY b.import_id ORDER BY b.batches)) o
        WHERE o.is_odd) AS count`
  )
  return row?.count ?? 0
}
