// A worker killed in the middle of an import, for real: what it had committed stays, what it had not
// is done again, and every row ends with exactly one outcome and at most one record.

import t from 'tap'
import { createPool } from '../src/platform/db.ts'
import { createClient } from './helpers/client.ts'
import { temporaryFolder, testServer } from './helpers/cluster.ts'
import { createDatabase } from './helpers/databases.ts'
import { startProcess } from './helpers/processes.ts'
import { until } from './helpers/until.ts'

const rowCount = 30_000
const lines = Array.from(
  { length: rowCount },
  (_, i) => `c-${i},Organization ${i % 40},Ann,Lee ${i},ann${i}@example.com`
)
const csv = `external_id,organization,first_name,last_name,emails\n${lines.join('\n')}\n`

t.test('an import whose worker is killed twice loses and doubles nothing', async (t) => {
  const { databaseUrl, drop } = await createDatabase(await testServer())
  t.teardown(drop)
  const main = startProcess(t, 'src/main.ts', [], {
    DATABASE_URL: databaseUrl,
    MUSTER_DATA_DIR: await temporaryFolder(t),
    MUSTER_PORT: '0',
    MUSTER_BATCH_ROWS: '200',
    // The least that pg-boss takes: how long a dead worker may hold its import.
    MUSTER_WORKER_HEARTBEAT_SECONDS: '10'
  })
  const url = await main.waitFor(/"url":"(http:[^"]+)".*"msg":"Muster is ready"/)
  const client = createClient(url, await main.waitFor(/^ {2}(mk_\S+)$/m))
  await main.waitFor(/"msg":"working"/)
  const { body } = await client.uploadCsv(csv)

  const done = async () => (await client.get(`/imports/${body.id}`)).body.rows.done
  for (const share of [0.1, 0.5]) {
    await until('progress', async () => (await done()) > rowCount * share, 60_000)
    const pids = [...main.stdout().matchAll(/"pid":(\d+)[^\n]*"msg":"working"/g)]
    process.kill(Number(pids.at(-1)?.[1]), 'SIGKILL')
    t.ok((await done()) < rowCount, 'killed in the middle')
  }
  await until('the end', async () => (await done()) === rowCount, 90_000)
  const end = await client.waitForImport(body.id)
  t.match(end, { state: 'completed', counts: { created: rowCount, updated: 0, not_reached: 0 } })
  await checkTables(t, databaseUrl)
  main.kill('SIGTERM')
  t.equal(await main.ended, 0)
})

async function checkTables(t: Tap, databaseUrl: string): Promise<void> {
  const options = { name: 'test', max: 1, statementTimeoutMs: 20_000, onError: () => {} }
  const pool = createPool({ connectionString: databaseUrl, ...options })
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM import_rows) AS outcomes,
      (SELECT count(DISTINCT ir.row_number) FROM import_rows ir) AS rows_with_outcome,
      (SELECT count(DISTINCT ir.record_id) FROM import_rows ir) AS records_named,
      (SELECT count(*) FROM records r WHERE r.type_id = 2) AS contacts,
      (SELECT count(*) FROM records r WHERE r.type_id = 1) AS organizations,
      (SELECT count(*) FROM record_keys k WHERE k.type_id = 2) AS keys`
  )
  await pool.end()
  t.strictSame(rows[0], {
    outcomes: rowCount,
    rows_with_outcome: rowCount,
    records_named: rowCount,
    contacts: rowCount,
    organizations: 40,
    keys: 3 * rowCount
  })
}

type Tap = { strictSame(a: unknown, b: unknown): unknown }
