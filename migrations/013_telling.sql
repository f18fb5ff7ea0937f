-- Telling: which records an import has told of.

-- Up Migration

-- Whether events have told of a record that an import wrote: the import may have 500,000 rows. Only
-- rows that were told of are in it, so importing costs nothing more.
CREATE INDEX import_rows_pushed_idx ON import_rows (account_id, import_id, record_id) WHERE pushed;

-- Down Migration

DROP INDEX import_rows_pushed_idx;
