// Secrets of records: shown to nobody but a key that may read them, and never found by.

import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import { createApiKey } from '../../src/access/store.ts'
import { buildApp } from '../../src/app.ts'
import { createClient } from '../helpers/client.ts'
import type { Teardown } from '../helpers/cluster.ts'
import { runProcess } from '../helpers/processes.ts'
import { defineVaults, makeRecord } from '../helpers/vault-type.ts'
import { type Setup, setup } from '../setup.ts'

async function setupVault(t: Teardown) {
  const s = await setup(t)
  await defineVaults(s)
  const { key } = await createApiKey(s.pool, s.account_id, 'reader', { reads_secrets: true })
  const codes = ['12', '34'].map(s.secrets.seal)
  const id = await makeRecord(s, 'vaults', {
    name: 'Safe',
    password: s.secrets.seal('hunter2'),
    codes
  })
  const empty = await makeRecord(s, 'vaults', { name: 'Box' })
  return { ...s, reader: key, id, empty }
}

const secretsOf = (s: Setup, id: number, key?: string) =>
  s.request('GET', `/records/${id}/secrets`, key === undefined ? {} : { key })

t.test('a record names its secrets and shows none of them', async (t) => {
  const s = await setupVault(t)
  for (const path of [`/records/${s.id}`, '/records?type=vaults']) {
    for (const key of [s.key, s.reader]) {
      const { status, body } = await s.request('GET', path, { key })
      t.equal(status, 200, JSON.stringify(body))
      const record = body.data.name ? body : body.data[0]
      t.same(record.data, { name: 'Safe' })
      t.same(record.secrets, ['password', 'codes'])
      t.notMatch(JSON.stringify(body), /enc:1:|hunter2/)
    }
  }
  const { body } = await s.get(`/records/${s.empty}`)
  t.same(body.secrets, [])
})

t.test('a key that may reads them, another is told how to get one', async (t) => {
  const s = await setupVault(t)
  const answer = await secretsOf(s, s.id, s.reader)
  t.match(answer, { status: 200, body: { data: { password: 'hunter2', codes: ['12', '34'] } } })
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.same((await secretsOf(s, s.empty, s.reader)).body, { data: {} })
  t.match(await secretsOf(s, s.id), {
    status: 403,
    body: { code: 'forbidden', detail: /muster keys create --name <name> --secrets/ }
  })
  t.match(await secretsOf(s, 4711, s.reader), { status: 404, body: { code: 'record_not_found' } })
  const other = await s.makeAccount('other')
  const { key } = await createApiKey(s.pool, other.account_id, 'x', { reads_secrets: true })
  t.match(await secretsOf(s, s.id, key), { status: 404 })
})

t.test('each reading is logged with the key, and without the values', async (t) => {
  const s = await setupVault(t)
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk) => {
    text += chunk
  })
  const app = await buildApp({ ...s, log: pino({ level: 'trace' }, stream) })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const { get } = createClient(url, s.reader)
  t.equal((await get(`/records/${s.id}/secrets`)).status, 200)
  t.equal((await get('/records/export.csv?type=vaults&secrets=true')).status, 200)
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const fields = ['password', 'codes']
  t.match(
    lines.find((line) => line.msg === 'secrets read'),
    { level: 30, record_id: s.id, fields, key_id: Number }
  )
  t.match(
    lines.find((line) => line.msg === 'secrets exported'),
    { level: 30, type: 'vaults', fields, key_id: Number }
  )
  t.notMatch(text, /hunter2|enc:1:/)
})

t.test('rejected rows are given out whole to such a key, and that is logged', async (t) => {
  const s = await setupVault(t)
  await s.startWorker()
  const done = await s.runCsv('Name,Password,Size\nx,hunter3,big\n', { type: 'vaults' })
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk) => {
    text += chunk
  })
  const app = await buildApp({ ...s, log: pino({ level: 'trace' }, stream) })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const path = `/imports/${done.id}/rejects.csv`
  t.notMatch((await createClient(url, s.key).get(path)).body, /hunter3/)
  t.notMatch(text, /secrets read/)
  t.match((await createClient(url, s.reader).get(path)).body, /^x,hunter3,big,/m)
  const lines = text.split('\n').filter((line) => line.includes('secrets read'))
  t.match(JSON.parse(lines[0] ?? '{}'), { level: 30, import_id: done.id, key_id: Number })
  t.notMatch(text, /hunter3/)

  await s.pool.query(`UPDATE import_rows SET cells = ARRAY['enc:1:gone:AAAA', '', '']`)
  t.match(await createClient(url, s.reader).get(path), {
    status: 503,
    body: { code: 'secret_key_missing' }
  })
})

t.test('a key that is not configured any more, and nothing is found by a secret', async (t) => {
  const s = await setupVault(t)
  await s.pool.query(
    `UPDATE records r SET data = r.data || '{"password":"enc:1:gone:${'A'.repeat(44)}"}'
    WHERE r.id = $1`,
    [s.id]
  )
  t.match(await secretsOf(s, s.id, s.reader), {
    status: 503,
    body: { code: 'secret_key_missing', detail: /"gone"/ }
  })
  for (const name of ['password', 'codes']) {
    t.match(await s.get(`/records?type=vaults&filter[${name}]=hunter2`), {
      status: 400,
      body: { code: 'validation_failed', errors: [{ path: `query/filter[${name}]` }] }
    })
  }
})

t.test('the command line makes keys that may, and marks them in the list', async (t) => {
  const s = await setupVault(t)
  const keys = (...args: string[]) =>
    runProcess(t, 'src/cli.ts', ['keys', ...args], { DATABASE_URL: s.databaseUrl })
  const made = await keys('create', '--name', 'audit', '--secrets')
  t.match(made, { code: 0, stdout: /^mk_[\w-]{43}\n$/ })
  t.equal((await secretsOf(s, s.id, made.stdout.trim())).status, 200)
  const { stdout } = await keys('list')
  t.match(stdout, /audit {2}\(made \S+, reads secrets\)$/m)
  t.match(stdout, /test key {2}\(made \S+\)$/m)
})
