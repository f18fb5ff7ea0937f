-- Records and what they are in other systems: which one, and how far both say the same.

-- Up Migration

CREATE TABLE record_links (
  account_id integer NOT NULL,
  record_id bigint NOT NULL,
  system text NOT NULL,
  -- For pages.
  id bigint GENERATED ALWAYS AS IDENTITY,
  type_id smallint NOT NULL,
  -- What the record is called there; kept while the link is paused or taken off.
  external_id text,
  -- src/sync/links/status.ts has every state and every move.
  state text NOT NULL,
  error text,
  -- The API key that keeps it: the one that reported last what became of it there.
  changed_by integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT record_links_pkey PRIMARY KEY (account_id, record_id, system),
  CONSTRAINT record_links_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT record_links_state_check CHECK (state IN
    ('pending', 'synced', 'error', 'orphaned', 'disabled', 'disconnected'))
);
-- One record for each thing of the other system.
CREATE UNIQUE INDEX record_links_external_key
  ON record_links (account_id, system, type_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX record_links_state_idx ON record_links (account_id, system, state, id);

-- Down Migration

DROP TABLE record_links;
