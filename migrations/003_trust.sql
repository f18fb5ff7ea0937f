-- Jobs that can be trusted: requests that are sent again happen once.

-- Up Migration

-- What became of a request that came with an Idempotency-Key. `status` null: it is running, or it
-- was when its process died; nobody else may take the key until `locked_until`.
CREATE TABLE idempotency_keys (
  account_id integer NOT NULL,
  key text COLLATE "C" NOT NULL,
  -- Method and path.
  request text NOT NULL,
  -- SHA-256 of what was asked. Null: of an upload that was not read to its end yet.
  fingerprint bytea,
  -- Of the one request that may write here.
  token uuid NOT NULL,
  locked_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- The answer. Without a body it is what GET `location` shows: the process died before it answered.
  status smallint,
  location text,
  content_type text,
  body text,
  CONSTRAINT idempotency_keys_pkey PRIMARY KEY (account_id, key),
  CONSTRAINT idempotency_keys_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
  CONSTRAINT idempotency_keys_answer_check
    CHECK (status IS NULL OR fingerprint IS NOT NULL AND num_nonnulls(location, body) > 0)
);
CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at);

-- Down Migration

DROP TABLE idempotency_keys;
