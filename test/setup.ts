// What every test of the running service starts from: a database of its own, the app on a real
// port, an account with a key, and a worker when asked for. Everything ends with the test.

import type { FastifyInstance } from 'fastify'
import { createAccount, createApiKey } from '../src/access/store.ts'
import { buildApp } from '../src/app.ts'
import { type Config, readConfig } from '../src/config.ts'
import { startWorkers } from '../src/jobs.ts'
import type { Pool } from '../src/platform/db.ts'
import { createLog, type Log } from '../src/platform/log.ts'
import type { Queue } from '../src/platform/queue.ts'
import type { Secrets } from '../src/platform/secrets.ts'
import { openServices } from '../src/start-up.ts'
import { type ApiClient, createClient } from './helpers/client.ts'
import { setupDatabase, type Teardown, temporaryFolder } from './helpers/cluster.ts'

export interface SetupOptions {
  /** Runs jobs in this process too; default false: imports stay queued until `startWorker`. */
  worker?: boolean
  /** Replaces single values of the configuration. */
  config?: Partial<Config>
  /** A migrated database to use; default: one of its own. */
  databaseUrl?: string
}

export interface Setup extends ApiClient {
  config: Config
  databaseUrl: string
  /** Superuser's address of the same server, e.g. to end connections. */
  adminUrl: string
  pool: Pool
  boss: Queue
  secrets: Secrets
  log: Log
  app: FastifyInstance
  /** Address of the service, `http://127.0.0.1:port`. */
  url: string
  account_id: number
  key: string
  /** Starts running jobs, for a test that looks at queued imports first. */
  startWorker(): Promise<void>
  /** Another account with a key of its own. */
  makeAccount(name?: string): Promise<{ account_id: number; key: string }>
}

/** Starts the service for one test. */
export async function setup(t: Teardown, options: SetupOptions = {}): Promise<Setup> {
  const { databaseUrl: own, adminUrl } = await setupDatabase(t)
  const databaseUrl = options.databaseUrl ?? own
  const dataDir = await temporaryFolder(t)
  const config: Config = {
    ...readConfig({ DATABASE_URL: databaseUrl, MUSTER_PORT: '0', MUSTER_DATA_DIR: dataDir }),
    // A test that hangs at its end must not hold the whole run.
    shutdownTimeoutMs: 5_000,
    ...options.config
  }
  const log = createLog(process.env.MUSTER_LOG_LEVEL ?? 'silent', 'test')
  const services = await openServices({ role: 'server', databaseUrl, config, log })
  const { pool, boss, secrets, close } = services
  t.teardown(close)
  const startWorker = () => startTestWorker(t, config, databaseUrl, log)
  if (options.worker) await startWorker()

  const app = await buildApp({ config, pool, boss, secrets, log })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const makeAccount = async (name = 'another') => {
    const { account_id } = await createAccount(pool, name)
    const { key } = await createApiKey(pool, account_id, 'test key')
    return { account_id, key }
  }
  const { account_id, key } = await makeAccount('test')
  const client = createClient(url, key)
  const parts = { config, databaseUrl, adminUrl, pool, boss, secrets, log, app, url, startWorker }
  return { ...parts, account_id, key, makeAccount, ...client }
}

async function startTestWorker(t: Teardown, config: Config, databaseUrl: string, log: Log) {
  const services = await openServices({ role: 'worker', databaseUrl, config, log })
  const { pool, boss, secrets, close } = services
  t.teardown(close)
  const workers = await startWorkers({ pool, boss, secrets, config, log })
  t.teardown(() => workers.stop())
}
