-- Links that an import named: ids of other systems are match keys of rows.

-- Up Migration

ALTER TABLE record_links DROP CONSTRAINT record_links_state_check;
ALTER TABLE record_links ADD CONSTRAINT record_links_state_check CHECK (state IN
  ('not_synced', 'pending', 'synced', 'error', 'orphaned', 'disabled', 'disconnected'));
-- Imports look ids up by the thousand. While statistics are young the planner takes a system for small
-- and walks all of its links; with the system behind the id it has no reason to
-- (src/import/match/linked-records.ts).
DROP INDEX record_links_external_key;
CREATE UNIQUE INDEX record_links_external_key
  ON record_links (account_id, type_id, external_id, system) WHERE external_id IS NOT NULL;

-- Down Migration

DROP INDEX record_links_external_key;
CREATE UNIQUE INDEX record_links_external_key
  ON record_links (account_id, system, type_id, external_id) WHERE external_id IS NOT NULL;

-- What has no row was never exchanged either; only the id that an import named is forgotten.
DELETE FROM record_links WHERE state = 'not_synced';
ALTER TABLE record_links DROP CONSTRAINT record_links_state_check;
ALTER TABLE record_links ADD CONSTRAINT record_links_state_check CHECK (state IN
  ('pending', 'synced', 'error', 'orphaned', 'disabled', 'disconnected'));
