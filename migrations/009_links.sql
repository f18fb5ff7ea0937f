-- Held events about the records of imports: what was told of them, and what is to be told.

-- Up Migration

-- Whether there is nothing left to tell of what the row did; null: it is held.
ALTER TABLE import_rows ADD COLUMN pushed boolean;
ALTER TABLE import_references ADD COLUMN pushed boolean;
-- Rows that made or changed a record and have nothing left to be told.
ALTER TABLE imports ADD COLUMN rows_pushed bigint NOT NULL DEFAULT 0;

-- A walk over the outcomes of an import, in the order of its rows, that writes the events. The page
-- that is told, the place reached and the marks of its rows are one transaction.
CREATE TABLE pushes (
  account_id integer NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  import_id bigint NOT NULL,
  -- Which records: those the import created, those it updated, or both.
  what text NOT NULL,
  -- Only these; null: all.
  record_ids bigint[],
  -- Rows up to this one are done.
  after_row integer NOT NULL DEFAULT 0,
  asked_by integer,
  asked_at timestamptz NOT NULL DEFAULT now(),
  -- When its last page was done: pushes of different accounts take turns.
  moved_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CONSTRAINT pushes_pkey PRIMARY KEY (account_id, id),
  CONSTRAINT pushes_import_fkey FOREIGN KEY (account_id, import_id) REFERENCES imports (account_id, id),
  CONSTRAINT pushes_what_check CHECK (what IN ('created', 'updated', 'all'))
);
CREATE INDEX pushes_open_idx ON pushes (moved_at, account_id, id) WHERE ended_at IS NULL;

-- Begins a push in the transaction that ends an import with the option `push`, and that of every undo:
-- who heard of a record hears that it is gone. Whether anybody was told of anything is looked at by the
-- push itself: a record may be told of while its undo ends.
CREATE FUNCTION begin_push() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO pushes (account_id, import_id, what, asked_by)
  VALUES (NEW.account_id, NEW.id,
    CASE NEW.kind WHEN 'undo' THEN 'all' ELSE NEW.options ->> 'push' END, NEW.created_by);
  PERFORM pg_notify('muster_events', 'pushes');
  RETURN NULL;
END
$$;

CREATE TRIGGER imports_begin_push AFTER UPDATE OF state ON imports
FOR EACH ROW
WHEN (
  OLD.finished_at IS NULL
  AND NEW.finished_at IS NOT NULL
  AND OLD.state <> 'draft'
  AND NEW.state <> 'ready'
  AND NOT COALESCE((NEW.options ->> 'dry_run')::boolean, false)
  AND (NEW.kind = 'undo' OR NEW.options ->> 'push' IN ('created', 'updated', 'all'))
)
EXECUTE FUNCTION begin_push();

-- Down Migration

DROP TRIGGER imports_begin_push ON imports;
DROP FUNCTION begin_push();
DROP TABLE pushes;
ALTER TABLE imports DROP COLUMN rows_pushed;
ALTER TABLE import_references DROP COLUMN pushed;
ALTER TABLE import_rows DROP COLUMN pushed;
