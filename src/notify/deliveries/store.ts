// What was sent, is waiting, or could not be sent, as the API shows and repeats it. Every statement
// names the account.

import type { Db, Tx } from '../../platform/db.ts'
import { ahead } from '../events/store.ts'

export const deliveryStates = ['pending', 'delivered', 'failed'] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** One row of `deliveries`. Times are Dates. */
export interface DeliveryRow {
  id: number
  created_on: string
  created_at: Date
  event_id: string
  event_type: string
  import_id: number | null
  part: number
  parts: number
  sequence: number
  state: DeliveryState
  attempts: number
  next_at: Date | null
  ended_at: Date | null
}

/** One attempt as stored. */
export interface AttemptRow {
  delivery_id: number
  attempt: number
  attempted_at: Date
  ms: number
  status: number | null
  error: string | null
  answer: string | null
}

const columns = `d.id, d.created_on, d.created_at, d.event_id, d.event_type, d.import_id, d.part,
      d.parts, d.sequence, d.state, d.attempts, d.next_at, d.ended_at`

/** Deliveries of an endpoint, newest first. */
export async function listDeliveries(
  db: Db,
  place: { account_id: number; endpoint_id: number },
  { state, before, limit }: { state: DeliveryState | null; before: number | null; limit: number }
): Promise<DeliveryRow[]> {
  const { rows } = await db.query<DeliveryRow>(
    `/* deliveries.list */
    SELECT ${columns}
    FROM deliveries d
    WHERE d.account_id = $1::integer
      AND d.endpoint_id = $2::bigint
      AND ($3::text IS NULL OR d.state = $3::text)
      AND ($4::bigint IS NULL OR d.id < $4::bigint)
    ORDER BY d.id DESC
    LIMIT $5::integer`,
    [place.account_id, place.endpoint_id, state, before, limit]
  )
  return rows
}

/** One delivery; null when the endpoint has none with that id. */
export async function getDelivery(
  db: Db,
  account_id: number,
  endpoint_id: number,
  id: number
): Promise<DeliveryRow | null> {
  const { rows } = await db.query<DeliveryRow>(
    `/* deliveries.get */
    SELECT ${columns}
    FROM deliveries d
    WHERE d.account_id = $1::integer
      AND d.endpoint_id = $2::bigint
      AND d.id = $3::bigint`,
    [account_id, endpoint_id, id]
  )
  return rows[0] ?? null
}

/** The attempts at deliveries of one endpoint, oldest first. */
export async function listAttempts(
  db: Db,
  place: { account_id: number; endpoint_id: number },
  deliveries: DeliveryRow[]
): Promise<AttemptRow[]> {
  if (deliveries.length === 0) return []
  const { rows } = await db.query<AttemptRow>(
    `/* deliveries.list_attempts */
    SELECT a.delivery_id, a.attempt, a.attempted_at, a.ms, a.status, a.error, a.answer
    FROM delivery_attempts a
    WHERE a.account_id = $1::integer
      AND a.endpoint_id = $2::bigint
      AND a.delivery_id = ANY ($3::bigint[])
      AND a.created_on = ANY ($4::date[])
    ORDER BY a.delivery_id, a.attempt`,
    [
      place.account_id,
      place.endpoint_id,
      deliveries.map((delivery) => delivery.id),
      [...new Set(deliveries.map((delivery) => delivery.created_on))]
    ]
  )
  return rows
}

/** Which deliveries are to be sent again: one, or all that failed and were made since a time. */
export type Again = { id: number } | { since: string }

/** Makes deliveries due now, with a new schedule, and ends a pause that the receiver asked for: who
 *  says now knows better. Out: how many. The caller holds the endpoint. */
export async function sendAgain(
  tx: Tx,
  { account_id, endpoint_id }: { account_id: number; endpoint_id: number },
  again: Again
): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `/* deliveries.send_again */
    WITH due AS (
      UPDATE deliveries d
      SET state = 'pending', ended_at = NULL, attempts_before = d.attempts,
        next_at = CASE WHEN $3::bigint IS NULL THEN now() ELSE ${ahead('d')} END,
        round = d.round + 1
      WHERE d.account_id = $1::integer
        AND d.endpoint_id = $2::bigint
        AND CASE WHEN $3::bigint IS NULL
          THEN d.state = 'failed' AND d.created_at >= $4::timestamptz
          ELSE d.id = $3::bigint END
      RETURNING d.id
    ), lane AS (
      UPDATE webhook_endpoints w
      SET due_at = LEAST(w.due_at, now()), not_before = NULL
      WHERE w.account_id = $1::integer
        AND w.id = $2::bigint
    )
    SELECT count(*)::integer AS count FROM due`,
    [
      account_id,
      endpoint_id,
      'id' in again ? again.id : null,
      'since' in again ? again.since : null
    ]
  )
  return rows[0]?.count ?? 0
}
