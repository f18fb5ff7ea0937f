// Start-up in the wrong order: Muster may be up before its database. Called by every process that
// needs one, before anything else touches the database.

import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { isConnectionError } from './db.ts'
import type { Log } from './log.ts'

/** Returns when the server takes a connection; tries for `timeoutMs` or until `signal`. Throws an
 *  Error that names the server (never the password) when it stays away, and at once when it
 *  refuses us. */
export async function waitForDatabase(
  databaseUrl: string,
  log: Log,
  { timeoutMs = 60_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {}
): Promise<void> {
  const server = serverOf(databaseUrl)
  const deadline = Date.now() + timeoutMs
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 3_000)) {
    try {
      await connectOnce(databaseUrl)
      return
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
      if (!isWorthWaiting(error)) {
        const message = `PostgreSQL at ${server} refused the connection: ${(error as Error).message} (${reason}). Correct DATABASE_URL.`
        throw new Error(message, { cause: error })
      }
      if (Date.now() + pauseMs > deadline) {
        const message = `No PostgreSQL at ${server} (${reason}). Start it or correct DATABASE_URL.`
        throw new Error(message, { cause: error })
      }
      log.warn({ server, reason, pause_ms: pauseMs }, 'database not reachable yet, trying again')
      await wait(pauseMs, undefined, { signal })
    }
  }
}

async function connectOnce(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  // A server that goes away again in between is no reason to end the process.
  client.on('error', () => {})
  try {
    await client.connect()
  } finally {
    await client.end().catch(() => {})
  }
}

function isWorthWaiting(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return isConnectionError(error) || code === 'EAI_AGAIN' || code === 'EHOSTUNREACH'
}

function serverOf(databaseUrl: string): string {
  try {
    return new URL(databaseUrl).host
  } catch (cause) {
    const message = 'DATABASE_URL is not a URL like postgres://user:password@host:5432/database.'
    throw new Error(message, { cause })
  }
}
