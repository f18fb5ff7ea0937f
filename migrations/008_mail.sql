-- E-mail: whom an account wants to be told, and every mail with what became of it.

-- Up Migration

CREATE TABLE notification_settings (
  account_id integer NOT NULL,
  emails text[] NOT NULL DEFAULT '{}',
  -- After which imports these addresses get a mail.
  import_emails text NOT NULL DEFAULT 'never',
  CONSTRAINT notification_settings_pkey PRIMARY KEY (account_id),
  CONSTRAINT notification_settings_account_fkey FOREIGN KEY (account_id)
    REFERENCES accounts (account_id),
  CONSTRAINT notification_settings_import_emails_check
    CHECK (import_emails IN ('always', 'errors', 'never'))
);

-- One row for each address: what becomes of one stops no other. The table is the queue as well.
CREATE TABLE mails (
  account_id integer NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  -- Stays the same when it is sent again, so that mail systems can tell.
  message_id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- import: the end of an import; notice: a text of the service's own.
  kind text NOT NULL,
  import_id bigint,
  -- Which end: an import that is tried again ends again.
  ended_at timestamptz,
  address text NOT NULL,
  -- What it tells, as it was when it was written.
  content jsonb NOT NULL,
  -- sent: the mail server has it; written: a file has it; failed: given up.
  state text NOT NULL DEFAULT 'queued',
  attempts integer NOT NULL DEFAULT 0,
  -- When it may be tried (again). Moved on before each attempt: whoever dies in it is followed then.
  due_at timestamptz NOT NULL DEFAULT now(),
  -- What the last attempt ran into.
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz,
  CONSTRAINT mails_pkey PRIMARY KEY (account_id, id),
  CONSTRAINT mails_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT mails_kind_check CHECK (kind IN ('import', 'notice')),
  CONSTRAINT mails_state_check CHECK (state IN ('queued', 'sent', 'written', 'failed'))
);
-- One mail for each address and end. (A notice has no import, and null is never equal to null.)
CREATE UNIQUE INDEX mails_once_key ON mails (account_id, import_id, ended_at, lower(address));
-- What is to be sent, whatever the number of those that were.
CREATE INDEX mails_due_idx ON mails (due_at) WHERE state = 'queued';
CREATE INDEX mails_created_at_idx ON mails (created_at);

-- Writes the mails of an import that has ended, in the transaction that ends it: to the addresses of
-- the import (for an undo also those of the import that it takes back), and to the account's own.
CREATE FUNCTION write_import_mails() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  has_errors boolean := NEW.state IN ('completed_with_errors', 'failed')
    OR NEW.rows_rejected + NEW.rows_failed > 0;
BEGIN
  INSERT INTO mails (account_id, kind, import_id, ended_at, address, content)
  SELECT NEW.account_id, 'import', NEW.id, NEW.finished_at, a.address, jsonb_build_object(
    'type', NEW.type, 'kind', NEW.kind, 'state', NEW.state, 'undo_of', NEW.undo_of,
    'redo', EXISTS (
      SELECT 1
      FROM imports i
      WHERE i.account_id = NEW.account_id
        AND i.id = NEW.undo_of
        AND i.kind = 'undo'
    ),
    'dry_run', COALESCE((NEW.options ->> 'dry_run')::boolean, false),
    'file_name', COALESCE((
      SELECT i.file_name
      FROM imports i
      WHERE i.account_id = NEW.account_id
        AND i.id = NEW.undo_of
    ), NEW.file_name),
    'counts', jsonb_build_object('created', NEW.rows_created, 'updated', NEW.rows_updated,
      'unchanged', NEW.rows_unchanged, 'skipped', NEW.rows_skipped, 'rejected', NEW.rows_rejected,
      'failed', NEW.rows_failed, 'reverted', NEW.rows_reverted, 'kept', NEW.rows_kept),
    'rows_total', NEW.rows_total, 'error', NEW.error,
    'started_at', NEW.started_at, 'finished_at', NEW.finished_at)
  FROM (
    SELECT DISTINCT ON (lower(w.address)) w.address
    FROM (
      SELECT e.address
      FROM imports i
      CROSS JOIN LATERAL jsonb_array_elements_text(
        COALESCE(i.options -> 'notify_emails', '[]')) AS e (address)
      WHERE i.account_id = NEW.account_id
        AND i.id IN (NEW.id, NEW.undo_of)
      UNION ALL
      SELECT unnest(s.emails)
      FROM notification_settings s
      WHERE s.account_id = NEW.account_id
        AND (s.import_emails = 'always' OR s.import_emails = 'errors' AND has_errors)
    ) w
    ORDER BY lower(w.address)
  ) a
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

-- Not for a draft that is thrown away, nor for an import that comes back from being taken back.
CREATE TRIGGER imports_write_mails AFTER UPDATE OF state ON imports
FOR EACH ROW
WHEN (
  NEW.state IN ('completed', 'completed_with_errors', 'failed', 'cancelled', 'ready')
  AND OLD.finished_at IS NULL
  AND NEW.finished_at IS NOT NULL
  AND OLD.state <> 'draft'
)
EXECUTE FUNCTION write_import_mails();

-- Down Migration

DROP TRIGGER imports_write_mails ON imports;
DROP FUNCTION write_import_mails();
DROP TABLE mails, notification_settings;
