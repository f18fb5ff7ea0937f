-- Jobs that can be trusted: pausing, dry runs that are applied, undo.

-- Up Migration

ALTER TABLE imports
  -- import: rows of a file; undo: takes back what another import wrote, a row for each record.
  ADD COLUMN kind text NOT NULL DEFAULT 'import',
  -- What a worker is to do as soon as its batch has ended; null: go on.
  ADD COLUMN asked text,
  -- The rows that waited for the end of the file are being taken for the last time.
  ADD COLUMN in_last_round boolean NOT NULL DEFAULT false,
  -- Batches committed. A worker that knows of more has outlived a crash of the database server that
  -- took the last ones with it.
  ADD COLUMN batches bigint NOT NULL DEFAULT 0,
  -- The dry run that this import applies, and the import that applies this dry run.
  ADD COLUMN applied_from bigint,
  ADD COLUMN applied_by bigint,
  -- The import that this one takes back, and the latest one that takes this one back.
  ADD COLUMN undo_of bigint,
  ADD COLUMN undone_by bigint,
  -- How it had ended before it was taken back.
  ADD COLUMN state_before text,
  -- Records of an undo.
  ADD COLUMN rows_reverted bigint NOT NULL DEFAULT 0,
  ADD COLUMN rows_kept bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT imports_kind_check CHECK (kind IN ('import', 'undo')),
  ADD CONSTRAINT imports_asked_check CHECK (asked IN ('pause', 'cancel')),
  DROP CONSTRAINT imports_state_check,
  ADD CONSTRAINT imports_state_check CHECK (state IN ('draft', 'queued', 'running', 'pausing',
    'paused', 'cancelling', 'cancelled', 'ready', 'completed', 'completed_with_errors', 'failed',
    'undoing', 'undone', 'partially_undone'));
UPDATE imports SET asked = 'cancel' WHERE cancel_requested;
ALTER TABLE imports DROP COLUMN cancel_requested;

ALTER TABLE import_rows
  -- {"field": {"from": value or null, "to": value or null}}: what a dry run would do to the record.
  ADD COLUMN changes jsonb,
  -- Version of the record that a dry run would change, as it found it.
  ADD COLUMN record_version integer;

-- Whose turn it is: what imports and accounts have had of the workers.
ALTER TABLE imports
  -- The job of the queue that runs it, or ran it last.
  ADD COLUMN ticket uuid,
  -- Estimated seconds that smaller imports of the account have taken from it by going first.
  ADD COLUMN overtaken_seconds real NOT NULL DEFAULT 0;
CREATE TABLE account_turns (
  account_id integer NOT NULL,
  -- When an import of the account last got, or gave up, a worker.
  turned_at timestamptz NOT NULL,
  CONSTRAINT account_turns_pkey PRIMARY KEY (account_id),
  CONSTRAINT account_turns_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id)
);
-- The few imports that have not ended. No batch changes what is in it.
CREATE INDEX imports_unfinished_idx ON imports (account_id, type, queued_at, id)
  WHERE state IN ('queued', 'running', 'pausing', 'paused', 'cancelling');

-- Type of the record of an undo's outcome; null: that of the import.
ALTER TABLE import_rows ADD COLUMN type_id smallint;

-- The few records that an undo kept are found like the few bad rows of an import.
DROP INDEX import_rows_bad_idx;
CREATE INDEX import_rows_bad_idx ON import_rows (account_id, import_id, outcome, row_number)
  WHERE outcome IN ('rejected', 'failed', 'skipped', 'kept');

-- delete: the change made a version in which the record does not exist, `before` is all it was;
-- recreate: it came back, and every field was null before. undo: what a job wrote was taken back.
ALTER TABLE record_changes
  -- Of a deletion: what the record had besides its values, to be brought back with:
  -- created_at, created_import_id, archived_at, merged_into.
  ADD COLUMN record jsonb,
  DROP CONSTRAINT record_changes_action_check,
  ADD CONSTRAINT record_changes_action_check CHECK (action IN
    ('update', 'delete', 'merge', 'restore', 'undo', 'recreate')) NOT VALID;

-- Records of other types that an import made because its rows name them.
CREATE TABLE import_references (
  account_id integer NOT NULL,
  import_id bigint NOT NULL,
  type_id smallint NOT NULL,
  record_id bigint NOT NULL,
  CONSTRAINT import_references_pkey PRIMARY KEY (account_id, import_id, type_id, record_id)
);

-- Down Migration

-- An import that takes another one back, or was not to write, has no place in what was before.
DELETE FROM import_rows r USING imports i
  WHERE i.account_id = r.account_id AND i.id = r.import_id AND i.created_on = r.created_on
    AND (i.kind <> 'import' OR (i.options -> 'dry_run')::boolean);
DELETE FROM imports WHERE kind <> 'import' OR (options -> 'dry_run')::boolean;
UPDATE imports SET state = COALESCE(state_before, 'failed')
  WHERE state IN ('undoing', 'undone', 'partially_undone');
UPDATE imports SET state = 'queued' WHERE state IN ('pausing', 'paused');
DROP TABLE import_references;
DROP INDEX imports_unfinished_idx;
DROP TABLE account_turns;
ALTER TABLE imports DROP COLUMN overtaken_seconds, DROP COLUMN ticket;
DROP INDEX import_rows_bad_idx;
CREATE INDEX import_rows_bad_idx ON import_rows (account_id, import_id, outcome, row_number)
  WHERE outcome IN ('rejected', 'failed', 'skipped');
ALTER TABLE import_rows DROP COLUMN type_id, DROP COLUMN record_version, DROP COLUMN changes;
-- To whoever knows no undo it is an update, as far as the record was there before.
DELETE FROM record_changes WHERE action = 'recreate';
UPDATE record_changes SET action = 'update' WHERE action = 'undo';
ALTER TABLE record_changes
  DROP CONSTRAINT record_changes_action_check,
  ADD CONSTRAINT record_changes_action_check
    CHECK (action IN ('update', 'delete', 'merge', 'restore')) NOT VALID,
  DROP COLUMN record;
ALTER TABLE imports ADD COLUMN cancel_requested boolean NOT NULL DEFAULT false;
UPDATE imports SET cancel_requested = true WHERE asked = 'cancel';
ALTER TABLE imports
  DROP CONSTRAINT imports_state_check,
  DROP COLUMN rows_kept, DROP COLUMN rows_reverted, DROP COLUMN state_before,
  DROP COLUMN undone_by, DROP COLUMN undo_of, DROP COLUMN applied_by, DROP COLUMN applied_from,
  DROP COLUMN in_last_round, DROP COLUMN asked, DROP COLUMN kind, DROP COLUMN batches,
  ADD CONSTRAINT imports_state_check CHECK (state IN ('draft', 'queued', 'running', 'cancelling',
    'cancelled', 'completed', 'completed_with_errors', 'failed'));
