// The process that runs jobs: a child of the all-in-one process, or one of several on its own.
// Needs DATABASE_URL. Stops on a signal, and when the process that forked it goes away.

import { readConfig } from './config.ts'
import { startWorkers } from './jobs.ts'
import { createLog } from './platform/log.ts'
import { onShutdown } from './platform/shutdown.ts'
import { waitForDatabase } from './platform/wait-for-database.ts'
import { openServices, requireDatabaseUrl, startErrorText } from './start-up.ts'

async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog(config.logLevel, 'muster-worker')
  const databaseUrl = requireDatabaseUrl(config)
  let stop = async () => {}
  onShutdown({ timeoutMs: config.shutdownTimeoutMs, log }, () => stop())
  await waitForDatabase(databaseUrl, log)
  const services = await openServices({ role: 'worker', databaseUrl, config, log })
  const { pool, boss, secrets, close } = services
  const workers = await startWorkers({ pool, boss, secrets, config, log })
  stop = async () => {
    await workers.stop()
    await close()
  }
  log.info('working')
}

await main().catch((error: unknown) => {
  console.error(startErrorText(error))
  process.exit(1)
})
