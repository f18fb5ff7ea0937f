// One connection that listens for NOTIFY on one channel, for as long as the process lives.
// In: a pool (for where the database is), a channel. Out: payloads, and word of every time that
// listening began: what was told before that was not heard, and has to be read.

import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { connectMs, keepAlive, type Pool } from './db.ts'
import type { Log } from './log.ts'
import { closeQuietly } from './watch-connections.ts'

export interface ListenOptions {
  pool: Pool
  channel: string
  log: Log
  onPayload: (payload: string) => void
  /** Called each time that listening has begun: the first time, and after a lost connection. */
  onListening: () => void
}

export interface Listener {
  isListening(): boolean
  /** Closes the connection; nothing is called any more. */
  stop(): Promise<void>
}

const firstPauseMs = 100
const longestPauseMs = 5_000
const askEveryMs = 10_000

/** Begins to listen, and begins again whenever the connection is lost, until `stop`. */
export function startListener(options: ListenOptions): Listener {
  const { log, channel } = options
  const stopping = new AbortController()
  const { signal } = stopping
  let listening = false

  const run = async () => {
    let pauseMs = firstPauseMs
    while (!signal.aborted) {
      try {
        await listenOnce(options, signal, () => {
          listening = true
          pauseMs = firstPauseMs
          log.debug({ channel }, 'listening')
          options.onListening()
        })
        if (!signal.aborted) log.warn({ channel }, 'lost the listening connection')
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error, channel }, 'cannot listen')
      }
      listening = false
      await wait(pauseMs, undefined, { signal }).catch(() => {})
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }
  const done = run()
  return {
    isListening: () => listening,
    async stop() {
      stopping.abort()
      await done
    }
  }
}

/** Listens until the connection ends, falls silent, or `signal` is aborted. Throws when it cannot
 *  begin to. */
async function listenOnce(
  { pool, channel, onPayload }: ListenOptions,
  signal: AbortSignal,
  onListening: () => void
): Promise<void> {
  const client = makeClient(pool)
  const over = Promise.withResolvers<void>()
  const end = () => over.resolve()
  // A connection that breaks says so; unheard, it would end the process.
  client.on('error', end).on('end', end)
  signal.addEventListener('abort', end, { once: true })
  // A server that went silent without closing anything is not noticed by waiting for it.
  const ask = () => void client.query('/* listen.ask */ SELECT 1').catch(end)
  let timer: NodeJS.Timeout | undefined
  try {
    await client.connect()
    client.on('notification', ({ payload }) => {
      if (!signal.aborted) onPayload(payload ?? '')
    })
    await client.query(`/* listen.begin */ LISTEN ${pg.escapeIdentifier(channel)}`)
    if (signal.aborted) return
    onListening()
    timer = setInterval(ask, askEveryMs).unref()
    await over.promise
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', end)
    closeQuietly(client)
  }
}

function makeClient(pool: Pool): pg.Client {
  const { connectionString, application_name } = pool.options
  return new pg.Client({
    ...(connectionString !== undefined && { connectionString }),
    application_name: `${application_name}-listener`,
    connectionTimeoutMillis: connectMs,
    query_timeout: connectMs,
    ...keepAlive
  })
}
