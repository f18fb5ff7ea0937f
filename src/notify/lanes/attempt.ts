// One attempt: a delivery and its endpoint -> a request -> what came of it. Never throws, and knows no
// transaction: the database is not held while a receiver takes its time. Called by drain-lane.ts.

import { AppError } from '../../errors.ts'
import type { Secrets } from '../../platform/secrets.ts'
import { eventJson } from '../events/event-json.ts'
import type { EventRow } from '../events/store.ts'
import { partOf } from '../send/delivery.ts'
import { buildRequest } from '../send/envelopes.ts'
import { judge, retryAt } from '../send/judge.ts'
import { type Sender, type SendResult, sendOnce } from '../send/send-once.ts'
import { openEndpointSecrets, openHeaders } from '../webhooks/endpoint-secrets.ts'
import type { DueDelivery, EndpointNews, Lane, LaneEndpoint, Settled } from './store.ts'

export interface AttemptContext {
  sender: Sender
  secrets: Secrets
  publicUrl: string | null
  schedule: Schedule
}

/** When things happen; tests have less time. */
export interface Schedule {
  /** Waits between attempts; absent: the usual ones. */
  delaysMs?: readonly number[]
  /** An endpoint that has only failed for this long is disabled. */
  disableAfterMs: number
}

export const usualSchedule: Schedule = { disableAfterMs: 5 * 24 * 3_600_000 }

// The longest that a receiver may silence its whole lane, and not only the delivery it answered.
const maxSilenceMs = 3_600_000

/** Sends a delivery once. Out: what to write down of it. */
export async function attempt(
  context: AttemptContext,
  lane: Lane,
  endpoint: LaneEndpoint,
  due: DueDelivery
): Promise<{ settled: Settled; news: EndpointNews }> {
  const attempted_at = new Date()
  const { id, created_on, event } = due
  if (event === null) return endedWithoutEvent(endpoint, due, attempted_at)
  const result = await send(context, lane, endpoint, { ...due, event }, attempted_at)
  const { status, ms, error, answer, retry_after_ms } = result
  const now = new Date()
  const verdict = judge(result)
  const { delaysMs, disableAfterMs } = context.schedule
  const isFailure = verdict !== 'delivered'
  const next_at = isFailure
    ? retryAt(due.attempts - due.attempts_before + 1, {
        now,
        retryAfterMs: retry_after_ms,
        random: Math.random,
        ...(delaysMs && { delaysMs })
      })
    : null
  const state = !isFailure ? 'delivered' : next_at ? 'pending' : 'failed'
  const failing_since = isFailure ? (endpoint.failing_since ?? now) : null
  const isHopeless =
    failing_since !== null && now.getTime() - failing_since.getTime() >= disableAfterMs
  const delivery = { id, created_on }
  return {
    settled: { delivery, attempted_at, ms, status, error, answer, state, next_at },
    news: {
      delivered: !isFailure,
      failing_since,
      not_before: silenceUntil(retry_after_ms, now),
      disabled_reason: verdict === 'disable' ? 'gone' : isHopeless ? 'failing' : null
    }
  }
}

function silenceUntil(retryAfterMs: number | null, now: Date): Date | null {
  if (retryAfterMs === null) return null
  return new Date(now.getTime() + Math.min(retryAfterMs, maxSilenceMs))
}

function endedWithoutEvent(
  { failing_since, not_before }: LaneEndpoint,
  { id, created_on }: DueDelivery,
  attempted_at: Date
): { settled: Settled; news: EndpointNews } {
  const error = 'Nothing was sent: the event is no longer kept.'
  const nothing = { ms: 0, status: null, answer: null, next_at: null }
  const delivery = { id, created_on }
  return {
    settled: { delivery, attempted_at, error, state: 'failed', ...nothing },
    news: { delivered: false, failing_since, not_before, disabled_reason: null }
  }
}

async function send(
  { sender, secrets, publicUrl }: AttemptContext,
  lane: Lane,
  endpoint: LaneEndpoint,
  due: DueDelivery & { event: EventRow },
  attemptAt: Date
): Promise<SendResult> {
  let request: { headers: Record<string, string>; body: string }
  try {
    const { part, parts, part_size } = due
    request = buildRequest(endpoint.format, {
      event: partOf(eventJson(due.event, publicUrl), part, parts, part_size),
      sequence: due.sequence,
      attemptAt,
      endpoint: {
        id: lane.endpoint_id,
        secrets: openEndpointSecrets(secrets, endpoint, attemptAt),
        headers: openHeaders(secrets, endpoint.headers)
      },
      publicUrl
    })
  } catch (error) {
    // A secret whose key is missing: it is there again as soon as somebody notices.
    const reason = error instanceof AppError ? error.message : 'The request could not be made.'
    return { status: null, ms: 0, error: reason, answer: null, retry_after_ms: null }
  }
  return sendOnce(sender, { url: endpoint.url, ...request })
}
