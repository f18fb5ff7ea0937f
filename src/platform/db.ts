// PostgreSQL access: pool and transactions. Knows no domain word.
// Everything that talks SQL takes a `Db` (pool or transaction) as its first argument.

import pg from 'pg'
import { appError } from '../errors.ts'
import { type Patience, watchConnections } from './watch-connections.ts'

// bigint and count(*) come back as numbers: ids and counts stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)
// Days stay text (yyyy-mm-dd): a Date would shift them by the machine's time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)

export type Pool = pg.Pool
export type Tx = pg.PoolClient
/** Anything that can run a statement. */
export type Db = Pool | Tx

export interface PoolOptions {
  connectionString: string
  /** Shown in pg_stat_activity. */
  name: string
  /** Most connections at once. */
  max: number
  /** A statement running longer is ended by the server; 0: never. */
  statementTimeoutMs: number
  /** A transaction whose process says nothing for this long is rolled back; default a minute. */
  idleTransactionMs?: number
  /** How long a silent server is waited for; default: nobody looks. */
  patience?: Patience
  onError: (error: Error) => void
}

/** With what comes before it, an answer is out within 5 seconds also when the database is away. */
export const connectMs = 4_000

/** Without a delay the system's own counts, which is two hours. Ten questions, a second apart. */
export const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 }

/** Makes a pool whose every wait is bounded, so that a server that went silent is noticed. */
export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    application_name: options.name,
    max: options.max,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: 30_000,
    ...keepAlive,
    // A frozen process must not keep its locks from those that take its work over.
    idle_in_transaction_session_timeout: options.idleTransactionMs ?? 60_000,
    ...(options.statementTimeoutMs > 0 && {
      statement_timeout: options.statementTimeoutMs,
      query_timeout: options.statementTimeoutMs + 1_000
    })
  })
  pool.on('error', options.onError)
  if (options.patience) watchConnections(pool, options.connectionString, options.patience)
  return pool
}

/** Runs `work` in one transaction: the only BEGIN. Commits its result or rolls back and rethrows.
 *  A connection whose rollback fails is destroyed, never given back. With `wait: false` the commit
 *  does not wait for the disk: should the server crash, the last such transactions are gone as if
 *  they had never run, but none is there in part, and none without those before it. With
 *  `keep: false` it is rolled back also when all went well. */
export async function withTransaction<T>(
  pool: Pool,
  work: (tx: Tx) => Promise<T>,
  { wait = true, keep = true }: { wait?: boolean; keep?: boolean } = {}
): Promise<T> {
  const tx = await pool.connect()
  // Without a listener a connection that breaks between two statements would end the process;
  // the statement that runs into it rejects by itself.
  const ignore = () => {}
  tx.on('error', ignore)
  let broken: Error | undefined
  try {
    await tx.query(wait ? 'BEGIN' : 'BEGIN; SET LOCAL synchronous_commit TO off')
    const result = await work(tx)
    await tx.query(keep ? 'COMMIT' : 'ROLLBACK')
    return result
  } catch (error) {
    // A connection that is gone, or silent, would be waited for once more: closing it rolls back.
    if (isConnectionError(error)) broken = error as Error
    else {
      await tx.query('ROLLBACK').catch((rollbackError: Error) => {
        broken = rollbackError
      })
    }
    throw error
  } finally {
    tx.off('error', ignore)
    tx.release(broken)
  }
}

const connectionErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '25P03', // idle_in_transaction_session_timeout: the server has closed the connection
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '08006',
  '08001',
  '08003',
  '53300' // too_many_connections
])

/** Whether an error means that the database could not be reached, not that it refused something. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: string }).code
  return (
    (code !== undefined && connectionErrors.has(code)) ||
    /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|not queryable/.test(
      error.message
    )
  )
}

/** Whether the server has run out of disk, memory or connections, or cannot read or write its disk:
 *  nothing is wrong with what was asked, and it is worth another try once somebody has made room. */
export function isOutOfResources(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && (/^53[0-9]{3}$/.test(code) || code === '58030')
}

/** Turns a connection error, or a server without room, into `database_unavailable` (503); passes others on unchanged. */
export function asAppError(error: unknown): unknown {
  const isAway = isConnectionError(error) || isOutOfResources(error)
  return isAway ? appError('database_unavailable', {}, { cause: error }) : error
}
