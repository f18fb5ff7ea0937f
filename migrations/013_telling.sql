-- Telling: which records an import has told of, and that an import is undone, once each time.

-- Up Migration

-- Whether events have told of a record that an import wrote: the import may have 500,000 rows. Only
-- rows that were told of are in it, so importing costs nothing more.
CREATE INDEX import_rows_pushed_idx ON import_rows (account_id, import_id, record_id) WHERE pushed;

-- Whether an undo has ended without taking anything back.
CREATE FUNCTION took_nothing_back(of_account integer, undo_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1
    FROM imports i
    WHERE i.account_id = of_account
      AND i.id = undo_id
      AND i.rows_reverted = 0
  )
$$;

-- As before, but not for an import that was partially undone and still is, as it was: the undo that
-- was to take the rest was cancelled, or could take nothing.
DROP TRIGGER imports_moved ON imports;
CREATE TRIGGER imports_moved AFTER UPDATE OF state ON imports
  FOR EACH ROW WHEN (
    OLD.state IS DISTINCT FROM NEW.state
    AND NOT (OLD.state = 'undoing' AND NEW.state = 'partially_undone'
      AND took_nothing_back(NEW.account_id, NEW.undone_by))
  ) EXECUTE FUNCTION write_import_event();

-- Down Migration

DROP TRIGGER imports_moved ON imports;
CREATE TRIGGER imports_moved AFTER UPDATE OF state ON imports
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION write_import_event();
DROP FUNCTION took_nothing_back(integer, bigint);
DROP INDEX import_rows_pushed_idx;
