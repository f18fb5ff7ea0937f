-- The foundation: accounts, records with their match keys and history, imports with their rows.
-- Every primary key begins with account_id and every query names the account: this keeps tenants
-- apart and lets the schema be sharded by account later.

-- Up Migration

CREATE TABLE accounts (
  account_id integer GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT accounts_pkey PRIMARY KEY (account_id)
);

CREATE TABLE api_keys (
  account_id integer NOT NULL,
  id integer GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  -- SHA-256 of the whole key: keys are 256 random bits, so a slow hash would add nothing.
  key_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  CONSTRAINT api_keys_pkey PRIMARY KEY (account_id, id),
  CONSTRAINT api_keys_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT api_keys_key_hash_length CHECK (octet_length(key_hash) = 32)
);
-- The one look-up that cannot name the account: the key is what tells it.
CREATE UNIQUE INDEX api_keys_key_hash_key ON api_keys (key_hash);

-- One row per (account, record type) that anybody writes. Updating it is the lock that makes
-- writers of a type take turns; write_seq tells whether anybody else wrote in between.
CREATE TABLE type_writes (
  account_id integer NOT NULL,
  type_id smallint NOT NULL,
  write_seq bigint NOT NULL DEFAULT 0,
  CONSTRAINT type_writes_pkey PRIMARY KEY (account_id, type_id)
);

CREATE SEQUENCE record_ids AS bigint;

CREATE TABLE records (
  account_id integer NOT NULL,
  type_id smallint NOT NULL,
  id bigint NOT NULL,
  version integer NOT NULL DEFAULT 1,
  -- The organization the record belongs to; null for types that stand alone.
  organization_id bigint,
  -- 53-bit hash of the resolved row last written, with the plan that resolved it. Equal: the row
  -- says what the record is. Null as soon as anything but an import wrote the record.
  fingerprint bigint,
  data jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  created_import_id bigint,
  updated_import_id bigint,
  archived_at timestamptz,
  merged_into bigint,
  CONSTRAINT records_pkey PRIMARY KEY (account_id, type_id, id)
) WITH (fillfactor = 70);
-- ^ Room for the next version of a row on its own page: an update then leaves the indexes alone
--   (6 instead of 10 us per changed row; creating is no slower).
-- Few distinct values, so the b-tree keeps posting lists and stays small.
CREATE INDEX records_organization_idx ON records (account_id, organization_id)
  WHERE organization_id IS NOT NULL;

-- The index for matching. Values are normalised by the rule; C collation compares bytes.
-- Not unique: existing data may hold duplicates, and then a match is ambiguous.
CREATE TABLE record_keys (
  account_id integer NOT NULL,
  type_id smallint NOT NULL,
  rule smallint NOT NULL,
  record_id bigint NOT NULL,
  value text COLLATE "C" NOT NULL,
  CONSTRAINT record_keys_pkey PRIMARY KEY (account_id, type_id, rule, value, record_id)
);

-- History: what each changed record was before. Partitioned by day of change (retention).
CREATE TABLE record_changes (
  account_id integer NOT NULL,
  record_id bigint NOT NULL,
  -- The version that these values belong to; the change made version + 1.
  version integer NOT NULL,
  changed_on date NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  type_id smallint NOT NULL,
  import_id bigint,
  action text NOT NULL,
  -- Field -> value before; null where the field had none. Only the fields that changed.
  before jsonb NOT NULL,
  CONSTRAINT record_changes_pkey PRIMARY KEY (account_id, record_id, version, changed_on),
  CONSTRAINT record_changes_action_check CHECK (action IN ('update', 'delete', 'merge'))
) PARTITION BY RANGE (changed_on);

CREATE TABLE imports (
  account_id integer NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  -- Partition key of the import's rows; constant for the import.
  created_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by integer,
  type text NOT NULL,
  state text NOT NULL,
  cancel_requested boolean NOT NULL DEFAULT false,
  file_name text NOT NULL,
  file_key text NOT NULL,
  file_bytes bigint NOT NULL,
  file_sha256 text NOT NULL,
  -- As terms.ts Dialect: delimiter, line end, headers, where the data begins.
  dialect jsonb NOT NULL,
  -- mode, allow_partial, organization_id
  options jsonb NOT NULL,
  -- Header position (0-based) -> field name or null.
  mapping jsonb NOT NULL,
  -- Fencing token: every worker that takes the import over raises it, and only its holder writes.
  attempt integer NOT NULL DEFAULT 0,
  -- Attempts since the last batch was committed; a few in a row without progress end the import.
  idle_attempts integer NOT NULL DEFAULT 0,
  next_row bigint NOT NULL DEFAULT 0,
  next_offset bigint NOT NULL DEFAULT 0,
  next_line bigint NOT NULL DEFAULT 0,
  blank_rows bigint NOT NULL DEFAULT 0,
  rows_created bigint NOT NULL DEFAULT 0,
  rows_updated bigint NOT NULL DEFAULT 0,
  rows_unchanged bigint NOT NULL DEFAULT 0,
  rows_skipped bigint NOT NULL DEFAULT 0,
  rows_rejected bigint NOT NULL DEFAULT 0,
  rows_failed bigint NOT NULL DEFAULT 0,
  rows_with_warnings bigint NOT NULL DEFAULT 0,
  -- Records of other types created because a row named them: {"organizations": 3}
  references_created jsonb NOT NULL DEFAULT '{}',
  -- Data rows in the file; known once the file was read to its end.
  rows_total bigint,
  error jsonb,
  queued_at timestamptz,
  started_at timestamptz,
  progressed_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT imports_pkey PRIMARY KEY (account_id, id),
  CONSTRAINT imports_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT imports_state_check CHECK (state IN ('draft', 'queued', 'running', 'cancelling',
    'cancelled', 'completed', 'completed_with_errors', 'failed'))
) WITH (fillfactor = 50);
CREATE INDEX imports_sha256_idx ON imports (account_id, file_sha256);

-- The outcome of every data row. Partitioned by the day the import was created (retention).
CREATE TABLE import_rows (
  account_id integer NOT NULL,
  row_number integer NOT NULL,
  import_id bigint NOT NULL,
  record_id bigint,
  created_on date NOT NULL,
  line_number integer NOT NULL,
  outcome text NOT NULL,
  -- The match rule that found the record; null when none did.
  matched_by text,
  -- Names of the fields that were changed.
  changed_fields text[],
  problems jsonb,
  -- The row as the file has it, kept only where it has to be mended and sent again.
  cells text[],
  CONSTRAINT import_rows_pkey PRIMARY KEY (account_id, import_id, row_number, created_on)
) PARTITION BY RANGE (created_on);
-- Finding the few bad rows of a large import must not read the good ones.
CREATE INDEX import_rows_bad_idx ON import_rows (account_id, import_id, outcome, row_number)
  WHERE outcome IN ('rejected', 'failed', 'skipped');

-- Creates the weekly partitions (Monday to Sunday) that hold the given day, when missing.
-- Called ahead of time and when an import starts.
CREATE FUNCTION ensure_partitions(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  monday date := date_trunc('week', day)::date;
  suffix text := to_char(monday, 'YYYYMMDD');
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['import_rows', 'record_changes'] LOOP
    IF to_regclass(format('%I', parent || '_' || suffix)) IS NULL THEN
      PERFORM pg_advisory_xact_lock(hashtext('muster.ensure_partitions'));
      EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        parent || '_' || suffix, parent, monday, monday + 7);
    END IF;
  END LOOP;
END
$$;

-- Down Migration

DROP FUNCTION ensure_partitions(date);
DROP TABLE import_rows, imports, record_changes, record_keys, records, type_writes, api_keys, accounts;
DROP SEQUENCE record_ids;
