-- Events: what happened, written in the transaction of what they tell; webhooks, which tell others.

-- Up Migration

-- The order in which events were written, and the order in which they were published. Only the latter
-- is one that a reader can follow: transactions end in another order than they write.
CREATE SEQUENCE event_positions AS bigint;
CREATE SEQUENCE event_seqs AS bigint;

-- Partitioned by the day of the event (retention).
CREATE TABLE events (
  account_id integer NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  created_on date NOT NULL,
  -- When it happened; now() would say when the transaction began, which may be minutes earlier.
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  position bigint NOT NULL DEFAULT nextval('event_positions'),
  -- Given when it is published; null: not yet.
  seq bigint,
  type text NOT NULL,
  import_id bigint,
  -- Name of the record type that it is about.
  record_type text,
  -- The API key that brought it about: nobody is told of what they did themselves.
  actor_key integer,
  -- The only endpoint that is told; null: whoever asked for such events.
  endpoint_id bigint,
  data jsonb NOT NULL,
  CONSTRAINT events_pkey PRIMARY KEY (account_id, id, created_on)
) PARTITION BY RANGE (created_on);
CREATE INDEX events_unpublished_idx ON events (position) WHERE seq IS NULL;
CREATE INDEX events_seq_idx ON events (account_id, seq) WHERE seq IS NOT NULL;

-- The last event of each account that retention dropped: who has not read it yet is told so.
CREATE TABLE dropped_events (
  account_id integer NOT NULL,
  last_seq bigint NOT NULL,
  CONSTRAINT dropped_events_pkey PRIMARY KEY (account_id)
);

-- Whom to tell. A lane is an endpoint's deliveries: one process at a time sends them.
CREATE TABLE webhook_endpoints (
  account_id integer NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  url text NOT NULL,
  description text NOT NULL DEFAULT '',
  -- Empty: all.
  event_types text[] NOT NULL DEFAULT '{}',
  record_types text[] NOT NULL DEFAULT '{}',
  format text NOT NULL DEFAULT 'standard',
  records_per_delivery smallint NOT NULL DEFAULT 100,
  -- API keys whose changes are not sent back to it.
  ignore_keys integer[] NOT NULL DEFAULT '{}',
  -- Encrypted: a JSON object of header names and values. Null: none.
  headers text,
  -- Encrypted; the one before is signed with as well until its time is over.
  secret text NOT NULL,
  old_secret text,
  old_secret_until timestamptz,
  enabled boolean NOT NULL DEFAULT true,
  -- Why Muster itself disabled it: gone (410), failing. Null: it did not.
  disabled_reason text,
  disabled_at timestamptz,
  -- Made for one import alone (callback_url).
  import_id bigint,
  created_by integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- The first failure since the last success, or since two days without an attempt; and the last one.
  failing_since timestamptz,
  failed_at timestamptz,
  delivered_at timestamptz,
  -- The last attempt took long: it must not stand in the way of those that do not.
  slow boolean NOT NULL DEFAULT false,
  -- Of the endpoint's own count of deliveries.
  last_sequence bigint NOT NULL DEFAULT 0,
  -- When the next delivery is due; null: none is. Who has had a turn and has more to send waits in the
  -- line from then on.
  due_at timestamptz,
  -- The endpoint asked to be left alone until then (Retry-After).
  not_before timestamptz,
  -- Who has the lane, and until when unless it says that it is still there.
  lane_token uuid,
  lane_until timestamptz,
  CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (account_id, id),
  CONSTRAINT webhook_endpoints_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (account_id),
  CONSTRAINT webhook_endpoints_format_check CHECK (format IN ('standard', 'connectwise', 'autotask')),
  CONSTRAINT webhook_endpoints_disabled_check CHECK (disabled_reason IN ('gone', 'failing')),
  CONSTRAINT webhook_endpoints_records_check CHECK (records_per_delivery BETWEEN 1 AND 100)
) WITH (fillfactor = 70);
CREATE INDEX webhook_endpoints_import_idx ON webhook_endpoints (account_id, import_id);
-- Which lanes have something to send, over all accounts: for the processes that do it.
CREATE INDEX webhook_endpoints_due_idx ON webhook_endpoints (due_at)
  WHERE enabled AND due_at IS NOT NULL;

CREATE SEQUENCE delivery_ids AS bigint;

-- An event, or part of its records, for one endpoint. Partitioned by day of publishing (retention).
CREATE TABLE deliveries (
  account_id integer NOT NULL,
  endpoint_id bigint NOT NULL,
  id bigint NOT NULL DEFAULT nextval('delivery_ids'),
  created_on date NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  event_id uuid NOT NULL,
  event_on date NOT NULL,
  event_type text NOT NULL,
  import_id bigint,
  -- Which part of the event's records, from 0, of how many.
  part smallint NOT NULL DEFAULT 0,
  parts smallint NOT NULL DEFAULT 1,
  -- Records of each part.
  part_size smallint NOT NULL DEFAULT 100,
  -- The endpoint's when it was made: how it was cut into parts is right for that one alone.
  format text NOT NULL DEFAULT 'standard',
  sequence bigint NOT NULL,
  -- Sent only after all ordered ones before it.
  ordered boolean NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  attempts integer NOT NULL DEFAULT 0,
  -- Attempts before it was last sent again: the schedule began anew.
  attempts_before integer NOT NULL DEFAULT 0,
  -- How often it was sent again: an attempt that began before that decides nothing any more.
  round integer NOT NULL DEFAULT 0,
  -- When it is due; null: it has ended.
  next_at timestamptz,
  ended_at timestamptz,
  CONSTRAINT deliveries_pkey PRIMARY KEY (account_id, endpoint_id, id, created_on),
  CONSTRAINT deliveries_state_check CHECK (state IN ('pending', 'delivered', 'failed'))
) PARTITION BY RANGE (created_on);
CREATE INDEX deliveries_due_idx ON deliveries (account_id, endpoint_id, next_at, sequence)
  WHERE state = 'pending' AND NOT ordered;
CREATE INDEX deliveries_ordered_idx ON deliveries (account_id, endpoint_id, sequence)
  WHERE state = 'pending' AND ordered;
CREATE INDEX deliveries_failed_idx ON deliveries (account_id, endpoint_id, id)
  WHERE state = 'failed';

-- Every attempt at a delivery, in the week of the delivery.
CREATE TABLE delivery_attempts (
  account_id integer NOT NULL,
  endpoint_id bigint NOT NULL,
  delivery_id bigint NOT NULL,
  attempt integer NOT NULL,
  created_on date NOT NULL,
  attempted_at timestamptz NOT NULL,
  ms integer NOT NULL,
  -- Null: there was no answer; then error says why.
  status smallint,
  error text,
  -- The first kB.
  answer text,
  CONSTRAINT delivery_attempts_pkey
    PRIMARY KEY (account_id, endpoint_id, delivery_id, attempt, created_on)
) PARTITION BY RANGE (created_on);

-- As before, for every partitioned table there is: all of them are kept by weeks.
CREATE OR REPLACE FUNCTION ensure_partitions(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  monday date := date_trunc('week', day)::date;
  suffix text := to_char(monday, 'YYYYMMDD');
  parent text;
  part text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('muster.drop_partitions'));
  FOR parent IN
    SELECT c.relname
    FROM pg_class c
    WHERE c.relkind = 'p'
      AND c.relnamespace = (SELECT i.relnamespace FROM pg_class i WHERE i.oid = 'imports'::regclass)
    ORDER BY c.relname
  LOOP
    part := parent || '_' || suffix;
    CONTINUE WHEN has_partition(parent, part);
    PERFORM pg_advisory_xact_lock(hashtext('muster.ensure_partitions'));
    CONTINUE WHEN has_partition(parent, part);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      parent, part, monday, monday + 7);
  END LOOP;
END
$$;

-- Writes an event and wakes those who wait for one: NOTIFY muster_events, with account and import.
-- The week's partition is made ahead of time; should nobody have done so, it is made here.
CREATE FUNCTION write_event(
  of_account integer,
  of_type text,
  with_data jsonb,
  of_import bigint DEFAULT NULL,
  of_record_type text DEFAULT NULL,
  by_key integer DEFAULT NULL,
  to_endpoint bigint DEFAULT NULL
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  made uuid;
BEGIN
  IF NOT has_partition('events', 'events_' || to_char(date_trunc('week', today)::date, 'YYYYMMDD'))
  THEN
    PERFORM ensure_partitions(today);
  END IF;
  INSERT INTO events AS e (account_id, created_on, type, import_id, record_type, actor_key,
    endpoint_id, data)
  VALUES (of_account, today, of_type, of_import, of_record_type, by_key, to_endpoint, with_data)
  RETURNING e.id INTO made;
  PERFORM pg_notify('muster_events',
    json_build_object('account_id', of_account, 'import_id', of_import)::text);
  RETURN made;
END
$$;

-- The events of imports, whoever changes their state (docs/decisions/0013-import-events-by-trigger.md).
CREATE FUNCTION write_import_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- Taking an import back ends with its old state when nothing, or the taking back, was taken back.
  was_undone boolean := TG_OP = 'UPDATE' AND OLD.state IN ('undoing', 'undone', 'partially_undone');
  -- It was partially undone and still is: the undo that was to take the rest took nothing.
  is_as_before boolean := TG_OP = 'UPDATE' AND OLD.state = 'undoing'
    AND NEW.state = 'partially_undone'
    AND EXISTS (
      SELECT 1
      FROM imports u
      WHERE u.account_id = NEW.account_id
        AND u.id = NEW.undone_by
        AND u.rows_reverted = 0
    );
  its_type text := CASE
    WHEN TG_OP = 'INSERT' THEN 'import.created'
    WHEN is_as_before THEN NULL
    WHEN NEW.state IN ('undone', 'partially_undone') THEN 'import.undone'
    WHEN was_undone THEN NULL
    WHEN NEW.state IN ('completed', 'completed_with_errors', 'ready') THEN 'import.completed'
    WHEN NEW.state = 'failed' THEN 'import.failed'
    WHEN NEW.state = 'cancelled' THEN 'import.cancelled'
    WHEN OLD.started_at IS NULL AND NEW.started_at IS NOT NULL THEN 'import.started'
  END;
BEGIN
  IF its_type IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM write_event(NEW.account_id, its_type, jsonb_build_object('import', jsonb_build_object(
    'id', NEW.id,
    'type', NEW.type,
    'kind', NEW.kind,
    'state', NEW.state,
    'dry_run', COALESCE((NEW.options ->> 'dry_run')::boolean, false),
    'file_name', CASE WHEN NEW.kind = 'import' THEN NEW.file_name END,
    'counts', jsonb_build_object(
      'created', NEW.rows_created,
      'updated', NEW.rows_updated,
      'unchanged', NEW.rows_unchanged,
      'skipped', NEW.rows_skipped,
      'rejected', NEW.rows_rejected,
      'failed', NEW.rows_failed,
      'reverted', NEW.rows_reverted,
      'kept', NEW.rows_kept
    ),
    'rows_total', NEW.rows_total,
    'undo_of', NEW.undo_of,
    'applied_from', NEW.applied_from,
    'error', NEW.error
  )), NEW.id, NEW.type, NEW.created_by);
  RETURN NULL;
END
$$;

CREATE TRIGGER imports_created AFTER INSERT ON imports
  FOR EACH ROW EXECUTE FUNCTION write_import_event();
-- Statements that do not name the state, such as those after each batch, do not come here at all.
CREATE TRIGGER imports_moved AFTER UPDATE OF state ON imports
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION write_import_event();

-- Down Migration

DROP TRIGGER imports_moved ON imports;
DROP TRIGGER imports_created ON imports;
DROP FUNCTION write_import_event();
DROP FUNCTION write_event(integer, text, jsonb, bigint, text, integer, bigint);
DROP TABLE delivery_attempts, deliveries, webhook_endpoints, dropped_events, events;
DROP SEQUENCE delivery_ids, event_seqs, event_positions;
DELETE FROM dropped_weeks WHERE what IN ('events', 'deliveries', 'delivery_attempts');

CREATE OR REPLACE FUNCTION ensure_partitions(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  monday date := date_trunc('week', day)::date;
  suffix text := to_char(monday, 'YYYYMMDD');
  parent text;
  part text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('muster.drop_partitions'));
  FOREACH parent IN ARRAY ARRAY['import_rows', 'record_changes'] LOOP
    part := parent || '_' || suffix;
    CONTINUE WHEN has_partition(parent, part);
    PERFORM pg_advisory_xact_lock(hashtext('muster.ensure_partitions'));
    CONTINUE WHEN has_partition(parent, part);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      parent, part, monday, monday + 7);
  END LOOP;
END
$$;
