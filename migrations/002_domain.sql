-- Record types of accounts, saved import options, rows that wait for others, secrets.

-- Up Migration

-- What an account defines: types of its own (type_id 1000 and more), or what it adds to a built-in
-- type (below 1000). The definition is that of src/record-types/compile-types.ts.
CREATE TABLE record_types (
  account_id integer NOT NULL,
  type_id smallint NOT NULL,
  name text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  definition jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT record_types_pkey PRIMARY KEY (account_id, type_id),
  CONSTRAINT record_types_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT record_types_name_key UNIQUE (account_id, name)
);

-- Every version that ever was: what an older import was read with.
CREATE TABLE record_type_versions (
  account_id integer NOT NULL,
  type_id smallint NOT NULL,
  version integer NOT NULL,
  definition jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by integer,
  CONSTRAINT record_type_versions_pkey PRIMARY KEY (account_id, type_id, version)
);

-- Import options under a name.
CREATE TABLE import_profiles (
  account_id integer NOT NULL,
  id integer GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  type text NOT NULL,
  -- As the form of POST /imports takes them, typed.
  options jsonb NOT NULL,
  -- Header -> field name, or null to ignore the column.
  mapping jsonb NOT NULL,
  -- The fields it was made for: [{ name, kind, required, many, type }], to tell what changed since.
  fields jsonb NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT import_profiles_pkey PRIMARY KEY (account_id, id),
  CONSTRAINT import_profiles_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT import_profiles_name_key UNIQUE (account_id, name)
);

-- Rows that name records which later rows of the same file may make. They have no outcome yet; once
-- the file was read to its end they are taken again, round after round.
CREATE TABLE import_waiting_rows (
  account_id integer NOT NULL,
  import_id bigint NOT NULL,
  row_number integer NOT NULL,
  line_number integer NOT NULL,
  file_offset bigint NOT NULL,
  cells text[] NOT NULL,
  CONSTRAINT import_waiting_rows_pkey PRIMARY KEY (account_id, import_id, row_number)
);

ALTER TABLE imports
  ADD COLUMN profile text,
  ADD COLUMN type_version integer NOT NULL DEFAULT 1,
  -- The fields that mapping and options were made for, as in import_profiles.
  ADD COLUMN fields jsonb NOT NULL DEFAULT '[]';

-- Reading secrets (passwords, keys) needs a key that may.
ALTER TABLE api_keys ADD COLUMN reads_secrets boolean NOT NULL DEFAULT false;

-- Every secret key that was ever used here, by what tells it from others: another key under the same
-- id is refused. Of the whole installation: the keys belong to no account.
CREATE TABLE secret_keys (
  key_id text NOT NULL,
  check_value text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT secret_keys_pkey PRIMARY KEY (key_id)
);

-- Down Migration

DROP TABLE secret_keys;
ALTER TABLE api_keys DROP COLUMN reads_secrets;
ALTER TABLE imports DROP COLUMN fields, DROP COLUMN type_version, DROP COLUMN profile;
DROP TABLE import_waiting_rows, import_profiles, record_type_versions, record_types;
