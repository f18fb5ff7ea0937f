// The route of event streams, and what is behind it for as long as the service runs: one listening
// connection, the imports that are followed, the open streams.

import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Config } from '../../config.ts'
import { appError } from '../../errors.ts'
import type { Pool } from '../../platform/db.ts'
import { createEventStreams } from '../../platform/event-streams.ts'
import type { App } from '../../platform/http.ts'
import { problems } from '../../platform/http-schemas.ts'
import { type Listener, startListener } from '../../platform/listen.ts'
import type { Log } from '../../platform/log.ts'
import type { Secrets } from '../../platform/secrets.ts'
import { ImportId, ImportProgressSchema } from '../schemas.ts'
import { requireImport, showImport } from '../show-import.ts'
import { createFollowers } from './follow.ts'
import { channel, readFollowed, readTold, type Told } from './store.ts'

export interface StreamContext {
  config: Config
  pool: Pool
  secrets: Secrets
  log: Log
}

// Proxies close what is silent for a minute; many are set to half of that.
const heartbeatMs = 15_000
const lifetimeMs = 15 * 60_000
// Times the number of streams: what clients that do not read may cost in memory.
const maxUnreadBytes = 64 * 1024
// What is followed is read this often although nothing was told: behind some poolers nothing can be
// heard. One statement for all of it.
const unheardMs = { listening: 10_000, deaf: 2_000 }

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Not stored, not packed (which holds events back), not collected by nginx.
  'cache-control': 'no-cache, no-store, no-transform',
  'x-accel-buffering': 'no',
  vary: 'accept'
}

const doc = {
  operationId: 'followImport',
  tags: ['imports'],
  summary: 'Follow an import',
  description:
    'Server-sent events instead of asking again and again. The first event is the present state; ' +
    'then `state` at every change of state and `progress` at most twice a second, both with ' +
    'an ImportProgress as `data`; then `end` with the whole Import, after which the server ends ' +
    'the stream. Its end without that event, which may come at any time, means: come again with ' +
    '`Last-Event-ID`. A comment is sent when nothing else was for 15 seconds.',
  params: ImportId,
  headers: Type.Object({
    'last-event-id': Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'The `id` of the last event that arrived: what it said is not said again.'
      })
    )
  }),
  response: {
    200: {
      description: 'Events, as they happen.',
      content: {
        'text/event-stream': {
          schema: {
            type: 'string',
            description:
              'Blocks of `event:`, `id:` and `data:` (JSON on one line), each with an empty line.'
          }
        }
      }
    },
    204: { description: 'The import has ended and the client has seen its `end`.', type: 'null' },
    ...problems('import_not_found', 'not_acceptable', 'too_many_streams')
  }
}

/** Adds GET /imports/{id}/events. Needs the access guard and the schemas of imports. */
export function streamRoutes(app: App, context: StreamContext): void {
  const { config, pool, secrets, log } = context
  app.addSchema(ImportProgressSchema)
  const streams = createEventStreams({
    max: config.maxStreams,
    // The server closes connections on which nothing moves for twice that time.
    heartbeatMs: Math.min(heartbeatMs, config.uploadIdleTimeoutMs),
    lifetimeMs,
    maxUnreadBytes,
    log
  })
  const followers = createFollowers({
    read: (places) => readFollowed(pool, places),
    show: ({ account_id, import_id }) =>
      showImport(pool, { ...config, secrets }, account_id, import_id),
    log
  })
  const listening = lazyListener(context, followers)
  app.addHook('preClose', async () => streams.close())
  app.addHook('onClose', async () => {
    followers.close()
    await listening.stop()
  })

  app.route({
    method: 'GET',
    url: '/imports/:id/events',
    schema: doc,
    handler: async ({ account: { account_id }, params, headers, method }, reply) => {
      requireAccepted(headers.accept)
      if (method === 'HEAD') {
        await requireImport(pool, account_id, params.id)
        return reply.headers(streamHeaders).send(Readable.from([]))
      }
      listening.start()
      const place = { account_id, import_id: params.id }
      const stream = await followers.join(place, headers['last-event-id'] ?? null, streams.open)
      // For browsers, the one answer after which they do not come again.
      if (stream === null) return reply.code(204).send(null)
      return reply.headers(streamHeaders).send(stream.body)
    }
  })
}

/** Throws not_acceptable when the client says what it takes, and events are not among it. */
function requireAccepted(accept: string | undefined): void {
  if (accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept)) return
  throw appError('not_acceptable', { accept, offered: 'text/event-stream' })
}

/** Listens from the first stream on: a process that nobody streams from needs no connection. */
function lazyListener(
  { pool, log }: StreamContext,
  followers: { hear(told: Told): void; readAll(): void }
) {
  let listener: Listener | undefined
  let timer: NodeJS.Timeout | undefined
  const readUnheard = () => {
    followers.readAll()
    timer = setTimeout(readUnheard, unheardMs[listener?.isListening() ? 'listening' : 'deaf'])
    timer.unref()
  }
  return {
    start() {
      if (listener) return
      listener = startListener({
        pool,
        channel,
        log,
        onPayload(payload) {
          const told = readTold(payload)
          if (told) followers.hear(told)
        },
        onListening: followers.readAll
      })
      timer = setTimeout(readUnheard, unheardMs.deaf).unref()
    },
    async stop() {
      clearTimeout(timer)
      await listener?.stop()
    }
  }
}
