// Everything that can die under an import dies in the middle of one, for real, while a second import
// of the same records waits behind it: no row is lost and none is written twice. `npm run chaos` does
// the same two hundred times over, in more ways.

import t, { type Test } from 'tap'
import { countForeignWrites, installAudit } from '../scripts/chaos/audit.ts'
import {
  checkAccount,
  checkImport,
  checkUploads,
  noFindings,
  type SentFile
} from '../scripts/chaos/check.ts'
import { endSession, killBackend, stopServer } from '../scripts/chaos/faults.ts'
import { makeFile } from '../scripts/chaos/files.ts'
import { openAdmin } from '../scripts/chaos/place.ts'
import { createRandom } from '../scripts/chaos/random.ts'
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres.ts'
import { createLog } from '../src/platform/log.ts'
import { migrate } from '../src/platform/migrate.ts'
import { createClient } from './helpers/client.ts'
import { temporaryFolder } from './helpers/cluster.ts'
import { startProcess } from './helpers/processes.ts'
import { until } from './helpers/until.ts'

const rowCount = 8_000

/** The service as it is shipped, HTTP and worker, on a server of its own. */
async function startService(t: Test) {
  const log = createLog('silent', 'test')
  const dataDir = await temporaryFolder(t)
  const server = await startEmbeddedPostgres({ dataDir, log, settings: { shared_buffers: '64MB' } })
  t.teardown(() => server.stop())
  await migrate(server.connectionString, log)
  const { query } = openAdmin(t, server)
  await installAudit(query)
  const main = startProcess(t, 'src/main.ts', [], {
    DATABASE_URL: server.connectionString,
    MUSTER_DATA_DIR: dataDir,
    MUSTER_PORT: '0',
    MUSTER_BATCH_ROWS: '150',
    // The least that the queue takes: how long a dead worker may hold its import.
    MUSTER_WORKER_HEARTBEAT_SECONDS: '10'
  })
  const url = await main.waitFor(/"url":"(http:[^"]+)".*"msg":"Muster is ready"/)
  const client = createClient(url, await main.waitFor(/^ {2}(mk_\S+)$/m))
  await main.waitFor(/"msg":"working"/)
  return { main, server, query, dataDir, ...client }
}

t.test('kills and crashes in the middle of an import lose and double nothing', async (t) => {
  const { main, server, query, dataDir, ...client } = await startService(t)
  const sent: SentFile[] = []
  const send = async (tag: string, rows: number) => {
    const file = makeFile('contacts', tag, 0, rows)
    const { body } = await client.uploadCsv(file.csv)
    sent.push({ ...file, import_id: body.id })
    return body.id as number
  }
  await client.waitForImport(await send('before', rowCount / 2))
  const import_id = await send('in the middle', rowCount)
  const next = await send('behind it', rowCount)

  // Asked of the API, which must not go back behind what it has said.
  const seen: number[] = []
  const look = async () => {
    const { status, body } = await client.get(`/imports/${import_id}`)
    if (status === 200) seen.push(body.rows.done)
    return seen.at(-1) ?? 0
  }
  const random = createRandom(1)
  const faults: [string, () => Promise<boolean>][] = [
    ['the worker is killed', async () => process.kill(workerPid(main.stdout()), 'SIGKILL')],
    ['a backend of the server is killed', () => killBackend(query, random)],
    ['a session is ended', () => endSession(query, random)],
    ['the server is stopped at once', () => stopServer(server)]
  ]
  for (const [i, [what, inject]] of faults.entries()) {
    const share = 0.1 + i * 0.2
    await until('progress', async () => (await look()) > rowCount * share, 90_000)
    t.ok(await inject(), what)
    t.ok((await look()) < rowCount, 'in the middle')
  }
  for (const id of [import_id, next]) {
    const isOver = async () =>
      (await look()) && (await client.get(`/imports/${id}`)).body.finished_at
    await until(`the end of import ${id}`, isOver, 120_000)
  }
  const sorted = seen.toSorted((a, b) => a - b)
  t.strictSame(seen, sorted, 'progress never went back')

  const found = noFindings()
  for (const one of sent) await checkImport(query, one, found)
  await checkAccount(query, 1, sent, found)
  await checkUploads(query, dataDir, found)
  t.strictSame(found, { ...noFindings(), rows: 2.5 * rowCount })
  t.equal(await countForeignWrites(query), 0)
  main.kill('SIGTERM')
  t.equal(await main.ended, 0)
})

/** The latest process that said it is working. */
function workerPid(stdout: string): number {
  const pids = [...stdout.matchAll(/"pid":(\d+)[^\n]*"msg":"working"/g)]
  return Number(pids.at(-1)?.[1])
}
