-- History that says who made a change, and restores.

-- Up Migration

ALTER TABLE record_changes
  -- The API key that made the change; null: an import did, which knows its own.
  ADD COLUMN actor_key integer,
  -- The version whose values a restore brought back.
  ADD COLUMN restored_version integer;

-- Whatever the narrower check let in fits this one: reading years of history again proves nothing.
ALTER TABLE record_changes
  DROP CONSTRAINT record_changes_action_check,
  ADD CONSTRAINT record_changes_action_check
    CHECK (action IN ('update', 'delete', 'merge', 'restore')) NOT VALID;

-- Down Migration

-- Values of a restore are an update to whoever knows no restore.
UPDATE record_changes SET action = 'update' WHERE action = 'restore';
ALTER TABLE record_changes
  DROP CONSTRAINT record_changes_action_check,
  ADD CONSTRAINT record_changes_action_check CHECK (action IN ('update', 'delete', 'merge'));
ALTER TABLE record_changes DROP COLUMN restored_version, DROP COLUMN actor_key;
