// The all-in-one process: `npm start`, `muster serve`, and what the image runs.
// HTTP is served here, jobs run in a child process, PostgreSQL is embedded unless DATABASE_URL is set.

import { runAllInOne } from './all-in-one.ts'
import { readConfig } from './config.ts'
import { keyFilePath } from './key-file.ts'
import { createLog } from './platform/log.ts'
import { startErrorText } from './start-up.ts'

/** Starts everything and stays until a signal. Exits with code 1 when something does not start. */
export async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog(config.logLevel, 'muster')
  const running = await runAllInOne(config, log)
  if (!running) return
  const { url, newKey } = running
  if (newKey) {
    console.log(`
First start: the account "default" was created with this API key. It is shown only this once,
and kept for the command line on this machine in ${keyFilePath(config.dataDir)}

  ${newKey}
`)
  }
  log.info({ url, docs: `${url}/docs` }, 'Muster is ready')
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(startErrorText(error))
    process.exit(1)
  })
}
