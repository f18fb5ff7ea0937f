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
import type { DueDelivery, EndpointNews, LaneEndpoint, Settled } from './store.ts'

export interface AttemptContext {
  sender: Sender
  secrets: Secrets
  publicUrl: string | null
  schedule: Schedule
  /** An attempt that takes longer is slow. */
  slowMs: number
}

/** When things happen; tests have less time. */
export interface Schedule {
  /** Waits between attempts; absent: the usual ones. */
  delaysMs?: readonly number[]
  /** An endpoint that has only failed for this long is disabled. */
  disableAfterMs: number
}

export const usualSchedule: Schedule = { disableAfterMs: 5 * 24 * 3_600_000 }

/** An attempt that was made: what it did to its delivery, and what it says of the endpoint. */
export interface Attempted {
  settled: Settled
  news: EndpointNews
}

const placeOf = ({ account_id, endpoint_id }: DueDelivery) => ({ account_id, endpoint_id })

// The longest that a receiver may silence its whole lane, and not only the delivery it answered.
const maxSilenceMs = 3_600_000

/** Sends a delivery once. Out: what to write down of it. */
export async function attempt(
  context: AttemptContext,
  endpoint: LaneEndpoint,
  due: DueDelivery
): Promise<Attempted> {
  const attempted_at = new Date()
  const { event } = due
  if (event === null) return endedWithoutEvent(endpoint, due, attempted_at)
  const result = await send(context, endpoint, { ...due, event }, attempted_at)
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
  const failing_since = isFailure ? failingSince(endpoint, now) : null
  const isHopeless =
    failing_since !== null && now.getTime() - failing_since.getTime() >= disableAfterMs
  return {
    settled: {
      delivery: due,
      attempted_at,
      ms,
      status,
      error: storable(error),
      answer: storable(answer),
      state,
      next_at
    },
    news: {
      ...placeOf(due),
      delivered: !isFailure,
      slow: ms > context.slowMs,
      failing_since,
      failed_at: isFailure ? now : endpoint.failed_at,
      not_before: silenceUntil(retry_after_ms, now),
      disabled_reason: verdict === 'disable' ? 'gone' : isHopeless ? 'failing' : null
    }
  }
}

// Longer than the waits between two attempts may be: who failed longer ago was not tried in between.
const quietMs = 2 * 24 * 3_600_000

/** When the failures began, of which this is the last: not before a time without any attempt. */
function failingSince({ failing_since, failed_at }: LaneEndpoint, now: Date): Date {
  const isNew = failed_at === null || now.getTime() - failed_at.getTime() > quietMs
  return isNew || failing_since === null ? now : failing_since
}

/** What came from outside must not be what a database refuses. */
const storable = (text: string | null) => text?.toWellFormed().replaceAll('\0', '') ?? null

function silenceUntil(retryAfterMs: number | null, now: Date): Date | null {
  if (retryAfterMs === null) return null
  return new Date(now.getTime() + Math.min(retryAfterMs, maxSilenceMs))
}

function endedWithoutEvent(
  { failing_since, failed_at, not_before }: LaneEndpoint,
  due: DueDelivery,
  attempted_at: Date
): Attempted {
  const error = 'Nothing was sent: the event is no longer kept.'
  const nothing = { ms: 0, status: null, answer: null, next_at: null }
  return {
    settled: { delivery: due, attempted_at, error, state: 'failed', ...nothing },
    news: {
      ...placeOf(due),
      delivered: false,
      slow: null,
      failing_since,
      failed_at,
      not_before,
      disabled_reason: null
    }
  }
}

async function send(
  { sender, secrets, publicUrl }: AttemptContext,
  endpoint: LaneEndpoint,
  due: DueDelivery & { event: EventRow },
  attemptAt: Date
): Promise<SendResult> {
  let request: { headers: Record<string, string>; body: string }
  try {
    const { part, parts, part_size, format } = due
    request = buildRequest(format, {
      event: partOf(eventJson(due.event, publicUrl), part, parts, part_size),
      sequence: due.sequence,
      attemptAt,
      endpoint: {
        id: endpoint.endpoint_id,
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
