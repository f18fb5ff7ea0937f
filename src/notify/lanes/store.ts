// The statements of lanes: which endpoints have something due, what is next in one, what came of an
// attempt. Choosing lanes runs over all accounts, as no statement of a request may; the others name
// the account.

import type { Db, Tx } from '../../platform/db.ts'
import type { EventRow } from '../events/store.ts'
import type { Envelope } from '../send/envelopes.ts'
import type { SealedSecrets } from '../webhooks/endpoint-secrets.ts'

/** A lane that is held: one endpoint's deliveries, sent by nobody else meanwhile. */
export interface Lane {
  account_id: number
  endpoint_id: number
  token: string
}

/** What claiming lanes goes by. */
export interface Claim {
  token: string
  leaseMs: number
  limit: number
  /** Those whose last attempt failed or was slow, or the others. */
  laggards: boolean
  /** Accounts of the lanes of this kind that the process holds, each as often as it has one. */
  busy: number[]
  /** How many of them may be of one account. */
  mostOfAccount: number
}

const isClaimable = (w: string) => `${w}.enabled
          AND ${w}.due_at <= now()
          AND (${w}.not_before IS NULL OR ${w}.not_before <= now())
          AND (${w}.lane_until IS NULL OR ${w}.lane_until < now())
          AND (${w}.failing_since IS NOT NULL OR ${w}.slow) = $3::boolean`

/** Takes lanes that have something due and that nobody holds. Accounts take turns: who holds the
 *  fewest lanes is first, and of its lanes the one that has waited the longest. A lane whose holder
 *  has not been heard of for as long as it said is nobody's. */
export async function claimLanes(db: Db, claim: Claim): Promise<Lane[]> {
  const { token, leaseMs, laggards, limit, busy, mostOfAccount } = claim
  const { rows } = await db.query<Lane>(
    `/* lanes.claim */
    UPDATE webhook_endpoints w
    SET lane_token = $1::uuid, lane_until = now() + make_interval(secs => $2::float8 / 1000)
    FROM (
      SELECT c.account_id, c.id
      FROM (
        SELECT l.account_id, l.id, l.due_at, COALESCE(b.lanes, 0)
          + row_number() OVER (PARTITION BY l.account_id ORDER BY l.due_at, l.id) AS place
        FROM webhook_endpoints l
        LEFT JOIN (
          SELECT u.account_id, count(*) AS lanes
          FROM unnest($5::integer[]) AS u (account_id)
          GROUP BY u.account_id
        ) b ON b.account_id = l.account_id
        WHERE ${isClaimable('l')}
      ) p
      JOIN webhook_endpoints c ON c.account_id = p.account_id AND c.id = p.id
      WHERE p.place <= $6::integer
        -- Again, for what has changed by the time the row is ours.
        AND ${isClaimable('c')}
      ORDER BY p.place, p.due_at
      LIMIT $4::integer
      FOR NO KEY UPDATE OF c SKIP LOCKED
    ) d
    WHERE w.account_id = d.account_id
      AND w.id = d.id
    RETURNING w.account_id, w.id AS endpoint_id, w.lane_token AS token`,
    [token, leaseMs, laggards, limit, busy, mostOfAccount]
  )
  return rows
}

/** What sending needs to know of an endpoint. */
export interface LaneEndpoint extends SealedSecrets {
  account_id: number
  endpoint_id: number
  token: string
  url: string
  headers: string | null
  enabled: boolean
  not_before: Date | null
  failing_since: Date | null
  failed_at: Date | null
}

/** Says that the holders of lanes are still there, and holds all their endpoints until the transaction
 *  ends, in the order in which publishing does. Out: those whose lane is not lost. */
export async function keepLanes(tx: Tx, lanes: Lane[], leaseMs: number): Promise<LaneEndpoint[]> {
  const { rows } = await tx.query<LaneEndpoint>(
    `/* lanes.keep */
    WITH held AS MATERIALIZED (
      SELECT w.account_id, w.id, l.token
      FROM unnest($1::integer[], $2::bigint[], $3::uuid[]) AS l (account_id, id, token)
      JOIN webhook_endpoints w ON w.account_id = l.account_id AND w.id = l.id
      ORDER BY w.account_id, w.id
      FOR NO KEY UPDATE OF w
    )
    UPDATE webhook_endpoints w
    SET lane_until = clock_timestamp() + make_interval(secs => $4::float8 / 1000)
    FROM held h
    WHERE w.account_id = h.account_id
      AND w.id = h.id
      AND w.lane_token = h.token
    RETURNING w.account_id, w.id AS endpoint_id, w.lane_token AS token, w.url, w.headers, w.secret,
      w.old_secret, w.old_secret_until, w.enabled, w.not_before, w.failing_since,
      w.failed_at`,
    [...placesOf(lanes), lanes.map((lane) => lane.token), leaseMs]
  )
  return rows
}

const placesOf = (lanes: Pick<Lane, 'account_id' | 'endpoint_id'>[]) => [
  lanes.map((lane) => lane.account_id),
  lanes.map((lane) => lane.endpoint_id)
]

/** One delivery that is due, with its event. */
export interface DueDelivery {
  account_id: number
  endpoint_id: number
  id: number
  created_on: string
  event_type: string
  part: number
  parts: number
  part_size: number
  format: Envelope
  sequence: number
  attempts: number
  attempts_before: number
  /** Counts how often it was sent again. */
  round: number
  /** null: retention took it. */
  event: EventRow | null
}

type DueRow = Omit<DueDelivery, 'event'> & {
  [K in Exclude<keyof EventRow, 'account_id' | 'type'> as `event_${K}`]: EventRow[K] | null
}

/** What is to be sent next in each lane: the delivery that is due the longest. Of those whose order
 *  counts only the first may be, due or not: a failed one holds up those behind it, and no others. */
export async function findDue(tx: Tx, lanes: Lane[]): Promise<DueDelivery[]> {
  const { rows } = await tx.query<DueRow>(
    `/* lanes.find_due */
    SELECT l.account_id, l.endpoint_id, d.id, d.created_on, d.event_type, d.part, d.parts,
      d.part_size, d.format, d.sequence, d.attempts, d.attempts_before, d.round,
      e.id AS event_id, e.created_on AS event_created_on, e.created_at AS event_created_at, e.seq AS event_seq,
      e.import_id AS event_import_id, e.data AS event_data
    FROM unnest($1::integer[], $2::bigint[]) AS l (account_id, endpoint_id)
    CROSS JOIN LATERAL (
      SELECT o.*
      FROM (
        (
          SELECT d.*
          FROM deliveries d
          WHERE d.account_id = l.account_id
            AND d.endpoint_id = l.endpoint_id
            AND d.state = 'pending'
            AND NOT d.ordered
          ORDER BY d.next_at, d.sequence
          LIMIT 1
        )
        UNION ALL
        (
          SELECT d.*
          FROM deliveries d
          WHERE d.account_id = l.account_id
            AND d.endpoint_id = l.endpoint_id
            AND d.state = 'pending'
            AND d.ordered
          ORDER BY d.sequence
          LIMIT 1
        )
      ) o
      WHERE o.next_at <= clock_timestamp()
      ORDER BY o.next_at, o.sequence
      LIMIT 1
    ) d
    LEFT JOIN events e
      ON e.account_id = l.account_id AND e.id = d.event_id AND e.created_on = d.event_on`,
    placesOf(lanes)
  )
  return rows.map((row) => ({ ...row, event: eventOf(row) }))
}

function eventOf(row: DueRow): EventRow | null {
  const { event_id: id, event_created_on: created_on, event_created_at: created_at } = row
  if (id === null || created_on === null || created_at === null) return null
  const { account_id, event_type, event_seq, event_import_id: import_id, event_data } = row
  const type = event_type as EventRow['type']
  const event = { account_id, id, created_on, created_at, type, import_id }
  return { ...event, seq: event_seq ?? 0, data: event_data ?? {} }
}

/** What one attempt did to its delivery. */
export interface Settled {
  delivery: Pick<DueDelivery, 'account_id' | 'endpoint_id' | 'id' | 'created_on'> & {
    /** null: the lane was lost, so that the attempt decides nothing. */
    round: number | null
  }
  attempted_at: Date
  ms: number
  status: number | null
  error: string | null
  answer: string | null
  state: 'pending' | 'delivered' | 'failed'
  /** When it is tried again; null: it has ended. */
  next_at: Date | null
}

/** Writes attempts down, and what became of the deliveries. One that was sent again meanwhile stays
 *  due, and the late attempt takes nothing from its new schedule. */
export async function settleDeliveries(tx: Tx, settled: Settled[]): Promise<void> {
  const deliveries = settled.map(({ delivery }) => delivery)
  await tx.query(
    `/* lanes.settle */
    WITH settled AS (
      UPDATE deliveries d
      SET attempts = d.attempts + 1,
        attempts_before = d.attempts_before + CASE WHEN d.round = u.round THEN 0 ELSE 1 END,
        state = CASE WHEN d.round = u.round THEN u.state ELSE d.state END,
        next_at = CASE WHEN d.round = u.round THEN u.next_at ELSE d.next_at END,
        ended_at = CASE WHEN d.round IS DISTINCT FROM u.round THEN d.ended_at
          WHEN u.state <> 'pending' THEN now() END
      FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::date[], $5::integer[],
        $6::text[], $7::timestamptz[], $8::timestamptz[], $9::integer[], $10::smallint[],
        $11::text[], $12::text[]) AS u (account_id, endpoint_id, id, created_on, round, state,
        next_at, attempted_at, ms, status, error, answer)
      WHERE d.account_id = u.account_id
        AND d.endpoint_id = u.endpoint_id
        AND d.id = u.id
        AND d.created_on = u.created_on
      RETURNING d.account_id, d.endpoint_id, d.id, d.created_on, d.attempts, u.attempted_at, u.ms,
        u.status, u.error, u.answer
    )
    INSERT INTO delivery_attempts (account_id, endpoint_id, delivery_id, created_on, attempt,
      attempted_at, ms, status, error, answer)
    SELECT s.account_id, s.endpoint_id, s.id, s.created_on, s.attempts, s.attempted_at, s.ms,
      s.status, s.error, s.answer
    FROM settled s`,
    [
      ...placesOf(deliveries),
      deliveries.map((one) => one.id),
      deliveries.map((one) => one.created_on),
      deliveries.map((one) => one.round),
      settled.map((one) => one.state),
      settled.map((one) => one.next_at),
      settled.map((one) => one.attempted_at),
      settled.map((one) => one.ms),
      settled.map((one) => one.status),
      settled.map((one) => one.error),
      settled.map((one) => one.answer)
    ]
  )
}

/** What an attempt says about the endpoint. */
export interface EndpointNews {
  account_id: number
  endpoint_id: number
  delivered: boolean
  /** Whether the attempt took long; null: there was none. */
  slow: boolean | null
  /** When the failures began that have not been broken by a success; null: there are none. */
  failing_since: Date | null
  /** The last failure. */
  failed_at: Date | null
  not_before: Date | null
  disabled_reason: 'gone' | 'failing' | null
}

/** Notes what attempts say about their endpoints. */
export async function noteAttempts(tx: Tx, news: EndpointNews[]): Promise<void> {
  await tx.query(
    `/* lanes.note_attempts */
    UPDATE webhook_endpoints w
    SET delivered_at = CASE WHEN u.delivered THEN now() ELSE w.delivered_at END,
      slow = COALESCE(u.slow, w.slow), failing_since = u.failing_since, failed_at = u.failed_at,
      not_before = u.not_before,
      enabled = w.enabled AND u.disabled_reason IS NULL,
      disabled_reason = CASE WHEN w.enabled THEN u.disabled_reason ELSE w.disabled_reason END,
      disabled_at = CASE WHEN w.enabled AND u.disabled_reason IS NOT NULL THEN now()
        ELSE w.disabled_at END
    FROM unnest($1::integer[], $2::bigint[], $3::boolean[], $4::boolean[], $5::timestamptz[],
      $6::timestamptz[], $7::timestamptz[], $8::text[]) AS u (account_id, id, delivered, slow,
      failing_since, failed_at, not_before, disabled_reason)
    WHERE w.account_id = u.account_id
      AND w.id = u.id`,
    [
      ...placesOf(news),
      news.map((one) => one.delivered),
      news.map((one) => one.slow),
      news.map((one) => one.failing_since),
      news.map((one) => one.failed_at),
      news.map((one) => one.not_before),
      news.map((one) => one.disabled_reason)
    ]
  )
}

/** Gives lanes back; those that have more to send go to the end of the line. Who adds deliveries holds
 *  the endpoint while doing so: none is overlooked. Out: by endpoint, when the next one is due; null
 *  when none is. */
export async function releaseLanes(tx: Tx, lanes: Lane[]) {
  const { rows } = await tx.query<{
    account_id: number
    endpoint_id: number
    due_at: Date | null
  }>(
    `/* lanes.release */
    UPDATE webhook_endpoints w
    SET lane_token = NULL, lane_until = NULL, due_at = (
      SELECT GREATEST(min(n.next_at), clock_timestamp())
      FROM (
        (
          SELECT d.next_at
          FROM deliveries d
          WHERE d.account_id = w.account_id
            AND d.endpoint_id = w.id
            AND d.state = 'pending'
            AND NOT d.ordered
          ORDER BY d.next_at
          LIMIT 1
        )
        UNION ALL
        (
          SELECT d.next_at
          FROM deliveries d
          WHERE d.account_id = w.account_id
            AND d.endpoint_id = w.id
            AND d.state = 'pending'
            AND d.ordered
          ORDER BY d.sequence
          LIMIT 1
        )
      ) n
      HAVING count(*) > 0
    )
    FROM unnest($1::integer[], $2::bigint[]) AS l (account_id, id)
    WHERE w.account_id = l.account_id
      AND w.id = l.id
    RETURNING w.account_id, w.id AS endpoint_id,
      CASE WHEN w.enabled THEN GREATEST(w.due_at, w.not_before) END AS due_at`,
    placesOf(lanes)
  )
  return rows
}

/** Writes the event that an endpoint was disabled. Out: its address; null when it is gone. */
export async function writeDisabledEvent(
  tx: Tx,
  { account_id, endpoint_id }: Pick<Lane, 'account_id' | 'endpoint_id'>,
  reason: string
): Promise<string | null> {
  const { rows } = await tx.query<{ url: string }>(
    `/* lanes.write_disabled */
    SELECT w.url, write_event(w.account_id, 'webhook.disabled', jsonb_build_object('webhook',
      jsonb_build_object('id', w.id, 'url', w.url, 'description', w.description,
        'import_id', w.import_id, 'reason', $3::text)))
    FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint`,
    [account_id, endpoint_id, reason]
  )
  return rows[0]?.url ?? null
}
