// One attempt to deliver: a POST that ends within its time, whatever the receiver does, and never
// goes where it must not. In: URL, headers, body. Out: what came of it, to be judged (judge.ts) and
// logged. Knows no database; called by the queue's handler.

import { Agent, type Dispatcher, request } from 'undici'
import type { Network } from '../../platform/outbound/addresses.ts'
import { urlFault } from '../../platform/outbound/check-url.ts'
import {
  type ConnectSettings,
  guardedConnector
} from '../../platform/outbound/guarded-connector.ts'
import { retryAfterMs } from './judge.ts'
import { describeFailure } from './send-failure.ts'

/** How much of an answer is kept, bytes. */
const keptBytes = 1_024

export interface SendRequest {
  url: string
  headers: Record<string, string>
  body: string
}

/** What came of one attempt; as it is logged. */
export interface SendResult {
  /** HTTP status; null: there was no answer. */
  status: number | null
  /** How long the attempt took. */
  ms: number
  /** Why there was no answer, as a sentence; null: there was one. */
  error: string | null
  /** The first kilobyte of the answer's body; null: there was no answer. */
  answer: string | null
  /** How long the receiver asks to be left alone; null: it does not ask. */
  retry_after_ms: number | null
}

/** What attempts share: the connections that are kept open for a moment, and the limits. */
export interface Sender {
  allowed: readonly Network[]
  timeoutMs: number
  dispatcher: Dispatcher
  /** Ends all connections. */
  close(): Promise<void>
}

/** Opens what attempts share; once in each process that sends. `timeoutMs` is for a whole attempt:
 *  name, connection, TLS, request and answer. */
export function openSender(settings: ConnectSettings): Sender {
  const { allowed, timeoutMs } = settings
  const dispatcher = new Agent({
    connect: guardedConnector(settings),
    allowH2: false,
    // The attempt as a whole has its time; these would only end it in other words.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Long enough for the next delivery of a lane, shorter than what servers keep.
    keepAliveTimeout: 2_000,
    keepAliveMaxTimeout: 4_000
  })
  return { allowed, timeoutMs, dispatcher, close: () => dispatcher.destroy() }
}

/** Sends once. Never throws; redirects are not followed. The status line decides: a body that is
 *  endless, slow or cut off changes nothing, and is read for a kilobyte or until the time is up. */
export async function sendOnce(sender: Sender, sent: SendRequest): Promise<SendResult> {
  const startedAt = performance.now()
  const signal = AbortSignal.timeout(sender.timeoutMs)
  const past = () => Math.round(performance.now() - startedAt)
  try {
    const fault = urlFault(sent.url, sender.allowed)
    if (fault !== null) return failed(fault, past())
    const { statusCode, headers, body } = await request(sent.url, {
      method: 'POST',
      headers: sent.headers,
      body: sent.body,
      dispatcher: sender.dispatcher,
      signal
    })
    const answer = await readStart(body)
    return {
      status: statusCode,
      ms: past(),
      error: null,
      answer,
      retry_after_ms: retryAfterMs(statusCode, firstOf(headers['retry-after']), new Date())
    }
  } catch (error) {
    return failed(describeFailure(error, sender.timeoutMs), past())
  }
}

function failed(error: string, ms: number): SendResult {
  return { status: null, ms, error, answer: null, retry_after_ms: null }
}

/** The first kilobyte of a body, as text that a database takes. The rest is not read: the
 *  connection is closed. */
async function readStart(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= keptBytes) break
    }
  } catch {
    // Cut off or out of time: what has come is kept.
  }
  const start = Buffer.concat(chunks).subarray(0, keptBytes)
  // A character whose end was cut off is left out; NUL is what PostgreSQL does not take.
  return new TextDecoder().decode(start, { stream: true }).replaceAll('\0', '')
}

function firstOf(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}
