// Idempotency-Key: a POST that is sent again happens once, and gets the answer of the first time.
// In: the header of any POST. Out: the work done, its stored answer, idempotency_key_in_use (409) or
// idempotency_key_reused (422). Registered once, at the root by app.ts, so that every POST has it.
//
// The key is taken before the work and held while its request runs; what a verb records in its own
// transaction (`Once.record`) is found again even if the process dies before it answers.

import { createHash, randomUUID } from 'node:crypto'
import { appError } from '../errors.ts'
import type { Db, Pool, Tx } from './db.ts'
import type { App } from './http.ts'
import { documentKey, headerName, replayedHeader } from './idempotency-docs.ts'
import {
  answerKey,
  freeKey,
  type KeyHold,
  type StoredAnswer,
  type StoredRequest,
  takeKey
} from './idempotency-store.ts'
import { keepKeys } from './idempotency-upkeep.ts'
import type { Log } from './log.ts'
import { isSealed, type Secrets } from './secrets.ts'

/** What a verb can do so that its request happens once even if the process dies. */
export interface Once {
  /** Tells what was asked, where only reading the body tells: any text that is equal exactly when the
   *  requests are. */
  identify(content: string): void
  /** Notes, in the transaction that does the work, which answer to give and where it can be seen.
   *  Throws idempotency_key_in_use when another request took the key over. */
  record(tx: Tx, made: { status: number; location: string }): Promise<void>
}

interface Hold extends KeyHold, Once {
  /** SHA-256 of what was asked; null until it is known. */
  fingerprint: Buffer | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The idempotency key that this request holds; null: it came with none. */
    once: Hold | null
  }
  interface FastifyContextConfig {
    /** For routes that read their body themselves, and call `once.identify` when they did: reads it
     *  only to tell what was asked, for a key that has its answer. */
    identify?: (request: FastifyRequest) => Promise<string>
    /** For routes whose answer holds a secret that is shown once: it is kept encrypted. */
    sealAnswer?: boolean
  }
}

export interface IdempotencySettings {
  pool: Pool
  log: Log
  secrets: Pick<Secrets, 'seal' | 'open'>
  /** How long answers are kept. */
  keepHours: number
}

/** How long a key stays taken after the process of its request died. */
export const leaseMs = 120_000

/** Adds the header to every POST of the app. Needs the access guard (`request.account`). */
export function registerIdempotency(app: App, settings: IdempotencySettings): void {
  const { pool, log, secrets, keepHours } = settings
  const held = new Set<Hold>()
  const upkeep = keepKeys(pool, log, { held, leaseMs })
  app.addHook('onClose', () => upkeep.stop())
  app.addHook('onRoute', documentKey)
  app.decorateRequest('once', null)

  // Here the body was parsed, and nothing was done with it.
  app.addHook('preValidation', async (request, reply) => {
    const { method, account, headers, routeOptions, url } = request
    if (method !== 'POST' || !account || headers[headerName] === undefined) return
    const { identify } = routeOptions.config
    const hold = holdOf(account.account_id, readKey(headers[headerName]))
    if (!identify) hold.identify(canonical([request.query, request.body ?? null]))
    const asked = `POST ${url.split('?')[0]}`
    const about = { request: asked, fingerprint: hold.fingerprint, leaseMs, keepHours }
    const first = await takeKey(pool, hold, about)
    if (first === null) {
      held.add(hold)
      request.once = hold
      return
    }
    if (identify && first.answer && first.request === asked) {
      hold.identify(await identify(request))
    }
    const stored = answerFor(first, asked, hold)
    const answer = stored.body === null ? await seeAgain(app, stored, headers) : stored
    reply.code(answer.status).header(replayedHeader, 'true')
    if (answer.location !== null) reply.header('location', answer.location)
    if (answer.content_type !== null) reply.header('content-type', answer.content_type)
    const { body } = answer
    return reply.send(isSealed(body) ? secrets.open(body) : body)
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const hold = request.once
    if (hold === null) return
    request.once = null
    held.delete(hold)
    const location = reply.getHeader('location')?.toString() ?? null
    const content_type = reply.getHeader('content-type')?.toString() ?? null
    const text = textOf(payload)
    const body = text && request.routeOptions.config.sealAnswer ? secrets.seal(text) : text
    const answer = { status: reply.statusCode, location, content_type, body }
    // Whatever becomes of the key, the work is done and its answer goes out.
    await settle(pool, hold, answer).catch((error) =>
      request.log.warn({ err: error }, 'answer not stored for its idempotency key')
    )
  })
}

const retriable = new Set([401, 408, 429])

/** Whether the same request would get another answer for reasons that are not its own. */
const isPassing = (status: number) => status >= 500 || retriable.has(status)

async function settle(db: Db, hold: Hold, answer: StoredAnswer): Promise<void> {
  const { fingerprint } = hold
  // Without a fingerprint the body was not read to its end: nothing was done, and nothing could be
  // compared with it.
  const isKept = fingerprint !== null && answer.body !== null && !isPassing(answer.status)
  if (isKept) await answerKey(db, hold, { fingerprint, answer })
  else await freeKey(db, hold)
}

function holdOf(account_id: number, key: string): Hold {
  const hold: Hold = {
    account_id,
    key,
    token: randomUUID(),
    fingerprint: null,
    identify(content) {
      hold.fingerprint = createHash('sha256').update(content).digest()
    },
    async record(tx, made) {
      const { fingerprint } = hold
      if (fingerprint === null) throw new Error('record() before identify()')
      const answer = { ...made, content_type: null, body: null }
      if (!(await answerKey(tx, hold, { fingerprint, answer }))) throw inUse(key)
    }
  }
  return hold
}

const inUse = (key: string) => appError('idempotency_key_in_use', { key })

/** The answer that an earlier request with the key has had. Throws idempotency_key_reused when it was
 *  another request, idempotency_key_in_use when it has none yet. */
function answerFor(first: StoredRequest, asked: string, { key, fingerprint }: Hold): StoredAnswer {
  const { request, answer } = first
  // Of an upload that is still being read nothing more can be told.
  const isKnown = first.fingerprint !== null && fingerprint !== null
  if (request !== asked || (isKnown && !first.fingerprint?.equals(fingerprint))) {
    throw appError('idempotency_key_reused', { key, request })
  }
  if (answer === null) throw inUse(key)
  return answer
}

/** An answer that was recorded and never sent: what was made is looked at as it is now. */
async function seeAgain(
  app: App,
  stored: StoredAnswer,
  { authorization = '' }: { authorization?: string }
): Promise<StoredAnswer> {
  const url = stored.location ?? '/'
  const seen = await app.inject({ method: 'GET', url, headers: { authorization } })
  const content_type = seen.headers['content-type'] ?? null
  const status = seen.statusCode === 200 ? stored.status : seen.statusCode
  return { status, location: stored.location, content_type, body: seen.payload }
}

/** Throws validation_failed. */
function readKey(header: string | string[] | undefined): string {
  const key = String(header)
  if (/^[ -~]{1,255}$/.test(key)) return key
  const message = 'must be 1 to 255 printable ASCII characters'
  const details = [{ path: `headers/${headerName}`, message }]
  throw appError('validation_failed', { reason: `${headerName} ${message}.` }, { details })
}

/** JSON with the keys of objects in order. Throws validation_failed when it is nested too deep. */
function canonical(value: unknown): string {
  try {
    return JSON.stringify(value, (_, one) => (isObject(one) ? inOrder(one) : one))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const reason = 'The body is nested too deep.'
    throw appError('validation_failed', { reason }, { cause: error })
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const inOrder = (value: object) =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))

/** The body as it is sent; null when it is a stream, which can be sent once only. */
function textOf(payload: unknown): string | null {
  if (payload === undefined || payload === null) return ''
  if (typeof payload === 'string') return payload
  return Buffer.isBuffer(payload) ? payload.toString() : null
}
