// Uploads with an Idempotency-Key: in every form a body may have, at the same time, cut off, and
// with faults of ours at the worst moments. One request is one import, one job and one file.

import { gzipSync } from 'node:zlib'
import t from 'tap'
import { buildApp } from '../../../src/app.ts'
import type { Pool } from '../../../src/platform/db.ts'
import { createClient, type RequestOptions } from '../../helpers/client.ts'
import type { Teardown } from '../../helpers/cluster.ts'
import { kept, nothing } from '../../helpers/kept.ts'
import { startProcess } from '../../helpers/processes.ts'
import { formBody, formType, openPost } from '../../helpers/raw-http.ts'
import { until } from '../../helpers/until.ts'
import { type Setup, setup } from '../../setup.ts'

const csv = 'Organization,First Name\nAcme,Ann\n'
const one = { imports: 1, jobs: 1, files: 1, partial: 0 }
const query = '/imports?type=contacts'

interface Sent {
  path?: string
  body: RequestOptions['body']
  headers?: Record<string, string>
}

function form(fields: Record<string, string | Blob> = {}, last: Record<string, string> = {}) {
  const form = new FormData()
  const all = { type: 'contacts', file: new Blob([csv]), ...fields, ...last }
  for (const [name, value] of Object.entries(all)) form.append(name, value)
  return form
}

function send(s: Pick<Setup, 'request'>, sent: Sent, idempotencyKey = 'a', key?: string) {
  const { path = '/imports', body, headers } = sent
  return s.request('POST', path, {
    body,
    headers: { ...headers, 'idempotency-key': idempotencyKey },
    ...(key !== undefined && { key })
  })
}

const pasted = (text: string) => {
  const form = new FormData()
  form.append('type', 'contacts')
  form.append('text', text)
  return form
}

const text = { 'content-type': 'text/csv' }
const gzip = { 'content-type': 'text/csv', 'content-encoding': 'gzip' }
const forms: Record<string, { same: () => Sent; other: () => Sent }> = {
  form: {
    same: () => ({ body: form() }),
    other: () => ({ body: form({ file: new Blob([`${csv}Acme,Bob\n`]) }) })
  },
  'form with an option': {
    same: () => ({ body: form({ blank: 'overwrite' }) }),
    other: () => ({ body: form({ blank: 'keep' }) })
  },
  'form with a packed file': {
    same: () => ({ body: form({ file: new Blob([gzipSync(csv)]) }) }),
    other: () => ({ body: form({ file: new Blob([gzipSync(`${csv}Acme,Bob\n`)]) }) })
  },
  'form with an encoding behind the file': {
    same: () => ({ body: form({}, { encoding: 'windows-1252' }) }),
    other: () => ({ body: form({}, { encoding: 'iso-8859-2' }) })
  },
  'pasted text': {
    same: () => ({ body: pasted(csv) }),
    other: () => ({ body: pasted(`${csv}Acme,Bob\n`) })
  },
  body: {
    same: () => ({ path: query, body: csv, headers: text }),
    other: () => ({ path: query, body: `${csv}Acme,Bob\n`, headers: text })
  },
  'body with options in the query': {
    same: () => ({ path: `${query}&start=true`, body: csv, headers: text }),
    other: () => ({ path: `${query}&start=false`, body: csv, headers: text })
  },
  'body in an encoding': {
    same: () => ({
      path: query,
      body: csv,
      headers: { 'content-type': 'text/csv; charset=latin1' }
    }),
    other: () => ({ path: query, body: csv, headers: text })
  },
  'packed body': {
    same: () => ({ path: query, body: gzipSync(csv), headers: gzip }),
    other: () => ({ path: query, body: gzipSync(`${csv}Acme,Bob\n`), headers: gzip })
  }
}

for (const [title, { same, other }] of Object.entries(forms)) {
  t.test(`${title}: the same again is the same import, another is refused`, async (t) => {
    const s = await setup(t)
    const first = await send(s, same())
    t.equal(first.status, 202)
    t.notOk(first.headers.has('idempotent-replayed'))
    const again = await send(s, same())
    t.same([again.status, again.body], [202, first.body])
    t.equal(again.headers.get('location'), `/imports/${first.body.id}`)
    t.equal(again.headers.get('idempotent-replayed'), 'true')
    const refused = await send(s, other())
    t.match(refused, { status: 422, body: { code: 'idempotency_key_reused' } })
    t.same(await kept(s), one)
    const anew = await send(s, same(), 'b')
    t.match(anew, { status: 202, body: { earlier_import: first.body.id } })
  })
}

t.test('the same content in another form is the same request', async (t) => {
  const s = await setup(t)
  const first = await send(s, { path: query, body: csv, headers: text })
  const again = await send(s, { body: form() })
  t.same(again.body, first.body)
  t.same(await kept(s), one)
})

t.test('a draft is shown again as it was', async (t) => {
  const s = await setup(t)
  const first = await send(s, { body: form({ start: 'false' }) })
  t.match(first, { status: 201, body: { state: 'draft', preview: {} } })
  await s.request('POST', `/imports/${first.body.id}/cancel`)
  const again = await send(s, { body: form({ start: 'false' }) })
  t.same([again.status, again.body], [201, first.body])
  t.same(await kept(s), { ...one, jobs: 0 })
})

t.test('what the account has changed since does not matter to the answer', async (t) => {
  const s = await setup(t)
  await s.request('PUT', '/record-types/contacts', { body: { limits: { max_unfinished: 1 } } })
  const profile = { name: 'old', type: 'contacts', mapping: {} }
  await s.request('POST', '/import-profiles', { body: profile })
  const sent = { path: '/imports?profile=old', body: csv, headers: text }
  const first = await send(s, sent)
  t.equal(first.status, 202)
  await s.request('DELETE', '/import-profiles/old')
  t.same((await send(s, sent)).body, first.body)
  t.match(await send(s, { body: form() }, 'b'), { body: { code: 'another_import_running' } })
})

t.test('twenty at once are one import', async (t) => {
  const s = await setup(t)
  for (const same of [
    () => ({ body: form() }),
    () => ({ path: query, body: csv, headers: text })
  ]) {
    const key = String(Math.random())
    const before = (await kept(s)).imports ?? 0
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(s, same(), key)))
    const good = answers.filter(({ status }) => status === 202)
    const waiting = answers.filter(({ body }) => body.code === 'idempotency_key_in_use')
    t.equal(good.length + waiting.length, 20)
    t.equal(new Set(good.map(({ body }) => body.id)).size, 1)
    t.equal((await kept(s)).imports, before + 1)
    t.equal((await kept(s)).partial, 0)
    t.equal((await send(s, same(), key)).body.id, good[0]?.body.id)
  }
})

t.test('a refusal is kept when the file was read, and forgotten when it was not', async (t) => {
  const s = await setup(t)
  const noRows = { body: form({ file: new Blob(['Organization,First Name\n']) }) }
  const first = await send(s, noRows)
  t.equal(first.status, 422)
  const again = await send(s, noRows)
  t.same([again.status, again.body], [422, first.body], 'of the same request')
  t.match(await send(s, { body: form() }), { body: { code: 'idempotency_key_reused' } })

  const wrong = await send(s, { body: form({ mode: 'wrong' }) }, 'b')
  t.match(wrong, { status: 400, body: { code: 'invalid_option' } })
  t.equal((await send(s, { body: form() }, 'b')).status, 202)
  t.same(await kept(s), one)
})

t.test('an upload that was cut off is forgotten', async (t) => {
  const s = await setup(t)
  const body = formBody([
    { name: 'type', content: 'contacts' },
    { name: 'file', content: csv, filename: 'a.csv' }
  ])
  const { socket } = await openPost({
    url: s.url,
    key: s.key,
    body,
    // A header line more.
    contentType: `${formType}\r\nIdempotency-Key: a`,
    announced: body.length + 1_000
  })
  const count = async () =>
    (await s.pool.query('SELECT count(*) FROM idempotency_keys')).rows[0].count as number
  await until('the key to be taken', async () => (await count()) === 1)
  t.match(await send(s, { body: form() }), {
    status: 409,
    body: { code: 'idempotency_key_in_use' }
  })
  const { headers } = await send(s, { body: form() })
  t.match(headers.get('retry-after'), /^\d+$/)
  socket.destroy()
  await until('the key to be free', async () => (await count()) === 0)
  t.same(await kept(s), nothing)
  t.equal((await send(s, { body: form() })).status, 202)
})

/** The service with a database on which the first statement that fits fails. */
async function faultyService(t: Teardown, s: Setup, pattern: RegExp) {
  let isDue = true
  const pool = new Proxy(s.pool, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (name !== 'query') return typeof value === 'function' ? value.bind(target) : value
      return (sql: string, values: unknown[]) => {
        if (!isDue || !pattern.test(sql)) return target.query(sql, values)
        isDue = false
        return Promise.reject(new Error('Connection terminated unexpectedly'))
      }
    }
  }) as Pool
  const app = await buildApp({ ...s, pool })
  t.teardown(() => app.close())
  return createClient(await app.listen({ host: '127.0.0.1', port: 0 }), s.key)
}

t.test('a fault after the commit: the retry gets the import that is there', async (t) => {
  const s = await setup(t)
  const client = await faultyService(t, s, /import\.get /)
  t.equal((await send(client, { body: form() })).status, 503)
  t.same(await kept(s), one)
  const retried = await send(client, { body: form() })
  t.match(retried, { status: 202, body: { state: 'queued' } })
  t.equal(retried.headers.get('location'), `/imports/${retried.body.id}`)
  t.equal(retried.headers.get('idempotent-replayed'), 'true')
  t.same(await kept(s), one)
})

t.test('the answer goes out even if it cannot be stored', async (t) => {
  const s = await setup(t)
  const client = await faultyService(t, s, /idempotency\.answer/)
  const first = await send(client, { body: form() })
  t.equal(first.status, 202)
  t.same((await send(client, { body: form() })).body, first.body)
  t.same(await kept(s), one)
})

t.test('a fault before the commit: nothing is there, and the retry does it', async (t) => {
  const s = await setup(t)
  await s.pool.query('ALTER TABLE imports RENAME TO away')
  t.equal((await send(s, { body: form() })).status, 500)
  await s.pool.query('ALTER TABLE away RENAME TO imports')
  t.same(await kept(s), nothing)
  t.equal((await send(s, { body: form() })).status, 202)
  t.same(await kept(s), one)
})

t.test('a request that lost its key to another one makes no import', async (t) => {
  const s = await setup(t)
  await s.pool.query(
    `CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE idempotency_keys SET token = gen_random_uuid(); RETURN new; END $$;
    CREATE TRIGGER lose BEFORE INSERT ON imports FOR EACH ROW EXECUTE FUNCTION lose()`
  )
  const lost = await send(s, { body: form() })
  t.match(lost, { status: 409, body: { code: 'idempotency_key_in_use' } })
  t.same(await kept(s), nothing)
})

t.test('accounts do not see the keys of others', async (t) => {
  const s = await setup(t)
  const other = await s.makeAccount()
  const mine = await send(s, { body: form() })
  const theirs = await send(s, { body: form() }, 'a', other.key)
  t.equal(theirs.status, 202)
  t.not(theirs.body.id, mine.body.id)
  t.notOk(theirs.headers.has('idempotent-replayed'))
  t.equal(theirs.body.earlier_import, null)
})

t.test('the server is killed between commit and answer', async (t) => {
  const s = await setup(t)
  // Holds the statement that stores the answer.
  await s.pool.query(
    `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(60); RETURN new; END $$;
    CREATE TRIGGER hold BEFORE UPDATE ON idempotency_keys
    FOR EACH ROW WHEN (new.body IS NOT NULL) EXECUTE FUNCTION hold()`
  )
  const { databaseUrl, config, key } = s
  const env = { DATABASE_URL: databaseUrl, MUSTER_DATA_DIR: config.dataDir, MUSTER_PORT: '0' }
  const server = startProcess(t, 'src/server.ts', [], env)
  const url = await server.waitFor(/"url":"(http:[^"]+)".*"msg":"serving"/)
  const lost = send(createClient(url, key), { body: form() }).catch((error: Error) => error)
  await until('the import to be there', async () => (await kept(s)).imports === 1)
  server.kill('SIGKILL')
  t.type(await lost, Error, 'the client never got an answer')
  await s.pool.query(
    `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
    WHERE a.application_name = 'muster-server' AND a.query ~ 'idempotency.answer'
      AND a.pid <> pg_backend_pid()`
  )
  await s.pool.query('DROP TRIGGER hold ON idempotency_keys')
  const retried = await send(s, { body: form() })
  t.match(retried, { status: 202, body: { state: 'queued' } })
  t.equal(retried.headers.get('idempotent-replayed'), 'true')
  t.same(await kept(s), one)
})
