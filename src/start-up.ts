// What the processes have in common when they start: a database, a pool, the queue, the secrets.
// Called by all-in-one.ts, server.ts, worker.ts and the tests.

import type { Config } from './config.ts'
import { registerQueues } from './jobs.ts'
import { createPool, type Db, type Pool } from './platform/db.ts'
import { startEmbeddedPostgres } from './platform/embedded-postgres.ts'
import { registerKeys } from './platform/known-keys.ts'
import type { Log } from './platform/log.ts'
import { pendingMigrations } from './platform/migrate.ts'
import { createQueue, type Queue } from './platform/queue.ts'
import { openSecrets, type Secrets } from './platform/secrets.ts'
import { waitForDatabase } from './platform/wait-for-database.ts'

export interface Database {
  databaseUrl: string
  /** Stops the server if it is ours. */
  stop(): Promise<void>
}

/** The database of DATABASE_URL once it can be reached (tried until `signal`), else the embedded
 *  one, started. */
export async function openDatabase(
  config: Config,
  log: Log,
  signal?: AbortSignal
): Promise<Database> {
  if (config.databaseUrl === null) {
    const server = await startEmbeddedPostgres({ dataDir: config.dataDir, log })
    return { databaseUrl: server.connectionString, stop: server.stop }
  }
  await waitForDatabase(config.databaseUrl, log, signal ? { signal } : {})
  return { databaseUrl: config.databaseUrl, stop: async () => {} }
}

/** The address of the database for a process that is one of several and cannot start its own.
 *  Throws an Error that names the variable when it is not set. */
export function requireDatabaseUrl(config: Config): string {
  if (config.databaseUrl !== null) return config.databaseUrl
  throw new Error(
    'DATABASE_URL is not set. This process needs one; `muster serve` runs everything on an embedded server.'
  )
}

export interface Services {
  pool: Pool
  boss: Queue
  secrets: Secrets
  close(): Promise<void>
}

const settings = {
  // A request waits for its answer: a statement that takes longer than this is a fault.
  server: {
    queueRole: 'send',
    statementTimeoutMs: 30_000,
    // Together less than the 5 s in which somebody is told that the database is away.
    patience: { silentMs: 1_500, probeMs: 2_000 }
  },
  // Writing a batch may wait for its turn behind other imports of the same type.
  worker: {
    queueRole: 'work',
    statementTimeoutMs: 300_000,
    patience: { silentMs: 10_000, probeMs: 5_000 }
  }
} as const

// For publishing events, and for what is written down between two attempts at a webhook.
const notifyingConnections = 4

/** Connections that a process needs at most. A running import holds one for its transaction, a dry
 *  run one more for its outcomes, and asks on another one: with fewer, imports could wait for each
 *  other's. */
function connectionsOf(role: keyof typeof settings, { workerConcurrency }: Config): number {
  return role === 'worker' ? 3 * workerConcurrency + 2 + notifyingConnections : 10
}

/** Opens the secrets, the pool and the queue. Throws an Error that says so when the database is not
 *  migrated, or knows other secret keys. */
export async function openServices(options: {
  role: keyof typeof settings
  databaseUrl: string
  config: Config
  log: Log
}): Promise<Services> {
  const { role, databaseUrl, config, log } = options
  const { queueRole, statementTimeoutMs, patience } = settings[role]
  const secrets = await openSecrets(config)
  const pool = createPool({
    connectionString: databaseUrl,
    name: `muster-${role}`,
    max: connectionsOf(role, config),
    statementTimeoutMs,
    // By then others have its imports, and wait for the turns that its transaction holds.
    ...(role === 'worker' && { idleTransactionMs: config.workerHeartbeatSeconds * 1_000 }),
    patience,
    onError: (error) => log.warn({ err: error }, 'lost an idle database connection')
  })
  const boss = createQueue({ connectionString: databaseUrl, log, role: queueRole })
  try {
    await requireMigrated(pool)
    await registerKeys(pool, secrets)
    await boss.start()
    await registerQueues(boss, config)
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => {})
    await pool.end()
    throw isOutdated(error) ? outdated('', error) : error
  }
  return {
    pool,
    boss,
    secrets,
    async close() {
      await boss.stop({ graceful: false })
      await pool.end()
    }
  }
}

/** Throws an Error that says what to do when migrations have not run. */
export async function requireMigrated(db: Db): Promise<void> {
  const pending = await pendingMigrations(db)
  if (pending.length > 0) throw outdated(` Not run yet: ${pending.join(', ')}.`)
}

/** Whether the queue found its own tables missing or of another version. */
function isOutdated(error: unknown): boolean {
  return (
    error instanceof Error && /^pg-boss (is not installed|database requires)/.test(error.message)
  )
}

function outdated(more: string, cause?: unknown): Error {
  const message = 'the database is not up to date. Run `muster migrate` once, then start again.'
  return new Error(message + more, { cause })
}

/** What to tell the person who started a process that could not start: the reason, and for faults
 *  of ours (no message made for people) the whole error. */
export function startErrorText(error: unknown): string {
  const { code, port, address } = error as NodeJS.ErrnoException & {
    port?: number
    address?: string
  }
  if (code === 'EADDRINUSE') {
    return `Port ${port} of ${address} is taken. Stop what uses it or set MUSTER_PORT to another port (0: any free one).`
  }
  if (!(error instanceof Error)) return String(error)
  const isForPeople = error.constructor === Error && code === undefined
  return isForPeople ? `Muster did not start: ${error.message}` : (error.stack ?? error.message)
}
