-- Jobs that can be trusted: pausing, dry runs that are applied, undo.

-- Up Migration

ALTER TABLE imports
  -- import: rows of a file; undo: takes back what another import wrote, a row for each record.
  ADD COLUMN kind text NOT NULL DEFAULT 'import',
  -- What a worker is to do as soon as its batch has ended; null: go on.
  ADD COLUMN asked text,
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
DELETE FROM imports WHERE kind <> 'import' OR state = 'ready';
UPDATE imports SET state = COALESCE(state_before, 'failed')
  WHERE state IN ('undoing', 'undone', 'partially_undone');
UPDATE imports SET state = 'queued' WHERE state IN ('pausing', 'paused');
DROP TABLE import_references;
ALTER TABLE import_rows DROP COLUMN record_version, DROP COLUMN changes;
ALTER TABLE imports ADD COLUMN cancel_requested boolean NOT NULL DEFAULT false;
UPDATE imports SET cancel_requested = true WHERE asked = 'cancel';
ALTER TABLE imports
  DROP CONSTRAINT imports_state_check,
  DROP COLUMN rows_kept, DROP COLUMN rows_reverted, DROP COLUMN state_before,
  DROP COLUMN undone_by, DROP COLUMN undo_of, DROP COLUMN applied_by, DROP COLUMN applied_from,
  DROP COLUMN asked, DROP COLUMN kind,
  ADD CONSTRAINT imports_state_check CHECK (state IN ('draft', 'queued', 'running', 'cancelling',
    'cancelled', 'completed', 'completed_with_errors', 'failed'));
