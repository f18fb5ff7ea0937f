// The embedded server with real processes: starts, ends however its owner ends, is found again.

import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import t from 'tap'
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts'
import { createLog } from '../../src/platform/log.ts'
import { type Teardown, temporaryFolder } from '../helpers/cluster.ts'
import { isRunning, until } from '../helpers/until.ts'

const log = createLog('silent', 'test')
const settings = { shared_buffers: '16MB', fsync: 'off' }
const holder = join(import.meta.dirname, '..', 'helpers', 'hold-postgres.ts')

async function query<T extends pg.QueryResultRow>(connectionString: string, sql: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query<T>(sql).finally(() => client.end())
  return rows
}

/** Starts a process that owns a server. */
async function hold(t: Teardown, dataDir: string): Promise<{ owner: ChildProcess; pid: number }> {
  const owner = spawn(process.execPath, [holder, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let pid = 0
  t.teardown(async () => {
    owner.kill('SIGKILL')
    await until('the end of the server', async () => !(await isRunning(pid)))
  })
  for await (const line of createInterface({ input: owner.stdout })) {
    pid = JSON.parse(line).pid
    return { owner, pid }
  }
  throw new Error('the holder printed nothing')
}

/** Process number of the shell that ends the server when its owner is killed. */
async function findGuard(serverPid: number): Promise<number> {
  for (const name of await readdir('/proc')) {
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (command.startsWith('/bin/sh\0') && command.endsWith(`\0sh\0${serverPid}\0`)) {
      return Number(name)
    }
  }
  throw new Error('no guard found')
}

t.test('serves a database owned by a role that is no superuser', async (t) => {
  const dataDir = await temporaryFolder(t)
  const server = await startEmbeddedPostgres({ dataDir, log, settings })
  t.teardown(server.stop)
  const [row] = await query(
    server.connectionString,
    `SELECT current_user AS role, r.rolsuper AS super, lower('ÄÖ') AS lower, 'a' < 'B' AS folded,
      current_setting('listen_addresses') AS address, current_setting('fsync') AS fsync
    FROM pg_roles r
    WHERE r.rolname = current_user`
  )
  t.same(row, {
    role: 'muster',
    super: false,
    lower: 'äö',
    folded: false,
    address: '127.0.0.1',
    fsync: 'off'
  })
})

t.test('refuses connections without the password', async (t) => {
  const dataDir = await temporaryFolder(t)
  const server = await startEmbeddedPostgres({ dataDir, log, settings })
  t.teardown(server.stop)
  const url = Object.assign(new URL(server.adminConnectionString), { password: 'wrong' })
  await t.rejects(query(url.href, 'SELECT 1'), { code: '28P01' })
})

t.test('keeps data over a stop and a start, and is gone in between', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await startEmbeddedPostgres({ dataDir, log, settings })
  const pid = first.pid()
  await query(first.connectionString, 'CREATE TABLE kept (n integer)')
  await Promise.all([first.stop(), first.stop()])
  t.notOk(await isRunning(pid))
  const second = await startEmbeddedPostgres({ dataDir, log, settings })
  t.teardown(second.stop)
  t.same(await query(second.connectionString, 'SELECT count(*)::integer AS n FROM kept'), [
    { n: 0 }
  ])
})

t.test('is started again on the same port when the server is killed', async (t) => {
  const dataDir = await temporaryFolder(t)
  const server = await startEmbeddedPostgres({ dataDir, log, settings })
  t.teardown(server.stop)
  const killed = server.pid()
  process.kill(killed, 'SIGKILL')
  const rows = await until('a new server', () =>
    query(server.connectionString, 'SELECT 1 AS one').catch(() => null)
  )
  t.same(rows, [{ one: 1 }])
  t.not(server.pid(), killed)
})

t.test('ends with its owner, whether asked to or killed', async (t) => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const { owner, pid } = await hold(t, await temporaryFolder(t))
    owner.kill(signal)
    await until(`the end of the server after ${signal}`, async () => !(await isRunning(pid)))
    t.pass(signal)
  }
})

t.test('refuses a second owner of the same folder', async (t) => {
  const dataDir = await temporaryFolder(t)
  const { owner, pid } = await hold(t, dataDir)
  const message = new RegExp(`Another Muster \\(process ${owner.pid}\\) uses the data folder`)
  await t.rejects(startEmbeddedPostgres({ dataDir, log, settings }), { message })
  t.ok(await isRunning(pid), 'and leaves the first alone')
})

t.test(
  'ends a server that was left behind before it starts its own',
  {
    skip: process.platform !== 'linux' && 'finds the guard in /proc'
  },
  async (t) => {
    const dataDir = await temporaryFolder(t)
    const { owner, pid } = await hold(t, dataDir)
    process.kill(await findGuard(pid), 'SIGKILL')
    owner.kill('SIGKILL')
    await until('the end of the owner', async () => owner.exitCode ?? owner.signalCode)
    t.ok(await isRunning(pid), 'the server outlived its owner')
    const server = await startEmbeddedPostgres({ dataDir, log, settings })
    t.teardown(server.stop)
    t.notOk(await isRunning(pid))
    t.same(await query(server.connectionString, 'SELECT 1 AS one'), [{ one: 1 }])
  }
)

t.test('takes a lock file and a process file of other processes for what they are', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await startEmbeddedPostgres({ dataDir, log, settings })
  await first.stop()
  // As after a restart of the machine: the numbers belong to others now, here to this process.
  const home = join(dataDir, 'postgres')
  await writeFile(join(home, 'owner'), `${process.pid} 1`)
  await writeFile(join(home, 'data', 'postmaster.pid'), `${process.ppid}\n${home}/data\n`)
  const second = await startEmbeddedPostgres({ dataDir, log, settings })
  await second.stop()
  t.ok(await isRunning(process.ppid))
})

t.test('says what to do when the data is of another PostgreSQL', async (t) => {
  const dataDir = await temporaryFolder(t)
  await mkdir(join(dataDir, 'postgres', 'data'), { recursive: true })
  await writeFile(join(dataDir, 'postgres', 'data', 'PG_VERSION'), '16\n')
  await t.rejects(startEmbeddedPostgres({ dataDir, log, settings }), {
    message: /holds data of PostgreSQL 16, the embedded server is 18/
  })
})

t.test(
  'keeps the data elsewhere where the user of the server cannot reach the folder',
  {
    skip: process.getuid?.() !== 0 && 'only root runs the server as another user'
  },
  async (t) => {
    const outer = await temporaryFolder(t)
    await chmod(outer, 0o700)
    const dataDir = join(outer, 'data')
    const first = await startEmbeddedPostgres({ dataDir, log, settings })
    const [moved = ''] = (await readFile(join(dataDir, 'postgres', 'moved-to.txt'), 'utf8')).split(
      '\n'
    )
    t.teardown(() => rm(moved, { recursive: true, force: true }))
    await query(first.connectionString, 'CREATE TABLE kept (n integer)')
    await first.stop()
    const second = await startEmbeddedPostgres({ dataDir, log, settings })
    t.same(await query(second.connectionString, 'SELECT kept.n FROM kept'), [])
    await second.stop()
    t.equal(
      (await readFile(join(moved, 'belongs-to.txt'), 'utf8')).trim(),
      join(dataDir, 'postgres')
    )
  }
)
