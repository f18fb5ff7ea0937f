-- Event streams: every change of an import's state has a number, and is told to who listens.

-- Up Migration

-- Grows with every change of state: who follows the import knows what it has seen.
ALTER TABLE imports ADD COLUMN state_changes integer NOT NULL DEFAULT 0;

-- Tells with the commit; what the import is by then is read by the listener.
CREATE FUNCTION tell_import_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.state_changes := OLD.state_changes + 1;
  PERFORM pg_notify('muster_imports', json_build_object(
    'account_id', NEW.account_id, 'import_id', NEW.id,
    'state', NEW.state, 'state_changes', NEW.state_changes)::text);
  RETURN NEW;
END
$$;
CREATE TRIGGER imports_tell_state BEFORE UPDATE OF state ON imports
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tell_import_state();

-- Down Migration

DROP TRIGGER imports_tell_state ON imports;
DROP FUNCTION tell_import_state();
ALTER TABLE imports DROP COLUMN state_changes;
