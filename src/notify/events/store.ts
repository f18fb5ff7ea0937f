// The statements of events: publishing, which runs over all accounts as no statement of a request
// may, and reading. Writing is the SQL function write_event.

import type { EventType } from '../../events.ts'
import type { Db, Tx } from '../../platform/db.ts'

/** One row of `events`. */
export interface EventRow {
  account_id: number
  id: string
  created_on: string
  created_at: Date
  seq: number
  type: EventType
  import_id: number | null
  data: Record<string, unknown>
}

/** Makes the transaction the only one that publishes, until it ends. Out: false when another is. */
export async function lockPublishing(tx: Tx): Promise<boolean> {
  const { rows } = await tx.query<{ locked: boolean }>(
    `/* events.lock_publishing */
    SELECT pg_try_advisory_xact_lock(hashtext('muster.publish_events')) AS locked`
  )
  return rows[0]?.locked ?? false
}

/** What publishing needs to know of an event. */
export type PublishedEvent = Pick<
  EventRow,
  'account_id' | 'id' | 'created_on' | 'seq' | 'type' | 'import_id'
> & {
  /** The only endpoint that is told; null: whoever asked for such events. */
  endpoint_id: number | null
}

/** Gives the next events that have none their number, in the order they were written. */
export async function publishNext(tx: Tx, limit: number): Promise<PublishedEvent[]> {
  const { rows } = await tx.query<PublishedEvent>(
    `/* events.publish */
    WITH page AS MATERIALIZED (
      SELECT e.account_id, e.id, e.created_on
      FROM events e
      WHERE e.seq IS NULL
      ORDER BY e.position
      LIMIT $1::integer
    ), numbered AS MATERIALIZED (
      SELECT p.account_id, p.id, p.created_on, nextval('event_seqs') AS seq
      FROM page p
    )
    UPDATE events e
    SET seq = n.seq
    FROM numbered n
    WHERE e.account_id = n.account_id
      AND e.id = n.id
      AND e.created_on = n.created_on
    RETURNING e.account_id, e.id, e.created_on, e.seq, e.type, e.import_id,
      e.endpoint_id`,
    [limit]
  )
  return rows.sort((a, b) => a.seq - b.seq)
}

/** Makes sure of the partitions of a day. */
export async function ensureDay(db: Db, day: string): Promise<void> {
  await db.query(`/* events.ensure_day */ SELECT ensure_partitions($1::date)`, [day])
}

// `heard`: each import of $1 and $2 (accounts, imports), with those whose own endpoints (callback_url)
// hear of it: itself, what it takes back, the dry run that it applies, and so on.
const heardImports = `heard AS (
      SELECT u.account_id, u.import_id, u.import_id AS made_for
      FROM unnest($1::integer[], $2::bigint[]) AS u (account_id, import_id)
      WHERE u.import_id IS NOT NULL
      UNION
      SELECT h.account_id, h.import_id, COALESCE(i.undo_of, i.applied_from)
      FROM heard h
      JOIN imports i ON i.account_id = h.account_id AND i.id = h.made_for
      WHERE COALESCE(i.undo_of, i.applied_from) IS NOT NULL
    )`

/** Holds the endpoints that may be told of the events, in one order, so that their counts can go on. */
export async function lockEndpoints(tx: Tx, events: PublishedEvent[]): Promise<number> {
  const { rowCount } = await tx.query(
    `/* events.lock_endpoints */
    WITH RECURSIVE ${heardImports}
    SELECT w.id
    FROM webhook_endpoints w
    WHERE w.enabled
      AND (
        w.import_id IS NULL AND w.account_id = ANY ($1::integer[])
        OR (w.account_id, w.import_id) IN (SELECT h.account_id, h.made_for FROM heard h)
        OR (w.account_id, w.id) IN (
          SELECT u.account_id, u.endpoint_id
          FROM unnest($1::integer[], $3::bigint[]) AS u (account_id, endpoint_id)
        )
      )
    ORDER BY w.account_id, w.id
    FOR NO KEY UPDATE OF w`,
    [
      events.map((event) => event.account_id),
      events.map((event) => event.import_id),
      events.map((event) => event.endpoint_id)
    ]
  )
  return rowCount ?? 0
}

// What an endpoint asked for.
const isWanted = `(w.event_types = '{}' OR n.type = ANY (w.event_types))
        AND (w.record_types = '{}' OR n.record_type IS NULL OR n.record_type = ANY (w.record_types))`

// `news`: the events of $1, $3 and $4; `fits`: each with the endpoints that want it. A test is only for
// the endpoint that it was asked for.
const fittingEndpoints = `${heardImports}, news AS (
      SELECT e.account_id, e.id, e.created_on, e.seq, e.type, e.import_id, e.record_type,
        e.actor_key, e.endpoint_id,
        CASE jsonb_typeof(e.data -> 'records')
          WHEN 'array' THEN jsonb_array_length(e.data -> 'records') ELSE 0 END AS records
      FROM unnest($1::integer[], $3::uuid[], $4::date[]) AS p (account_id, id, created_on)
      JOIN events e ON e.account_id = p.account_id AND e.id = p.id AND e.created_on = p.created_on
    ), fits AS (
      SELECT n.account_id, n.id, n.created_on, n.seq, n.type, n.import_id, n.records,
        w.id AS endpoint_id, w.last_sequence, w.records_per_delivery, w.format
      FROM news n
      JOIN webhook_endpoints w ON w.account_id = n.account_id AND w.import_id IS NULL
      WHERE w.enabled
        AND n.endpoint_id IS NULL
        AND ${isWanted}
        AND NOT (n.type ~ '^(record|sync)\\.' AND n.actor_key IS NOT NULL
          AND n.actor_key = ANY (w.ignore_keys))
      UNION ALL
      SELECT n.account_id, n.id, n.created_on, n.seq, n.type, n.import_id, n.records,
        w.id, w.last_sequence, w.records_per_delivery, w.format
      FROM news n
      JOIN heard h ON h.account_id = n.account_id AND h.import_id = n.import_id
      JOIN webhook_endpoints w ON w.account_id = h.account_id AND w.import_id = h.made_for
      WHERE w.enabled
        AND n.endpoint_id IS NULL
        AND n.type LIKE 'import.%'
        AND ${isWanted}
      UNION ALL
      SELECT n.account_id, n.id, n.created_on, n.seq, n.type, n.import_id, n.records,
        w.id, w.last_sequence, w.records_per_delivery, w.format
      FROM news n
      JOIN webhook_endpoints w ON w.account_id = n.account_id AND w.id = n.endpoint_id
      WHERE w.enabled
    )`

/** A time before all that waits in the lane of `alias`: what somebody asks for now is sent first. */
export const ahead = (alias: string) => `LEAST(now(), (
          SELECT min(o.next_at)
          FROM deliveries o
          WHERE o.account_id = ${alias}.account_id
            AND o.endpoint_id = ${alias}.endpoint_id
            AND o.state = 'pending'
            AND NOT o.ordered
        ) - interval '1 millisecond')`

/** Makes the deliveries of events: one for each endpoint whose filters fit, or several where it takes
 *  fewer records at a time. A test is sent now: it ends a pause that the receiver asked for. Out: how
 *  many. */
export async function addDeliveries(
  tx: Tx,
  events: PublishedEvent[],
  day: string
): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `/* events.add_deliveries */
    WITH RECURSIVE ${fittingEndpoints}, shares AS (
      SELECT f.*, GREATEST(1, (f.records + f.records_per_delivery - 1) / f.records_per_delivery)
        AS parts
      FROM fits f
    ), made AS (
      INSERT INTO deliveries (account_id, endpoint_id, created_on, event_id, event_on, event_type,
        import_id, part, parts, part_size, format, ordered, next_at, sequence)
      SELECT s.account_id, s.endpoint_id, $5::date, s.id, s.created_on, s.type, s.import_id,
        p.part, s.parts, s.records_per_delivery, s.format, s.type ~ '^(record|sync)\\.',
        CASE WHEN s.type = 'webhook.test' THEN ${ahead('s')} ELSE now() END,
        s.last_sequence
          + row_number() OVER (PARTITION BY s.account_id, s.endpoint_id ORDER BY s.seq, p.part)
      FROM shares s
      CROSS JOIN LATERAL generate_series(0, s.parts - 1) AS p (part)
      RETURNING account_id, endpoint_id, sequence, event_type
    ), lanes AS (
      UPDATE webhook_endpoints w
      SET last_sequence = l.last_sequence, due_at = LEAST(w.due_at, now()),
        not_before = CASE WHEN l.has_test THEN NULL ELSE w.not_before END
      FROM (
        SELECT m.account_id, m.endpoint_id, max(m.sequence) AS last_sequence,
          bool_or(m.event_type = 'webhook.test') AS has_test
        FROM made m
        GROUP BY m.account_id, m.endpoint_id
      ) l
      WHERE w.account_id = l.account_id
        AND w.id = l.endpoint_id
    )
    SELECT count(*)::integer AS count FROM made`,
    [
      events.map((event) => event.account_id),
      events.map((event) => event.import_id),
      events.map((event) => event.id),
      events.map((event) => event.created_on),
      day
    ]
  )
  return rows[0]?.count ?? 0
}

/** Wakes those who send, in all processes, when the transaction is committed. */
export async function wakeSenders(tx: Tx): Promise<void> {
  await tx.query(`/* events.wake_senders */ SELECT pg_notify('muster_events', 'deliveries')`)
}

/** Where the published events of an account begin and end. */
export interface Extent {
  /** Number of the newest published event, 0 when there is none. */
  last: number
  /** Number of the newest that is no longer kept, 0 when all are. */
  dropped: number
}

/** Where the account's events begin and end now. */
export async function getExtent(db: Db, account_id: number): Promise<Extent> {
  const { rows } = await db.query<Extent>(
    `/* events.get_extent */
    SELECT
      GREATEST(d.last_seq, (
        SELECT max(e.seq)
        FROM events e
        WHERE e.account_id = $1::integer
          AND e.seq IS NOT NULL
      ), 0) AS last,
      COALESCE(d.last_seq, 0) AS dropped
    FROM (SELECT 1) one
    LEFT JOIN dropped_events d ON d.account_id = $1::integer`,
    [account_id]
  )
  return rows[0] ?? { last: 0, dropped: 0 }
}

/** What `GET /events` may ask for; null: any. */
export interface EventFilter {
  after: number
  until: number
  types: string[] | null
  since: string | null
  limit: number
}

/** Published events in the order of their numbers. */
export async function listEvents(
  db: Db,
  account_id: number,
  { after, until, types, since, limit }: EventFilter
): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>(
    `/* events.list */
    SELECT e.account_id, e.id, e.created_on, e.created_at, e.seq, e.type, e.import_id, e.data
    FROM events e
    WHERE e.account_id = $1::integer
      AND e.seq > $2::bigint
      AND e.seq <= $3::bigint
      AND e.endpoint_id IS NULL
      AND ($4::text[] IS NULL OR e.type = ANY ($4::text[]))
      AND ($5::timestamptz IS NULL OR (
        e.created_on >= ($5::timestamptz AT TIME ZONE 'UTC')::date
        AND date_trunc('milliseconds', e.created_at) >= $5::timestamptz))
    ORDER BY e.seq
    LIMIT $6::integer`,
    [account_id, after, until, types, since, limit]
  )
  return rows
}
