// The database server crashes between two batches and is back before the worker asks it anything: no
// statement fails, but the last batches are gone, because their commits did not wait for the disk.
// The worker must not go on from where it believes to be.

import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createAccount, createApiKey } from '../../src/access/store.ts'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { runImport } from '../../src/import/job.ts'
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts'
import { createLog } from '../../src/platform/log.ts'
import { migrate } from '../../src/platform/migrate.ts'
import { openServices } from '../../src/start-up.ts'
import { runUndo } from '../../src/undo/run-undo.ts'
import { createClient } from '../helpers/client.ts'
import { temporaryFolder } from '../helpers/cluster.ts'
import { queryOnce } from '../helpers/databases.ts'
import { until } from '../helpers/until.ts'

// The server writes what is committed to disk as late as it can be made to.
const lazy = {
  shared_buffers: '64MB',
  wal_buffers: '16MB',
  wal_writer_delay: '10s',
  wal_writer_flush_after: '1GB'
}
const rowCount = 1_000
const csv = `name\n${Array.from({ length: rowCount }, (_, i) => `Organization ${i}\n`).join('')}`

async function startService(t: Test) {
  const log = createLog('silent', 'test')
  const dataDir = await temporaryFolder(t)
  const server = await startEmbeddedPostgres({ dataDir, log, settings: lazy })
  t.teardown(() => server.stop())
  const databaseUrl = server.connectionString
  await migrate(databaseUrl, log)
  const config = {
    ...readConfig({ DATABASE_URL: databaseUrl, MUSTER_DATA_DIR: dataDir }),
    batchRows: 100
  }
  const services = await openServices({ role: 'server', databaseUrl, config, log })
  t.teardown(services.close)
  const app = await buildApp({ config, log, ...services })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const { account_id } = await createAccount(services.pool, 'test')
  const { key } = await createApiKey(services.pool, account_id, 'test')
  const crash = async () => {
    const before = server.pid()
    process.kill(before, 'SIGQUIT')
    await until('another server', () => server.pid() !== before)
    await until('it to answer', () => queryOnce(databaseUrl, 'SELECT 1').catch(() => null))
    // Until it is known here that the old connections are gone.
    await wait(50)
  }
  return { ...services, ...createClient(url, key), config, log, account_id, databaseUrl, crash }
}

/** Runs an import or an undo; before the transaction of the given number begins, `interrupt` runs. */
function runInterrupted(
  service: Awaited<ReturnType<typeof startService>>,
  import_id: number,
  at: number,
  interrupt: () => Promise<void>,
  run: typeof runImport | typeof runUndo = runImport
): Promise<unknown> {
  const { pool, secrets, config, log, account_id } = service
  let count = 0
  const interrupted = new Proxy(pool, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (name !== 'connect') return typeof value === 'function' ? value.bind(target) : value
      return async () => {
        if (++count === at) await interrupt()
        return target.connect()
      }
    }
  })
  const { signal } = new AbortController()
  return run({ pool: interrupted, secrets, config, log, signal }, { account_id, import_id })
}

// After some of the batches, and after the last one, before the end.
for (const [what, at] of [
  ['in the middle', 5],
  ['before the end', rowCount / 100 + 1]
] as const) {
  t.test(`a crash between two statements, ${what}`, async (t) => {
    const service = await startService(t)
    const { body } = await service.uploadCsv(csv, { type: 'organizations' })
    const ids = { account_id: service.account_id, import_id: body.id }
    const reached = async () => {
      const sql = `SELECT i.next_row::integer AS row FROM imports i WHERE i.id = ${body.id}`
      return (await queryOnce(service.databaseUrl, sql)) as { row: number }[]
    }
    const lost = { before: 0, after: 0 }
    const first = runInterrupted(service, body.id, at, async () => {
      lost.before = (await reached())[0]?.row ?? 0
      await service.crash()
      lost.after = (await reached())[0]?.row ?? 0
    })
    await t.rejects(first, { name: 'LostBatches' })
    t.ok(lost.after < lost.before, `${lost.before} rows were committed, ${lost.after} are left`)

    const { signal } = new AbortController()
    await runImport({ ...service, signal }, ids)
    t.match((await service.get(`/imports/${body.id}`)).body, {
      state: 'completed',
      counts: { created: rowCount, updated: 0, unchanged: 0, failed: 0, not_reached: 0 }
    })
    const [row] = await queryOnce(
      service.databaseUrl,
      `SELECT (SELECT count(DISTINCT ir.row_number) FROM import_rows ir)::integer AS outcomes,
        (SELECT count(*) FROM records r WHERE r.type_id = 1)::integer AS records`
    )
    t.strictSame(row, { outcomes: rowCount, records: rowCount })
  })
}

t.test('a crash in the middle of an undo', async (t) => {
  const service = await startService(t)
  const { body } = await service.uploadCsv(csv, { type: 'organizations' })
  const { signal } = new AbortController()
  const { account_id, databaseUrl } = service
  await runImport({ ...service, signal }, { account_id, import_id: body.id })
  const { body: undo } = await service.request('POST', `/imports/${body.id}/undo`)
  const left = async () => {
    const sql = 'SELECT count(*)::integer AS count FROM records'
    return ((await queryOnce(databaseUrl, sql)) as { count: number }[])[0]?.count ?? 0
  }
  const counts = { before: 0, after: 0 }
  const crash = async () => {
    counts.before = await left()
    await service.crash()
    counts.after = await left()
  }
  await t.rejects(runInterrupted(service, undo.id, 8, crash, runUndo), { name: 'LostBatches' })
  t.ok(counts.before < counts.after, `${counts.before} were left, ${counts.after} are there again`)
  await runUndo({ ...service, signal }, { account_id, import_id: undo.id })
  t.match((await service.get(`/imports/${undo.id}`)).body, {
    state: 'completed',
    // And the status that the organizations have by default.
    counts: { reverted: rowCount + 1, kept: 0, failed: 0 }
  })
  t.equal((await service.get(`/imports/${body.id}`)).body.state, 'undone')
  t.equal(await left(), 0)
})

t.test('progress that was shown is never taken back', async (t) => {
  const service = await startService(t)
  const { body } = await service.uploadCsv(csv, { type: 'organizations' })
  const done = async () => (await service.get(`/imports/${body.id}`)).body.rows.done
  const shown = { before: 0, listed: 0, after: 0 }
  await runInterrupted(service, body.id, 5, async () => {
    shown.before = await done()
    shown.listed = (await service.get('/imports')).body.data[0].rows.done
    await service.crash()
    shown.after = await done()
  })
  t.ok(shown.before > 0, `${shown.before} rows were shown`)
  t.ok(shown.listed >= shown.before)
  t.ok(shown.after >= shown.listed, `${shown.after} are shown after the crash`)
  t.match((await service.get(`/imports/${body.id}`)).body, {
    state: 'completed',
    counts: { created: rowCount, not_reached: 0 }
  })
})
