-- Links that an import named: ids of other systems are match keys of rows.

-- Up Migration

ALTER TABLE record_links DROP CONSTRAINT record_links_state_check;
ALTER TABLE record_links ADD CONSTRAINT record_links_state_check CHECK (state IN
  ('not_synced', 'pending', 'synced', 'error', 'orphaned', 'disabled', 'disconnected'));

-- Down Migration

-- What has no row was never exchanged either; only the id that an import named is forgotten.
DELETE FROM record_links WHERE state = 'not_synced';
ALTER TABLE record_links DROP CONSTRAINT record_links_state_check;
ALTER TABLE record_links ADD CONSTRAINT record_links_state_check CHECK (state IN
  ('pending', 'synced', 'error', 'orphaned', 'disabled', 'disconnected'));
