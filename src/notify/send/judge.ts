// What follows from an attempt: delivered, try again (and when), or never again. Pure.
// Called by the queue's handler with what `sendOnce` came back with.

export type Verdict = 'delivered' | 'retry' | 'disable'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** Waits between attempts, ms; after the last of them there is no other attempt. */
export const retryDelaysMs: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour
]
/** A receiver that asks for more than this does not get it. */
export const maxRetryAfterMs = 24 * hour

/** 2xx is success and 410 means never again; everything else, redirects among it, is a failure. */
export function judge({ status }: { status: number | null }): Verdict {
  if (status === null) return 'retry'
  if (status >= 200 && status < 300) return 'delivered'
  return status === 410 ? 'disable' : 'retry'
}

/** How long the receiver asks to be left alone, ms (at most a day); null: it does not ask, or the
 *  status is not one of those that have a say. `value`: the header Retry-After, in seconds or a date.
 *  Source: RFC 9110 section 10.2.3. */
export function retryAfterMs(status: number, value: string | null, now: Date): number | null {
  if (value === null || ![429, 502, 503, 504].includes(status)) return null
  const text = value.trim()
  const isDate = /^[A-Za-z]{3,9},? /.test(text) && !Number.isNaN(Date.parse(text))
  if (!isDate && !/^\d+$/.test(text)) return null
  const ms = isDate ? Date.parse(text) - now.getTime() : Number(text) * second
  return Math.min(Math.max(ms, 0), maxRetryAfterMs)
}

export interface RetryChoices {
  now: Date
  /** What `sendOnce` says the receiver asked for. */
  retryAfterMs: number | null
  /** 0 to 1. */
  random: () => number
  /** Other waits than the usual ones. */
  delaysMs?: readonly number[]
}

/** When to try again after attempt number `attempt` (1-based) failed: the wait of the schedule, or
 *  what the receiver asked for where that is longer, and up to a fifth more, so that those that
 *  failed together do not come back together. null: given up. */
export function retryAt(attempt: number, choices: RetryChoices): Date | null {
  const { now, retryAfterMs: asked, random, delaysMs = retryDelaysMs } = choices
  const delay = delaysMs[attempt - 1]
  if (delay === undefined) return null
  const wait = Math.max(delay, asked ?? 0) * (1 + random() * 0.2)
  return new Date(now.getTime() + Math.round(wait))
}
