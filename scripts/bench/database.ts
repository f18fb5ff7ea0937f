// The PostgreSQL server that the service and the yardsticks share, and databases on it.
// In: a temp folder or the address of a server. Called by bench.ts, run-muster.ts and yardsticks.ts.

import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts'
import { createLog } from '../../src/platform/log.ts'

export interface Server {
  /** Version as the server tells it. */
  version: string
  /** Runs `work` with the address of a new, empty database, which is dropped afterwards. */
  withDatabase<T>(name: string, work: (url: string) => Promise<T>): Promise<T>
  /** Brings a database to rest between two cases, untimed: statistics are fresh, dead rows are
   *  gone and changed pages are on disk, as autovacuum and the checkpointer do in time. */
  settle(url: string): Promise<void>
  /** Runs one statement in the database of `url` with all rights. */
  runAsAdmin(url: string, sql: string): Promise<pg.QueryResult>
  stop(): Promise<void>
}

/** The embedded server, started by the same code and with the same settings as in the service;
 *  `settings` are added to them. */
export async function startServer(options: {
  dataDir: string
  databaseUrl: string | null
  settings: Record<string, string>
}): Promise<Server> {
  const { dataDir, databaseUrl, settings } = options
  if (databaseUrl !== null) return useServer(databaseUrl, databaseUrl, async () => {})
  const log = createLog('silent', 'bench')
  const server = await startEmbeddedPostgres({ dataDir, log, settings })
  return useServer(server.adminConnectionString, server.connectionString, server.stop)
}

async function useServer(
  adminUrl: string,
  ownerUrl: string,
  stop: () => Promise<void>
): Promise<Server> {
  const owner = decodeURIComponent(new URL(ownerUrl).username)
  const { rows } = await runSql(adminUrl, 'SHOW server_version')
  return {
    version: rows[0].server_version,
    stop,
    runAsAdmin(url, sql) {
      const admin = new URL(adminUrl)
      admin.pathname = new URL(url).pathname
      return runSql(admin.href, sql)
    },
    async withDatabase(name, work) {
      await runSql(adminUrl, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
      await runSql(adminUrl, `CREATE DATABASE "${name}" OWNER "${owner}"`)
      const url = new URL(ownerUrl)
      url.pathname = `/${name}`
      try {
        return await work(url.href)
      } finally {
        await runSql(adminUrl, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
      }
    },
    async settle(url) {
      // Of other owners' tables (system catalogs) the server only warns.
      await runSql(url, 'VACUUM (ANALYZE)')
      await runSql(adminUrl, 'CHECKPOINT')
    }
  }
}

/** Runs one statement on a connection of its own. */
async function runSql(url: string, sql: string): Promise<pg.QueryResult> {
  return withClient(url, (client) => client.query(sql))
}

/** Opens a connection for `work` and closes it. */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>
): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // A connection that breaks makes the running statement reject; it must not end the process.
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
