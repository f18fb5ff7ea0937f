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

/** Takes lanes that have something due and that nobody holds, the longest due first. A lane whose
 *  holder has not been heard of for as long as it said is nobody's. */
export async function claimLanes(
  db: Db,
  {
    token,
    leaseMs,
    limit,
    failing
  }: {
    token: string
    leaseMs: number
    limit: number
    /** Those whose last attempt failed, or the others. */
    failing: boolean
  }
): Promise<Lane[]> {
  const { rows } = await db.query<Lane>(
    `/* lanes.claim */
    UPDATE webhook_endpoints w
    SET lane_token = $1::uuid, lane_until = now() + make_interval(secs => $2::float8 / 1000)
    FROM (
      SELECT c.account_id, c.id
      FROM webhook_endpoints c
      WHERE c.enabled
        AND c.due_at <= now()
        AND (c.not_before IS NULL OR c.not_before <= now())
        AND (c.lane_until IS NULL OR c.lane_until < now())
        AND (c.failing_since IS NOT NULL) = $3::boolean
      ORDER BY c.due_at
      LIMIT $4::integer
      FOR NO KEY UPDATE SKIP LOCKED
    ) d
    WHERE w.account_id = d.account_id
      AND w.id = d.id
    RETURNING w.account_id, w.id AS endpoint_id, w.lane_token AS token`,
    [token, leaseMs, failing, limit]
  )
  return rows
}

/** What sending needs to know of an endpoint. */
export interface LaneEndpoint extends SealedSecrets {
  url: string
  format: Envelope
  headers: string | null
  enabled: boolean
  not_before: Date | null
  failing_since: Date | null
}

/** Says that the lane's holder is still there, and holds the endpoint until the transaction ends.
 *  Out: null when somebody else has the lane, or the endpoint is gone. */
export async function keepLane(
  tx: Tx,
  { account_id, endpoint_id, token }: Lane,
  leaseMs: number
): Promise<LaneEndpoint | null> {
  const { rows } = await tx.query<LaneEndpoint>(
    `/* lanes.keep */
    UPDATE webhook_endpoints w
    SET lane_until = clock_timestamp() + make_interval(secs => $4::float8 / 1000)
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint
      AND w.lane_token = $3::uuid
    RETURNING w.url, w.format, w.headers, w.secret, w.old_secret, w.old_secret_until, w.enabled,
      w.not_before, w.failing_since`,
    [account_id, endpoint_id, token, leaseMs]
  )
  return rows[0] ?? null
}

/** One delivery that is due, with its event. */
export interface DueDelivery {
  id: number
  created_on: string
  event_type: string
  part: number
  parts: number
  part_size: number
  sequence: number
  attempts: number
  attempts_before: number
  /** null: retention took it. */
  event: EventRow | null
}

/** What is to be sent next: the delivery that is due the longest. Of those whose order counts only the
 *  first may be, due or not: a failed one holds up those behind it, and no others. */
export async function findDue(tx: Tx, { account_id, endpoint_id }: Lane) {
  const { rows } = await tx.query<
    Omit<DueDelivery, 'event'> & { [K in keyof EventRow as `event_${K}`]: EventRow[K] | null }
  >(
    `/* lanes.find_due */
    SELECT d.id, d.created_on, d.event_type, d.part, d.parts, d.part_size, d.sequence, d.attempts,
      d.attempts_before, e.account_id AS event_account_id, e.id AS event_id,
      e.created_on AS event_created_on, e.created_at AS event_created_at, e.seq AS event_seq,
      e.import_id AS event_import_id, e.data AS event_data
    FROM (
      (
        SELECT d.*
        FROM deliveries d
        WHERE d.account_id = $1::integer
          AND d.endpoint_id = $2::bigint
          AND d.state = 'pending'
          AND NOT d.ordered
        ORDER BY d.next_at, d.sequence
        LIMIT 1
      )
      UNION ALL
      (
        SELECT d.*
        FROM deliveries d
        WHERE d.account_id = $1::integer
          AND d.endpoint_id = $2::bigint
          AND d.state = 'pending'
          AND d.ordered
        ORDER BY d.sequence
        LIMIT 1
      )
    ) d
    LEFT JOIN events e
      ON e.account_id = $1::integer AND e.id = d.event_id AND e.created_on = d.event_on
    WHERE d.next_at <= clock_timestamp()
    ORDER BY d.next_at, d.sequence
    LIMIT 1`,
    [account_id, endpoint_id]
  )
  const [row] = rows
  if (!row) return null
  const { event_id: id, event_created_on: created_on, event_created_at: created_at } = row
  if (id === null || created_on === null || created_at === null) return { ...row, event: null }
  const event = {
    account_id,
    id,
    created_on,
    created_at,
    seq: row.event_seq ?? 0,
    type: row.event_type as EventRow['type'],
    import_id: row.event_import_id,
    data: row.event_data ?? {}
  }
  return { ...row, event } satisfies DueDelivery
}

/** What one attempt did to its delivery. */
export interface Settled {
  delivery: Pick<DueDelivery, 'id' | 'created_on'>
  attempted_at: Date
  ms: number
  status: number | null
  error: string | null
  answer: string | null
  state: 'pending' | 'delivered' | 'failed'
  /** When it is tried again; null: it has ended. */
  next_at: Date | null
}

/** Writes the attempt down, and what became of the delivery. */
export async function settleDelivery(tx: Tx, lane: Lane, settled: Settled): Promise<void> {
  const { delivery, attempted_at, ms, status, error, answer, state, next_at } = settled
  await tx.query(
    `/* lanes.settle */
    WITH settled AS (
      UPDATE deliveries d
      SET state = $5::text, next_at = $6::timestamptz, attempts = d.attempts + 1,
        ended_at = CASE WHEN $5::text = 'pending' THEN NULL ELSE now() END
      WHERE d.account_id = $1::integer
        AND d.endpoint_id = $2::bigint
        AND d.id = $3::bigint
        AND d.created_on = $4::date
      RETURNING d.attempts
    )
    INSERT INTO delivery_attempts (account_id, endpoint_id, delivery_id, created_on, attempt,
      attempted_at, ms, status, error, answer)
    SELECT $1::integer, $2::bigint, $3::bigint, $4::date, s.attempts, $7::timestamptz, $8::integer,
      $9::smallint, $10::text, $11::text
    FROM settled s`,
    [
      lane.account_id,
      lane.endpoint_id,
      delivery.id,
      delivery.created_on,
      state,
      next_at,
      attempted_at,
      ms,
      status,
      error,
      answer
    ]
  )
}

/** What an attempt says about the endpoint. */
export interface EndpointNews {
  delivered: boolean
  /** When the failures began that have not been broken by a success; null: there are none. */
  failing_since: Date | null
  not_before: Date | null
  disabled_reason: 'gone' | 'failing' | null
}

/** Notes what an attempt says about its endpoint. */
export async function noteAttempt(
  tx: Tx,
  { account_id, endpoint_id }: Lane,
  { delivered, failing_since, not_before, disabled_reason }: EndpointNews
): Promise<void> {
  await tx.query(
    `/* lanes.note_attempt */
    UPDATE webhook_endpoints w
    SET delivered_at = CASE WHEN $3::boolean THEN now() ELSE w.delivered_at END,
      failing_since = $4::timestamptz, not_before = $5::timestamptz,
      enabled = w.enabled AND $6::text IS NULL,
      disabled_reason = CASE WHEN w.enabled THEN $6::text ELSE w.disabled_reason END,
      disabled_at = CASE WHEN w.enabled AND $6::text IS NOT NULL THEN now() ELSE w.disabled_at END
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint`,
    [account_id, endpoint_id, delivered, failing_since, not_before, disabled_reason]
  )
}

/** Gives the lane back. Who adds deliveries holds the endpoint while doing so: none is overlooked.
 *  Out: when the next one is due, null when none is. */
export async function releaseLane(tx: Tx, lane: Lane): Promise<Date | null> {
  const { rows } = await tx.query<{ due_at: Date | null }>(
    `/* lanes.release */
    UPDATE webhook_endpoints w
    SET lane_token = NULL, lane_until = NULL, due_at = LEAST(
      (
        SELECT d.next_at
        FROM deliveries d
        WHERE d.account_id = w.account_id
          AND d.endpoint_id = w.id
          AND d.state = 'pending'
          AND NOT d.ordered
        ORDER BY d.next_at
        LIMIT 1
      ), (
        SELECT d.next_at
        FROM deliveries d
        WHERE d.account_id = w.account_id
          AND d.endpoint_id = w.id
          AND d.state = 'pending'
          AND d.ordered
        ORDER BY d.sequence
        LIMIT 1
      ))
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint
      AND w.lane_token = $3::uuid
    RETURNING CASE WHEN w.enabled THEN GREATEST(w.due_at, w.not_before) END AS due_at`,
    [lane.account_id, lane.endpoint_id, lane.token]
  )
  return rows[0]?.due_at ?? null
}

/** Writes the event that an endpoint was disabled. */
export async function writeDisabledEvent(
  tx: Tx,
  { account_id, endpoint_id }: Lane,
  reason: string
): Promise<void> {
  await tx.query(
    `/* lanes.write_disabled */
    SELECT write_event(w.account_id, 'webhook.disabled', jsonb_build_object('webhook',
      jsonb_build_object('id', w.id, 'url', w.url, 'description', w.description,
        'import_id', w.import_id, 'reason', $3::text)))
    FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint`,
    [account_id, endpoint_id, reason]
  )
}
