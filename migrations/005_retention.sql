-- Retention: what was dropped when, so that an import can say what of it is gone.

-- Up Migration

-- One row for each weekly partition that was dropped. A week may have several: an import that was
-- started long after it was created has its outcomes in the week of its creation, made anew.
-- No account: a partition holds those of all accounts.
CREATE TABLE dropped_weeks (
  -- The partitioned table: import_rows or record_changes.
  what text NOT NULL,
  -- The Monday.
  week date NOT NULL,
  dropped_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT dropped_weeks_pkey PRIMARY KEY (what, week, dropped_at)
);

-- When the upload was deleted; null: it is still there.
ALTER TABLE imports ADD COLUMN file_dropped_at timestamptz;

-- Whether a week still has an import that needs it.
CREATE INDEX imports_created_on_idx ON imports (created_on, account_id, id);
-- The uploads that are left, oldest first: those that are gone are not read again each hour.
CREATE INDEX imports_file_kept_idx ON imports (created_on, account_id, id)
  WHERE file_dropped_at IS NULL;
-- Whether any import names a file that lies in the folder for uploads.
CREATE INDEX imports_file_key_idx ON imports (file_key);

-- Asks the catalog itself: to_regclass answers from a cache that does not know yet what somebody has
-- made or dropped while we waited for an advisory lock.
CREATE FUNCTION has_partition(parent text, part text) RETURNS boolean LANGUAGE sql VOLATILE AS $$
  SELECT EXISTS (
    SELECT 1
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent::regclass
      AND c.relname = part
  )
$$;

-- Made beside the table and then attached: CREATE TABLE ... PARTITION OF would lock the whole table
-- against everybody, and wait for a transaction of minutes with all others behind it.
-- Dropping a week and starting to write into it must not happen side by side either: who makes sure
-- of a partition waits for a drop under way, and the drop then sees the import that does.
CREATE OR REPLACE FUNCTION ensure_partitions(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  monday date := date_trunc('week', day)::date;
  suffix text := to_char(monday, 'YYYYMMDD');
  parent text;
  part text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('muster.drop_partitions'));
  FOREACH parent IN ARRAY ARRAY['import_rows', 'record_changes'] LOOP
    part := parent || '_' || suffix;
    CONTINUE WHEN has_partition(parent, part);
    PERFORM pg_advisory_xact_lock(hashtext('muster.ensure_partitions'));
    CONTINUE WHEN has_partition(parent, part);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      parent, part, monday, monday + 7);
  END LOOP;
END
$$;

-- Down Migration

CREATE OR REPLACE FUNCTION ensure_partitions(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  monday date := date_trunc('week', day)::date;
  suffix text := to_char(monday, 'YYYYMMDD');
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['import_rows', 'record_changes'] LOOP
    IF to_regclass(format('%I', parent || '_' || suffix)) IS NULL THEN
      PERFORM pg_advisory_xact_lock(hashtext('muster.ensure_partitions'));
      EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        parent || '_' || suffix, parent, monday, monday + 7);
    END IF;
  END LOOP;
END
$$;
DROP FUNCTION has_partition(text, text);
DROP INDEX imports_file_key_idx, imports_file_kept_idx, imports_created_on_idx;
ALTER TABLE imports DROP COLUMN file_dropped_at;
DROP TABLE dropped_weeks;
