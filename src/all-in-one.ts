// Everything in one: database (embedded or given), HTTP in this process, jobs in a child process.
// In: configuration. Out: the address, the first key, a stop function. Called by main and the demo.

import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { ensureFirstAccount } from './access/store.ts'
import { buildApp } from './app.ts'
import { type Config, childEnvironment } from './config.ts'
import { writeKeyFile } from './key-file.ts'
import { type Child, superviseChild } from './platform/child-process.ts'
import type { Log } from './platform/log.ts'
import { migrate } from './platform/migrate.ts'
import { onShutdown } from './platform/shutdown.ts'
import { openDatabase, openServices } from './start-up.ts'

/** A batch outlives the youngest generation of V8's heap, and the default for the older one lets
 *  400 MB pile up before it is swept. These keep the worker below 250 MB at the same speed. */
const workerNodeFlags = ['--max-semi-space-size=16', '--heap-growing-percent=80']

export interface AllInOne {
  /** Where HTTP is served, e.g. `http://127.0.0.1:8080`. */
  url: string
  /** The key of the account that was made because there was none; null on every later start. */
  newKey: string | null
  /** Stops accepting, lets requests and the running batch end, then stops the database. */
  stop(): Promise<void>
}

/** Starts all parts, and stops them when this process is asked to end. Out: null when that happened
 *  before all was up. Throws what startAllInOne throws. */
export async function runAllInOne(config: Config, log: Log): Promise<AllInOne | null> {
  const stopping = new AbortController()
  let started: Promise<AllInOne> | undefined
  // Before anything is started, so that a signal in the middle of it stops what is up already.
  onShutdown({ timeoutMs: config.shutdownTimeoutMs, log }, async () => {
    stopping.abort()
    const running = await started?.catch(() => null)
    await running?.stop()
  })
  started = startAllInOne(config, log, stopping.signal)
  return started.catch((error: unknown) => {
    if (stopping.signal.aborted) return null
    throw error
  })
}

/** Starts all parts; when one does not start, those before it are stopped and its error thrown. */
async function startAllInOne(config: Config, log: Log, signal: AbortSignal): Promise<AllInOne> {
  const closers: (() => Promise<void>)[] = []
  const stop = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close()
  }
  try {
    const { databaseUrl, stop: stopDatabase } = await openDatabase(config, log, signal)
    closers.push(stopDatabase)
    await migrate(databaseUrl, log)
    const services = await openServices({ role: 'server', databaseUrl, config, log })
    const { pool, boss, secrets, close } = services
    closers.push(close)
    const newKey = await ensureFirstAccount(pool)
    if (newKey) await writeKeyFile(config.dataDir, newKey)
    const app = await buildApp({ config, pool, boss, secrets, log })
    let worker: Child | undefined
    // Both at once: each may need most of the time there is.
    const patienceMs = config.shutdownTimeoutMs * 0.8
    closers.push(async () => {
      await Promise.all([closeServer(app, patienceMs), worker?.stop(patienceMs)])
    })
    await app.listen({ host: config.host, port: config.port })
    worker = superviseChild({
      // This module's own extension: .ts in a clone, .js in the package.
      path: join(import.meta.dirname, `worker${extname(import.meta.filename)}`),
      nodeFlags: workerNodeFlags,
      env: childEnvironment(config, databaseUrl),
      log
    })
    return { url: addressOf(app, config.host), newKey, stop }
  } catch (error) {
    await stop().catch((stopError) => log.error({ err: stopError }, 'stopping failed'))
    throw error
  }
}

/** Closes the server; requests still running after `patienceMs` are cut off. */
export async function closeServer(app: FastifyInstance, patienceMs: number): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), patienceMs)
  try {
    await app.close()
  } finally {
    clearTimeout(cutOff)
  }
}

function addressOf(app: FastifyInstance, host: string): string {
  const { port } = app.server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
