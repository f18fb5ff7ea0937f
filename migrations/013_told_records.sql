-- What events have told of records: whoever has heard of one hears what becomes of it.

-- Up Migration

-- A row for each record that a record.* event has told of, written in the event's transaction.
CREATE TABLE told_records (
  account_id integer NOT NULL,
  record_id bigint NOT NULL,
  -- The version that was told last.
  version integer NOT NULL,
  -- It was told that it is gone, or was gone when it was to be told of.
  is_gone boolean NOT NULL,
  -- When: what changed since is in the history from there on.
  told_on date NOT NULL,
  CONSTRAINT told_records_pkey PRIMARY KEY (account_id, record_id)
);
-- Those that are gone are dropped with their history (retention): until then they can come back.
CREATE INDEX told_records_gone_idx ON told_records (told_on) WHERE is_gone;

-- Down Migration

DROP TABLE told_records;
