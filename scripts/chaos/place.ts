// One whole installation for a chaos run: an embedded PostgreSQL, the HTTP process, worker processes
// each behind a proxy of its own, accounts. All real, all on this machine, in a temporary folder.
// Called by the scenarios; what it starts ends with the `Teardown` that is handed in.

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createAccount, createApiKey } from '../../src/access/store.ts'
import { createPool, isConnectionError, type Pool } from '../../src/platform/db.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres
} from '../../src/platform/embedded-postgres.ts'
import { createLog } from '../../src/platform/log.ts'
import { migrate } from '../../src/platform/migrate.ts'
import { type BlackHole, startBlackHole } from '../../test/helpers/black-hole.ts'
import type { Teardown } from '../../test/helpers/cluster.ts'
import { type RunningProcess, startProcess } from '../../test/helpers/processes.ts'
import { until } from '../../test/helpers/until.ts'
import { installAudit } from './audit.ts'

export interface Worker {
  process: RunningProcess
  /** Between it and the database. */
  hole: BlackHole
  /** Stopped by SIGSTOP, or cut off from the database: other faults leave it alone meanwhile. */
  isAway: boolean
  /** Starts the next process in place of one that has ended. */
  restart(): void
}

/** Runs a statement with all rights; while the server is away it is tried again. */
export type Query = <T extends object>(sql: string, values?: unknown[]) => Promise<T[]>

export interface Place {
  server: EmbeddedPostgres
  dataDir: string
  url: string
  query: Query
  /** A pool as superuser on the database of the service. */
  pool: Pool
  accounts: { account_id: number; key: string }[]
  workers: Worker[]
  /** Adds one more worker process. */
  addWorker(): Promise<Worker>
  /** kill -9 of the HTTP process. */
  killApi(): Promise<void>
  /** Starts it again; out: once it answers. */
  startApi(): Promise<void>
}

export interface PlaceOptions {
  workers: number
  accounts: number
  /** Settings of the processes, e.g. MUSTER_BATCH_ROWS. */
  env: Record<string, string>
  /** See Options. */
  logs: string | null
}

/** Starts an installation. */
export async function startPlace(t: Teardown, options: PlaceOptions): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'muster-chaos-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
  // As root, the database server runs as another user, who must pass through.
  await chmod(dataDir, 0o711)
  const server = await startEmbeddedPostgres({ dataDir, log: createLog('silent', 'chaos') })
  t.teardown(() => server.stop())
  await migrate(server.connectionString, createLog('silent', 'chaos'))
  const { pool, query } = openAdmin(t, server)
  await installAudit(query)
  const accounts = []
  for (let i = 0; i < options.accounts; i++) {
    const { account_id } = await createAccount(pool, `chaos ${i}`)
    accounts.push({ account_id, ...(await createApiKey(pool, account_id, 'chaos')) })
  }
  const env = { MUSTER_DATA_DIR: dataDir, ...options.env }
  const start = starter(t, options.logs)
  const api = await startApi(start, { ...env, DATABASE_URL: server.connectionString })
  const workers: Worker[] = []
  const addWorker = async () => {
    const hole = await startBlackHole(t, server.connectionString)
    const launch = () => start('worker', { ...env, DATABASE_URL: hole.url })
    const worker: Worker = {
      process: launch(),
      hole,
      isAway: false,
      restart() {
        worker.process = launch()
      }
    }
    workers.push(worker)
    await worker.process.waitFor(/"msg":"working"/)
    return worker
  }
  for (let i = 0; i < options.workers; i++) await addWorker()
  return { server, dataDir, query, pool, accounts, workers, addWorker, ...api }
}

type Start = (name: 'server' | 'worker', env: Record<string, string>) => RunningProcess

/** Starts processes of ours; their output is kept in the folder for logs, if there is one. */
function starter(t: Teardown, logs: string | null): Start {
  let count = 0
  return (name, env) => {
    const child = startProcess(t, `src/${name}.ts`, [], env)
    const path = logs === null ? null : join(logs, `${name}-${child.pid}-${++count}.log`)
    void child.ended.then(async () => {
      if (logs === null || path === null) return
      await mkdir(logs, { recursive: true })
      await writeFile(path, child.stdout() + child.stderr())
    })
    return child
  }
}

async function startApi(start: Start, env: Record<string, string>) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const launch = () =>
    start('server', { ...env, MUSTER_PORT: String(port), MUSTER_LOG_LEVEL: 'warn' })
  let api = launch()
  const isReady = async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok
  await until('the HTTP process', isReady, 60_000)
  return {
    url,
    async killApi() {
      api.kill('SIGKILL')
      await api.ended
    },
    async startApi() {
      api = launch()
      await until('the HTTP process', isReady, 60_000)
    }
  }
}

const awayPatienceMs = 60_000

/** A pool as superuser on the database of the service, and a way to ask that outlasts restarts. */
export function openAdmin(t: Teardown, server: EmbeddedPostgres): { pool: Pool; query: Query } {
  const url = new URL(server.adminConnectionString)
  url.pathname = new URL(server.connectionString).pathname
  const pool = createPool({
    connectionString: url.href,
    name: 'chaos',
    max: 4,
    statementTimeoutMs: 120_000,
    onError: () => {}
  })
  t.teardown(() => pool.end())
  return {
    pool,
    async query<T extends object>(sql: string, values: unknown[] = []) {
      for (const deadline = Date.now() + awayPatienceMs; ; await wait(100)) {
        try {
          return (await pool.query<T>(sql, values)).rows
        } catch (error) {
          if (!isConnectionError(error) || Date.now() > deadline) throw error
        }
      }
    }
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
