// Half-open connections: a server or a network that went silent without closing anything. A socket
// notices nothing of that for a quarter of an hour, and a statement may be allowed minutes; here it is
// found out within seconds by asking on a new connection. Started by createPool.
//
// In: a pool. Out: connections that nobody answers on any more are destroyed; their statements fail
// with an error that isConnectionError knows. Those that merely take their time are left alone.

import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'

export interface Patience {
  /** A statement without any answer for this long makes us ask. */
  silentMs: number
  /** The server must have answered by then. */
  probeMs: number
}

// The parts of pg's client that are read here; its type declarations do not list them.
interface WatchedClient {
  processID: number | null
  /** false while a statement is under way. */
  readyForQuery: boolean
  connection: { stream: Socket }
}

interface Watched {
  bytesRead: number
  /** When the silence began (performance.now). */
  since: number
}

/** Watches the connections that are in use until the pool ends. */
export function watchConnections(
  pool: pg.Pool,
  connectionString: string,
  patience: Patience
): void {
  const inUse = new Map<WatchedClient, Watched>()
  const watched = (client: unknown) => client as WatchedClient
  pool.on('acquire', (client) => void inUse.set(watched(client), startOf(watched(client))))
  pool.on('release', (_, client) => void inUse.delete(watched(client)))
  pool.on('remove', (client) => void inUse.delete(watched(client)))

  let isAsking = false
  const look = async () => {
    const silent = findSilent(inUse, patience.silentMs)
    if (isAsking || silent.length === 0) return
    isAsking = true
    const alive = await findAlive(connectionString, patience.probeMs, silent)
    // One that had just been answered is at work for nobody: its answer is on the way to us.
    if (alive.size < silent.length) await wait(patience.silentMs / 4)
    isAsking = false
    for (const client of silent) {
      const isStill = findSilent(inUse, patience.silentMs).includes(client)
      if (alive.has(client) || !isStill) continue
      client.connection.stream.destroy(new Error('Connection terminated: the server went silent'))
    }
    // Asked and answered: the next question after as long again.
    for (const client of alive) if (inUse.has(client)) inUse.set(client, startOf(client))
  }
  const timer = setInterval(() => void look(), patience.silentMs / 4).unref()
  const end = pool.end.bind(pool) as () => Promise<void>
  pool.end = (() => {
    clearInterval(timer)
    return end()
  }) as typeof pool.end
}

const startOf = ({ connection }: WatchedClient): Watched => ({
  bytesRead: connection.stream.bytesRead,
  since: performance.now()
})

/** Connections with a statement under way on which nothing has come for too long. */
function findSilent(inUse: Map<WatchedClient, Watched>, silentMs: number): WatchedClient[] {
  const silent: WatchedClient[] = []
  for (const [client, { bytesRead, since }] of inUse) {
    const isWaiting = !client.readyForQuery
    const heard = client.connection.stream.bytesRead !== bytesRead
    if (!isWaiting || heard) inUse.set(client, startOf(client))
    else if (performance.now() - since > silentMs) silent.push(client)
  }
  return silent
}

/** Which of the connections the server is still at work for; none when it does not answer. A server
 *  that says it has no room for the question is alive. Where something in between gives process
 *  numbers of its own (a pooler), an answer is all that can be had. */
async function findAlive(connectionString: string, probeMs: number, clients: WatchedClient[]) {
  const client = new pg.Client({
    connectionString,
    application_name: 'muster-probe',
    connectionTimeoutMillis: probeMs,
    query_timeout: probeMs
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ own: number; busy: number[] }>(
      `/* watch.find_alive */
      SELECT pg_backend_pid() AS own, ARRAY(
        SELECT a.pid
        FROM pg_stat_activity a
        WHERE a.pid = ANY ($1::integer[])
          AND a.state IS DISTINCT FROM 'idle'
      ) AS busy`,
      [clients.map((one) => one.processID ?? 0)]
    )
    const own = rows[0]?.own
    const busy = new Set(rows[0]?.busy)
    const isDirect = own === (client as unknown as WatchedClient).processID
    return new Set(clients.filter((one) => !isDirect || busy.has(one.processID ?? 0)))
  } catch (error) {
    return new Set((error as { code?: string }).code === '53300' ? clients : [])
  } finally {
    closeQuietly(client)
  }
}

/** Does not wait for a goodbye that may never be sent. */
export function closeQuietly(client: pg.Client): void {
  const { stream } = (client as unknown as WatchedClient).connection
  setTimeout(() => stream.destroy(), 1_000).unref()
  client.end().catch(() => {})
}
