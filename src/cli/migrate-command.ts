// `muster migrate`: brings a database to the schema of this version, starts nothing else.
// For installations with several processes: run it once before the new version starts.

import { readConfig } from '../config.ts'
import { createLog } from '../platform/log.ts'
import { migrate } from '../platform/migrate.ts'
import { openDatabase } from '../start-up.ts'

/** Migrates the database of DATABASE_URL, else the embedded one. */
export async function runMigrate(): Promise<void> {
  const config = readConfig()
  const log = createLog(config.logLevel, 'muster-migrate')
  const { databaseUrl, stop } = await openDatabase(config, log)
  try {
    await migrate(databaseUrl, log)
  } finally {
    await stop()
  }
  console.log('The database is up to date.')
}
