// The database goes away under a running service, in every way it can: requests are told so within 5
// seconds, nothing has to be started again, and an import ends with every row once.

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runImport } from '../src/import/job.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/platform/embedded-postgres.ts'
import { createLog } from '../src/platform/log.ts'
import { startBlackHole } from './helpers/black-hole.ts'
import { type ApiClient, createClient } from './helpers/client.ts'
import { type Teardown, temporaryFolder } from './helpers/cluster.ts'
import { queryOnce } from './helpers/databases.ts'
import { fillUp, smallDisk } from './helpers/disks.ts'
import { startProcess } from './helpers/processes.ts'
import { until } from './helpers/until.ts'
import { setup } from './setup.ts'

function csvOf(rowCount: number): string {
  const lines = Array.from(
    { length: rowCount },
    (_, i) => `c-${i},Organization ${i % 40},Ann,Lee ${i},ann${i}@example.com`
  )
  return `external_id,organization,first_name,last_name,emails\n${lines.join('\n')}\n`
}

interface Running extends ApiClient {
  done(id: number): Promise<number>
}

/** The service on a database, HTTP and worker, as it is shipped. */
async function startService(t: Teardown, databaseUrl: string): Promise<Running> {
  const main = startProcess(t, 'src/main.ts', [], {
    DATABASE_URL: databaseUrl,
    MUSTER_DATA_DIR: await temporaryFolder(t),
    MUSTER_PORT: '0',
    MUSTER_BATCH_ROWS: '200',
    MUSTER_WORKER_HEARTBEAT_SECONDS: '10'
  })
  const url = await main.waitFor(/"url":"(http:[^"]+)".*"msg":"Muster is ready"/)
  const client = createClient(url, await main.waitFor(/^ {2}(mk_\S+)$/m))
  await main.waitFor(/"msg":"working"/)
  const done = async (id: number) => (await client.get(`/imports/${id}`)).body.rows?.done ?? 0
  return { ...client, done }
}

async function startServer(
  t: Teardown,
  dataDir: string,
  settings: Record<string, string> = {}
): Promise<EmbeddedPostgres> {
  const log = createLog('silent', 'test')
  const server = await startEmbeddedPostgres({
    dataDir,
    log,
    settings: { shared_buffers: '64MB', ...settings }
  })
  t.teardown(() => server.stop())
  return server
}

/** Asks until the database is back; what it said meanwhile must be 503, and soon. */
async function whileAway(t: Test, { get }: ApiClient, isBack: () => boolean) {
  let refused = 0
  let slowest = 0
  await until(
    'the database to be back',
    async () => {
      const began = performance.now()
      const answer = await get('/imports?limit=1')
      slowest = Math.max(slowest, performance.now() - began)
      if (answer.status === 200) return isBack()
      t.match(answer, { status: 503, body: { code: 'database_unavailable' } })
      t.ok(answer.headers.get('retry-after'))
      refused++
      return false
    },
    60_000
  )
  t.ok(slowest < 5_000, `the slowest answer took ${Math.round(slowest)} ms`)
  t.equal((await get('/readyz')).status, 200)
  return refused
}

async function checkEveryRowOnce(t: Test, service: Running, url: string, id: number, n: number) {
  await until('the end', async () => (await service.done(id)) === n, 120_000)
  const end = await service.waitForImport(id)
  t.match(end, { state: 'completed', counts: { created: n, updated: 0, failed: 0 } })
  const [row] = await queryOnce(
    url,
    `SELECT (SELECT count(*) FROM import_rows)::integer AS outcomes,
      (SELECT count(DISTINCT ir.row_number) FROM import_rows ir)::integer AS numbers,
      (SELECT count(*) FROM records r WHERE r.type_id = 2)::integer AS contacts`
  )
  t.strictSame(row, { outcomes: n, numbers: n, contacts: n })
}

t.test('a restart in the middle of an import', async (t) => {
  const server = await startServer(t, await temporaryFolder(t))
  const service = await startService(t, server.connectionString)
  const rowCount = 8_000
  const { body } = await service.uploadCsv(csvOf(rowCount))
  await until('progress', async () => (await service.done(body.id)) > rowCount * 0.1, 60_000)
  const before = server.pid()
  // Immediate: without a checkpoint, as after a loss of power.
  process.kill(before, 'SIGQUIT')
  const refused = await whileAway(t, service, () => server.pid() !== before)
  t.ok(refused > 0, 'requests came while it was away')
  t.ok((await service.done(body.id)) < rowCount, 'it was in the middle')
  await checkEveryRowOnce(t, service, server.connectionString, body.id, rowCount)
})

t.test('a network that swallows everything in the middle of an import', async (t) => {
  const server = await startServer(t, await temporaryFolder(t))
  const hole = await startBlackHole(t, server.connectionString)
  const service = await startService(t, hole.url)
  const rowCount = 8_000
  const { body } = await service.uploadCsv(csvOf(rowCount))
  await until('progress', async () => (await service.done(body.id)) > rowCount * 0.1, 60_000)
  hole.freeze()
  const began = performance.now()
  let isBack = false
  t.equal((await service.get('/readyz')).status, 503)
  t.ok(performance.now() - began < 5_000)
  // Longer than the worker's patience.
  const thaw = wait(18_000).then(() => {
    hole.thaw()
    isBack = true
  })
  const refused = await whileAway(t, service, () => isBack)
  await thaw
  t.ok(refused > 2)
  await checkEveryRowOnce(t, service, server.connectionString, body.id, rowCount)
})

t.test('attempts on a database without room do not count against an import', async (t) => {
  const service = await setup(t)
  const { pool, databaseUrl, account_id, secrets, config, log, get } = service
  await queryOnce(
    databaseUrl,
    `CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER is_full BEFORE INSERT ON records FOR EACH STATEMENT EXECUTE FUNCTION is_full();`
  )
  const { body } = await service.uploadCsv(csvOf(10))
  const attempt = () => {
    const { signal } = new AbortController()
    const job = { account_id, import_id: body.id }
    return runImport({ pool, secrets, config, log, signal }, job)
  }
  // More than are given to an import that is at fault itself.
  for (let i = 0; i < 8; i++) await t.rejects(attempt())
  t.match((await get(`/imports/${body.id}`)).body, { state: 'queued', rows: { done: 0 } })

  await queryOnce(
    databaseUrl,
    'CREATE TRIGGER is_full BEFORE INSERT ON imports FOR EACH STATEMENT EXECUTE FUNCTION is_full()'
  )
  const refused = await service.uploadCsv(csvOf(10))
  t.match(refused, { status: 503, body: { code: 'database_unavailable' } })
  const files = await readdir(join(config.dataDir, 'uploads'), { recursive: true })
  t.equal(files.filter((name) => name !== 'partial').length, 1, 'what was refused left no file')

  await queryOnce(databaseUrl, 'DROP FUNCTION is_full CASCADE')
  await attempt()
  t.match((await get(`/imports/${body.id}`)).body, { state: 'completed', counts: { created: 10 } })
})

t.test('a data directory on a disk that is really full', async (t) => {
  const disk = await smallDisk(t, await temporaryFolder(t), '220m')
  if (disk === null) return t.pass('not tried', { skip: 'needs the right to mount a small disk' })
  const server = await startServer(t, disk, { max_wal_size: '48MB', min_wal_size: '32MB' })
  const service = await startService(t, server.connectionString)
  const ballast = join(disk, 'ballast')
  await fillUp(ballast)
  const rowCount = 5_000
  // Accepted, where the server can still write a row; else refused as it should be.
  let id = 0
  const refused: number[] = []
  const upload = async () => {
    const { status, body } = await service.uploadCsv(csvOf(rowCount))
    if (status === 202) id = body.id
    else refused.push(status)
    return id > 0
  }
  for (let i = 0; i < 10 && !(await upload()); i++) await wait(500)
  await wait(5_000)
  for (const status of refused) t.equal(status, 503)
  if (id > 0) t.ok((await service.done(id)) < rowCount, 'there was no room for it')
  await rm(ballast)
  if (id === 0) await until('the upload to be taken', upload, 60_000)
  await checkEveryRowOnce(t, service, server.connectionString, id, rowCount)
})
