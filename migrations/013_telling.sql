-- Telling: what the events of imports say.

-- Up Migration

-- As before, but import.undone comes once each time that an import becomes undone, and events say which
-- dry run an import applies.
CREATE OR REPLACE FUNCTION write_import_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- Taking an import back ends with its old state when nothing, or the taking back, was taken back.
  was_undone boolean := TG_OP = 'UPDATE' AND OLD.state IN ('undoing', 'undone', 'partially_undone');
  -- It was partially undone and still is: the undo that was to take the rest took nothing.
  is_as_before boolean := TG_OP = 'UPDATE' AND OLD.state = 'undoing'
    AND NEW.state = 'partially_undone'
    AND EXISTS (
      SELECT 1
      FROM imports u
      WHERE u.account_id = NEW.account_id
        AND u.id = NEW.undone_by
        AND u.rows_reverted = 0
    );
  its_type text := CASE
    WHEN TG_OP = 'INSERT' THEN 'import.created'
    WHEN is_as_before THEN NULL
    WHEN NEW.state IN ('undone', 'partially_undone') THEN 'import.undone'
    WHEN was_undone THEN NULL
    WHEN NEW.state IN ('completed', 'completed_with_errors', 'ready') THEN 'import.completed'
    WHEN NEW.state = 'failed' THEN 'import.failed'
    WHEN NEW.state = 'cancelled' THEN 'import.cancelled'
    WHEN OLD.started_at IS NULL AND NEW.started_at IS NOT NULL THEN 'import.started'
  END;
BEGIN
  IF its_type IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM write_event(NEW.account_id, its_type, jsonb_build_object('import', jsonb_build_object(
    'id', NEW.id,
    'type', NEW.type,
    'kind', NEW.kind,
    'state', NEW.state,
    'dry_run', COALESCE((NEW.options ->> 'dry_run')::boolean, false),
    'file_name', CASE WHEN NEW.kind = 'import' THEN NEW.file_name END,
    'counts', jsonb_build_object(
      'created', NEW.rows_created,
      'updated', NEW.rows_updated,
      'unchanged', NEW.rows_unchanged,
      'skipped', NEW.rows_skipped,
      'rejected', NEW.rows_rejected,
      'failed', NEW.rows_failed,
      'reverted', NEW.rows_reverted,
      'kept', NEW.rows_kept
    ),
    'rows_total', NEW.rows_total,
    'undo_of', NEW.undo_of,
    'applied_from', NEW.applied_from,
    'error', NEW.error
  )), NEW.id, NEW.type, NEW.created_by);
  RETURN NULL;
END
$$;

-- Down Migration

CREATE OR REPLACE FUNCTION write_import_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- Taking an import back ends with its old state when nothing, or the taking back, was taken back.
  was_undone boolean := TG_OP = 'UPDATE' AND OLD.state IN ('undoing', 'undone', 'partially_undone');
  its_type text := CASE
    WHEN TG_OP = 'INSERT' THEN 'import.created'
    WHEN NEW.state IN ('undone', 'partially_undone') THEN 'import.undone'
    WHEN was_undone THEN NULL
    WHEN NEW.state IN ('completed', 'completed_with_errors', 'ready') THEN 'import.completed'
    WHEN NEW.state = 'failed' THEN 'import.failed'
    WHEN NEW.state = 'cancelled' THEN 'import.cancelled'
    WHEN OLD.started_at IS NULL AND NEW.started_at IS NOT NULL THEN 'import.started'
  END;
BEGIN
  IF its_type IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM write_event(NEW.account_id, its_type, jsonb_build_object('import', jsonb_build_object(
    'id', NEW.id,
    'type', NEW.type,
    'kind', NEW.kind,
    'state', NEW.state,
    'dry_run', COALESCE((NEW.options ->> 'dry_run')::boolean, false),
    'file_name', CASE WHEN NEW.kind = 'import' THEN NEW.file_name END,
    'counts', jsonb_build_object(
      'created', NEW.rows_created,
      'updated', NEW.rows_updated,
      'unchanged', NEW.rows_unchanged,
      'skipped', NEW.rows_skipped,
      'rejected', NEW.rows_rejected,
      'failed', NEW.rows_failed,
      'reverted', NEW.rows_reverted,
      'kept', NEW.rows_kept
    ),
    'rows_total', NEW.rows_total,
    'undo_of', NEW.undo_of,
    'error', NEW.error
  )), NEW.id, NEW.type, NEW.created_by);
  RETURN NULL;
END
$$;
