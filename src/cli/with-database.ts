// A database for a command that works on it directly: that of DATABASE_URL, else the embedded one,
// which is started for it (so a service that runs on it has to be stopped first).

import { type Config, readConfig } from '../config.ts'
import { createPool, type Pool } from '../platform/db.ts'
import { createLog } from '../platform/log.ts'
import { openDatabase, requireMigrated } from '../start-up.ts'

/** Runs `work` on a pool of one connection, and ends both. `statementTimeoutMs` 0: never. */
export async function withDatabase(
  { name, statementTimeoutMs }: { name: string; statementTimeoutMs: number },
  work: (pool: Pool, config: Config) => Promise<void>
): Promise<void> {
  const config = readConfig()
  // Its lines go to stdout, where a script expects nothing but the result.
  const log = createLog('error', name)
  const { databaseUrl, stop } = await openDatabase(config, log)
  let isEnding = false
  const pool = createPool({
    connectionString: databaseUrl,
    name,
    max: 1,
    statementTimeoutMs,
    onError: (error) => {
      // A connection that is being closed may hear of the server's end first.
      if (!isEnding) log.error({ err: error }, 'lost the database connection')
    }
  })
  try {
    await requireMigrated(pool)
    await work(pool, config)
  } finally {
    isEnding = true
    await pool.end()
    await stop()
  }
}
