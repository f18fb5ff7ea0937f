// The HTTP process of an installation with several processes: serves the API, runs no jobs.
// Needs DATABASE_URL and a database that `muster migrate` has brought up to date.

import { closeServer } from './all-in-one.ts'
import { buildApp } from './app.ts'
import { readConfig } from './config.ts'
import { createLog } from './platform/log.ts'
import { onShutdown } from './platform/shutdown.ts'
import { waitForDatabase } from './platform/wait-for-database.ts'
import { openServices, requireDatabaseUrl, startErrorText } from './start-up.ts'

async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog(config.logLevel, 'muster-server')
  const databaseUrl = requireDatabaseUrl(config)
  await waitForDatabase(databaseUrl, log)
  const services = await openServices({ role: 'server', databaseUrl, config, log })
  const { pool, boss, secrets, close } = services
  const app = await buildApp({ config, pool, boss, secrets, log })
  onShutdown({ timeoutMs: config.shutdownTimeoutMs, log }, async () => {
    await closeServer(app, config.shutdownTimeoutMs * 0.8)
    await close()
  })
  const url = await app.listen({ host: config.host, port: config.port })
  log.info({ url }, 'serving')
}

await main().catch((error: unknown) => {
  console.error(startErrorText(error))
  process.exit(1)
})
