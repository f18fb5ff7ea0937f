// The all-in-one process as its users start it: real processes, embedded PostgreSQL, real HTTP.

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createClient } from './helpers/client.ts'
import { temporaryFolder, testServer } from './helpers/cluster.ts'
import { createDatabase } from './helpers/databases.ts'
import { startProcess } from './helpers/processes.ts'
import { isRunning, until } from './helpers/until.ts'

const csv = 'organization,first_name,emails\nAcme,Ann,ann@example.com\nAcme,Bob,bob@example.com\n'

const ready = /"url":"(http:[^"]+)".*"msg":"Muster is ready"/
const keyLine = /^ {2}(mk_\S+)$/m

async function serverPid(dataDir: string): Promise<number> {
  const file = join(dataDir, 'postgres', 'data', 'postmaster.pid')
  return Number.parseInt(await readFile(file, 'utf8'), 10)
}

t.test('serves on an embedded database, stops on SIGTERM, and goes on where it was', async (t) => {
  const dataDir = await temporaryFolder(t)
  const env = { MUSTER_DATA_DIR: dataDir, MUSTER_PORT: '0' }
  const first = startProcess(t, 'src/main.ts', [], env)
  const url = await first.waitFor(ready)
  const key = await first.waitFor(keyLine)
  const keyFile = join(dataDir, 'api-key')
  t.equal((await readFile(keyFile, 'utf8')).trim(), key, 'the key is kept for the command line')
  t.equal((await stat(keyFile)).mode & 0o777, 0o600, 'and only its owner can read it')

  const client = createClient(url, key)
  t.equal((await client.get('/readyz')).status, 200)
  t.match((await client.runCsv(csv)).counts, { created: 2, rejected: 0 })

  const database = await serverPid(dataDir)
  first.kill('SIGTERM')
  t.equal(await first.ended, 0)
  t.notOk(await isRunning(database), 'the database server has ended with it')
  t.equal(first.stdout().split(key).length, 2, 'the key was printed once')

  const second = startProcess(t, 'src/main.ts', [], env)
  const again = createClient(await second.waitFor(ready), key)
  t.match((await again.runCsv(csv)).counts, { created: 0, unchanged: 2 })
  second.kill('SIGINT')
  t.equal(await second.ended, 0)
  t.notMatch(second.stdout(), /mk_/, 'no key is printed by a later start')
})

t.test('stops in the middle of an import and goes on with it after the next start', async (t) => {
  const { databaseUrl, drop } = await createDatabase(await testServer())
  t.teardown(drop)
  const dataDir = await temporaryFolder(t)
  const env = {
    DATABASE_URL: databaseUrl,
    MUSTER_DATA_DIR: dataDir,
    MUSTER_PORT: '0',
    MUSTER_BATCH_ROWS: '100'
  }
  const first = startProcess(t, 'src/main.ts', [], env)
  const key = await first.waitFor(keyLine)
  const client = createClient(await first.waitFor(ready), key)
  const rowCount = 20_000
  const lines = Array.from({ length: rowCount }, (_, n) => `Acme,P${n},p${n}@example.com\n`)
  const { body } = await client.uploadCsv(`organization,first_name,emails\n${lines.join('')}`)
  await until('the first batches', async () => {
    return (await client.get(`/imports/${body.id}`)).body.rows.done > 0
  })
  first.kill('SIGTERM')
  t.equal(await first.ended, 0)

  const second = startProcess(t, 'src/main.ts', [], env)
  const again = createClient(await second.waitFor(ready), key)
  const found = (await again.get(`/imports/${body.id}`)).body
  t.ok(found.rows.done > 0 && found.rows.done < rowCount, 'it was cut in two')
  const job = await again.waitForImport(body.id)
  t.match(job, { state: 'completed', counts: { created: rowCount, not_reached: 0 } })
  second.kill('SIGTERM')
  t.equal(await second.ended, 0)
})

t.test('uses the database of DATABASE_URL and starts none of its own', async (t) => {
  const { databaseUrl, drop } = await createDatabase(await testServer())
  t.teardown(drop)
  const dataDir = await temporaryFolder(t)
  const env = { DATABASE_URL: databaseUrl, MUSTER_DATA_DIR: dataDir, MUSTER_PORT: '0' }
  const main = startProcess(t, 'src/main.ts', [], env)
  const client = createClient(await main.waitFor(ready), await main.waitFor(keyLine))
  t.match((await client.runCsv(csv)).counts, { created: 2 })
  await t.rejects(stat(join(dataDir, 'postgres')), { code: 'ENOENT' })
  main.kill('SIGTERM')
  t.equal(await main.ended, 0)
})

t.test('starts a killed worker again', async (t) => {
  const { databaseUrl, drop } = await createDatabase(await testServer())
  t.teardown(drop)
  const dataDir = await temporaryFolder(t)
  const env = { DATABASE_URL: databaseUrl, MUSTER_DATA_DIR: dataDir, MUSTER_PORT: '0' }
  const main = startProcess(t, 'src/main.ts', [], env)
  const client = createClient(await main.waitFor(ready), await main.waitFor(keyLine))
  const worker = Number(await main.waitFor(/"pid":(\d+)[^\n]*"msg":"working"/))
  process.kill(worker, 'SIGKILL')
  await main.waitFor(/child process ended and is started again/)
  t.match((await client.runCsv(csv)).counts, { created: 2 })
  main.kill('SIGTERM')
  t.equal(await main.ended, 0)
})

t.test('leaves nothing running when it is killed without warning', async (t) => {
  const dataDir = await temporaryFolder(t)
  const main = startProcess(t, 'src/main.ts', [], { MUSTER_DATA_DIR: dataDir, MUSTER_PORT: '0' })
  await main.waitFor(ready)
  const worker = Number(await main.waitFor(/"pid":(\d+)[^\n]*"msg":"working"/))
  const database = await serverPid(dataDir)
  main.kill('SIGKILL')
  await until('the end of the worker', async () => !(await isRunning(worker)))
  await until('the end of the database', async () => !(await isRunning(database)))
  t.pass('both are gone')
})

t.test('waits for a database that is not up yet, and says so', async (t) => {
  // Nothing listens on port 1 of this machine.
  const env = { DATABASE_URL: 'postgres://muster:secret@127.0.0.1:1/muster', MUSTER_PORT: '0' }
  const main = startProcess(t, 'src/main.ts', [], env)
  await main.waitFor(/"server":"127.0.0.1:1".*database not reachable yet, trying again/)
  t.notMatch(main.stdout() + main.stderr(), /secret/, 'without telling the password')
  main.kill('SIGTERM')
  t.equal(await main.ended, 0)
})

t.test('says what to do when it cannot start', async (t) => {
  const server = await testServer()
  const dataDir = await temporaryFolder(t)
  const wrong = Object.assign(new URL(server.adminUrl), { password: 'wrong' })
  const cases: [Record<string, string>, RegExp][] = [
    [{ MUSTER_PORT: 'eighty' }, /MUSTER_PORT is "eighty"; it must be a whole number/],
    [{ DATABASE_URL: wrong.href }, /refused the connection.*Correct DATABASE_URL/],
    [{ DATABASE_URL: 'nonsense' }, /DATABASE_URL is not a URL like postgres:/],
    [{ DATABASE_URL: server.urlOf('missing') }, /database "missing" does not exist/]
  ]
  for (const [env, message] of cases) {
    const main = startProcess(t, 'src/main.ts', [], { MUSTER_DATA_DIR: dataDir, ...env })
    t.equal(await main.ended, 1)
    t.match(main.stderr(), message)
  }
})

t.test(
  'a second one on the same port or the same data folder says why it cannot run',
  async (t) => {
    const dataDir = await temporaryFolder(t)
    const main = startProcess(t, 'src/main.ts', [], { MUSTER_DATA_DIR: dataDir, MUSTER_PORT: '0' })
    const url = await main.waitFor(ready)
    const folder = startProcess(t, 'src/main.ts', [], {
      MUSTER_DATA_DIR: dataDir,
      MUSTER_PORT: '0'
    })
    t.equal(await folder.ended, 1)
    t.match(folder.stderr(), /Another Muster \(process \d+\) uses the data folder/)

    const other = await temporaryFolder(t)
    const env = { MUSTER_DATA_DIR: other, MUSTER_PORT: new URL(url).port }
    const port = startProcess(t, 'src/main.ts', [], env)
    t.equal(await port.ended, 1)
    t.match(port.stderr(), /Port \d+ of 127.0.0.1 is taken/)
    main.kill('SIGTERM')
    t.equal(await main.ended, 0)
  }
)
