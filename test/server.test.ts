// An installation with several processes: `muster migrate`, then server.ts and worker.ts apart.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createAccount, createApiKey } from '../src/access/store.ts'
import { createPool } from '../src/platform/db.ts'
import { createClient } from './helpers/client.ts'
import { setupDatabase, type Teardown, temporaryFolder, testServer } from './helpers/cluster.ts'
import { asAdmin } from './helpers/databases.ts'
import { startProcess } from './helpers/processes.ts'

function openPool(connectionString: string) {
  return createPool({
    connectionString,
    name: 'test',
    max: 1,
    statementTimeoutMs: 0,
    onError: () => {}
  })
}

async function makeKey(t: Teardown, databaseUrl: string): Promise<string> {
  const pool = openPool(databaseUrl)
  t.teardown(() => pool.end())
  const { account_id } = await createAccount(pool, 'test')
  return (await createApiKey(pool, account_id, 'test')).key
}

t.test('server and worker run apart on one database', async (t) => {
  const { databaseUrl } = await setupDatabase(t)
  const dataDir = await temporaryFolder(t)
  const env = { DATABASE_URL: databaseUrl, MUSTER_DATA_DIR: dataDir, MUSTER_PORT: '0' }
  const server = startProcess(t, 'src/server.ts', [], env)
  const url = await server.waitFor(/"url":"(http:[^"]+)".*"msg":"serving"/)
  const client = createClient(url, await makeKey(t, databaseUrl))
  const { body } = await client.uploadCsv('organization,first_name\nAcme,Ann\n')
  t.equal(body.state, 'queued', 'nothing runs without a worker')

  const worker = startProcess(t, 'src/worker.ts', [], env)
  t.match(await client.waitForImport(body.id), { state: 'completed', counts: { created: 1 } })
  worker.kill('SIGTERM')
  server.kill('SIGTERM')
  t.same(await Promise.all([worker.ended, server.ended]), [0, 0])
})

t.test('both say what is missing when they cannot start', async (t) => {
  const admin = await testServer()
  const name = `muster_test_${randomBytes(6).toString('hex')}`
  await asAdmin(admin, (client) => client.query(`CREATE DATABASE ${name} OWNER ${admin.owner}`))
  t.teardown(() => asAdmin(admin, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)))
  for (const script of ['src/server.ts', 'src/worker.ts']) {
    const without = startProcess(t, script)
    t.equal(await without.ended, 1)
    t.match(without.stderr(), /DATABASE_URL is not set/)
    const empty = startProcess(t, script, [], { DATABASE_URL: admin.urlOf(name) })
    t.equal(await empty.ended, 1)
    t.match(empty.stderr(), /the database is not up to date. Run `muster migrate`/)
  }
})

t.test('both refuse a database on which migrations wait', async (t) => {
  const { databaseUrl } = await setupDatabase(t)
  const pool = openPool(databaseUrl)
  await pool.query(`DELETE FROM muster_migrations WHERE name = '001_foundation'`)
  await pool.end()
  for (const script of ['src/server.ts', 'src/worker.ts']) {
    const refused = startProcess(t, script, [], { DATABASE_URL: databaseUrl })
    t.equal(await refused.ended, 1)
    t.match(refused.stderr(), /Run `muster migrate`.* Not run yet: 001_foundation\.$/m)
  }
})
