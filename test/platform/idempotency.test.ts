// Idempotency-Key on requests with a JSON body or none: replayed, refused, forgotten, apart.
// Uploads are in test/import/accept/once.test.ts.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { renderOpenApi } from '../../scripts/write-openapi.ts'
import { freeKey, takeKey } from '../../src/platform/idempotency-store.ts'
import { keepKeys, sweepKeys } from '../../src/platform/idempotency-upkeep.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const profile = { name: 'old system', type: 'contacts', mapping: { Firma: 'organization' } }

function post(s: Setup, key: string, body: unknown = profile, path = '/import-profiles') {
  return s.request('POST', path, { body, headers: { 'idempotency-key': key } })
}

const profileCount = async (s: Setup) => (await s.get('/import-profiles')).body.data.length

t.test('the same request again gets the same answer, and nothing is done twice', async (t) => {
  const s = await setup(t)
  const first = await post(s, 'a')
  t.equal(first.status, 201)
  t.equal(first.headers.get('idempotent-replayed'), null)
  const { name, type, mapping } = profile
  const again = await post(s, 'a', { mapping, type, name })
  t.equal(again.status, 201)
  t.same(again.body, first.body)
  for (const header of ['location', 'content-type', 'cache-control']) {
    t.equal(again.headers.get(header), first.headers.get(header), header)
  }
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  t.equal(await profileCount(s), 1)
  t.match(await post(s, 'b'), { status: 409, body: { code: 'profile_conflict' } }, 'another key')
  const { status } = await s.request('POST', '/import-profiles', { body: profile })
  t.equal(status, 409, 'no key')
})

t.test('a key belongs to one request', async (t) => {
  const s = await setup(t)
  await post(s, 'a')
  const refused = { status: 422, body: { code: 'idempotency_key_reused' } }
  t.match(await post(s, 'a', { ...profile, name: 'other' }), refused, 'another body')
  t.match(await post(s, 'a', profile, '/import-profiles?x=1'), refused, 'another query')
  const elsewhere = await post(s, 'a', profile, '/record-types')
  t.match(elsewhere, refused, 'another path')
  t.match(elsewhere.body.detail, /"a" belongs to another request \(POST \/import-profiles\)/)
  t.equal(await profileCount(s), 1)
})

t.test('only a POST has keys', async (t) => {
  const s = await setup(t)
  const headers = { 'idempotency-key': 'a' }
  t.equal((await s.request('GET', '/imports', { headers })).status, 200)
  t.equal((await s.request('POST', '/nothing', { headers, body: {} })).status, 404)
  const { rows } = await s.pool.query('SELECT k.key FROM idempotency_keys k')
  t.same(rows, [])
})

t.test('a key is 1 to 255 printable characters', async (t) => {
  const s = await setup(t)
  for (const key of ['', 'ü', 'a\tb', 'x'.repeat(256)]) {
    const { status, body } = await post(s, key)
    t.equal(status, 400, key.slice(0, 5))
    t.match(body, {
      code: 'validation_failed',
      errors: [{ path: 'headers/idempotency-key' }]
    })
  }
  t.equal((await post(s, 'x'.repeat(255))).status, 201)
})

t.test('a body that is nested too deep is refused, not crashed on', async (t) => {
  const s = await setup(t)
  const depth = 100_000
  const body = `{"name":"x","mapping":${'['.repeat(depth)}${']'.repeat(depth)}}`
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'a' }
  const { status } = await s.request('POST', '/import-profiles', { body, headers })
  t.equal(status, 400)
})

t.test('refusals are kept as well', async (t) => {
  const s = await setup(t)
  const first = await post(s, 'a', undefined, '/imports/77/start')
  t.match(first, { status: 404, body: { code: 'import_not_found' } })
  const again = await post(s, 'a', undefined, '/imports/77/start')
  t.match(again, { status: 404, body: first.body })
  t.match(again.headers.get('content-type'), /problem\+json/)
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  const invalid = await post(s, 'b', { name: 1 })
  t.match(invalid, { status: 400, body: { code: 'validation_failed' } })
  t.same((await post(s, 'b', { name: 1 })).body, invalid.body)
})

t.test('start and cancel give their first answer again', async (t) => {
  const s = await setup(t)
  const { body: draft } = await s.uploadCsv('Organization,First Name\nAcme,Ann\n', { start: false })
  const started = await post(s, 'a', undefined, `/imports/${draft.id}/start`)
  t.match(started, { status: 202, body: { state: 'queued' } })
  const cancelled = await post(s, 'b', undefined, `/imports/${draft.id}/cancel`)
  t.match(cancelled, { status: 200, body: { state: 'cancelled' } })
  const again = await post(s, 'a', undefined, `/imports/${draft.id}/start`)
  t.same([again.status, again.body], [202, started.body], 'as it was then')
  const reused = await post(s, 'a', undefined, `/imports/${draft.id}/cancel`)
  t.equal(reused.status, 422)
})

/** Makes the answers fail to be stored, as if the process had died just before. */
async function failAnswers(s: Setup) {
  await s.pool.query(
    `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'died'; END $$;
    CREATE TRIGGER died BEFORE UPDATE ON idempotency_keys
    FOR EACH ROW WHEN (new.body IS NOT NULL) EXECUTE FUNCTION fail()`
  )
}

t.test('what was done is known even if no answer was stored', async (t) => {
  const s = await setup(t)
  const { body: draft } = await s.uploadCsv('Organization,First Name\nAcme,Ann\n', { start: false })
  const fields = [{ name: 'name', label: 'Name', kind: 'text', required: true }]
  const type = { name: 'boats', label: 'Boats', fields }
  await failAnswers(s)
  for (const [key, path, body] of [
    ['a', '/import-profiles', profile],
    ['b', '/record-types', type],
    ['c', `/imports/${draft.id}/start`, undefined]
  ] as const) {
    const first = await post(s, key, body, path)
    t.ok(first.status < 300, `${path}: ${JSON.stringify(first.body)}`)
    const again = await post(s, key, body, path)
    t.same([again.status, again.body], [first.status, first.body], path)
    t.equal(again.headers.get('idempotent-replayed'), 'true', path)
    const location = first.headers.get('location')
    if (location !== null) t.equal(again.headers.get('location'), location)
  }
})

t.test('while the first is running others wait their turn; its answer goes to all', async (t) => {
  const s = await setup(t)
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(s, 'a')))
  const made = answers.filter(({ status }) => status === 201)
  const waiting = answers.filter(({ status }) => status === 409)
  t.equal(made.length + waiting.length, 10)
  t.equal(made.filter(({ headers }) => !headers.has('idempotent-replayed')).length, 1)
  for (const { body, headers } of waiting) {
    t.equal(body.code, 'idempotency_key_in_use')
    t.match(headers.get('retry-after'), /^\d+$/)
  }
  t.equal(await profileCount(s), 1)
  t.equal((await post(s, 'a')).status, 201)
})

t.test('a request that died holds its key until its lease ends', async (t) => {
  const s = await setup(t)
  await post(s, 'a')
  await s.pool.query('DELETE FROM import_profiles')
  await s.pool.query(
    'UPDATE idempotency_keys SET status = NULL, location = NULL, content_type = NULL, body = NULL'
  )
  t.match(await post(s, 'a'), { status: 409, body: { code: 'idempotency_key_in_use' } })
  const other = await post(s, 'a', { ...profile, name: 'other' })
  t.match(other, { status: 422, body: { code: 'idempotency_key_reused' } })
  await s.pool.query('UPDATE idempotency_keys SET locked_until = now()')
  const retried = await post(s, 'a')
  t.equal(retried.status, 201)
  t.notOk(retried.headers.has('idempotent-replayed'))
})

t.test('a request that takes longer than its lease keeps its key', async (t) => {
  const s = await setup(t)
  const { account_id } = s
  const hold = { account_id, key: 'a', token: randomUUID() }
  const about = { request: 'POST /x', fingerprint: null, leaseMs: 1, keepHours: 24 }
  t.equal(await takeKey(s.pool, hold, about), null)
  const upkeep = keepKeys(s.pool, s.log, { held: new Set([hold]), leaseMs: 400 })
  t.teardown(() => upkeep.stop())
  const isHeld = async () => {
    const { rows } = await s.pool.query(
      'SELECT k.locked_until > now() AS held FROM idempotency_keys k'
    )
    return rows[0].held
  }
  await until('the key to be held', isHeld)
  t.match(await takeKey(s.pool, { ...hold, token: randomUUID() }, about), { answer: null })
  await upkeep.stop()
  await until('the lease to end', async () => !(await isHeld()))
  t.equal(await takeKey(s.pool, { ...hold, token: randomUUID() }, about), null, 'taken over')
  await freeKey(s.pool, hold)
  t.type(await isHeld(), 'boolean', 'who lost it gives nothing back')
})

t.test('our own faults are forgotten', async (t) => {
  const s = await setup(t)
  await s.pool.query('ALTER TABLE import_profiles RENAME TO away')
  t.equal((await post(s, 'a')).status, 500)
  await s.pool.query('ALTER TABLE away RENAME TO import_profiles')
  t.equal((await post(s, 'a')).status, 201)
})

t.test('a request without a valid API key takes no key', async (t) => {
  const s = await setup(t)
  const headers = { 'idempotency-key': 'a' }
  const { status } = await s.request('POST', '/import-profiles', {
    body: profile,
    key: 'mk_x',
    headers
  })
  t.equal(status, 401)
  t.equal((await post(s, 'a')).status, 201)
})

t.test('accounts have keys of their own', async (t) => {
  const s = await setup(t)
  const other = await s.makeAccount()
  await post(s, 'a')
  const theirs = await s.request('POST', '/import-profiles', {
    body: profile,
    key: other.key,
    headers: { 'idempotency-key': 'a' }
  })
  t.equal(theirs.status, 201)
  t.notOk(theirs.headers.has('idempotent-replayed'))
})

t.test('keys expire, and expired ones are deleted in batches', async (t) => {
  const s = await setup(t, { config: { idempotencyKeyHours: 48 } })
  await post(s, 'a')
  const { rows } = await s.pool.query(
    `SELECT round(extract(epoch FROM k.expires_at - now()) / 3600)::integer AS hours
    FROM idempotency_keys k`
  )
  t.same(rows, [{ hours: 48 }])
  await s.pool.query('UPDATE idempotency_keys SET expires_at = now()')
  const other = { ...profile, name: 'other' }
  t.equal((await post(s, 'a', other)).status, 201, 'the key is free for anything')
  await s.pool.query(
    `INSERT INTO idempotency_keys (account_id, key, request, token, locked_until, expires_at)
    SELECT $1::integer, 'old ' || n, 'POST /x', gen_random_uuid(), now(), now()
    FROM generate_series(1, 25) n`,
    [s.account_id]
  )
  t.equal(await sweepKeys(s.pool, 10), 25)
  const left = await s.pool.query('SELECT k.key FROM idempotency_keys k')
  t.same(left.rows, [{ key: 'a' }])
})

t.test('every POST documents the header and its answers', async (t) => {
  const document = JSON.parse(await renderOpenApi())
  for (const [path, operations] of Object.entries<Record<string, never>>(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const { parameters = [], responses } = operation as {
        parameters?: { name: string; in: string; required: boolean }[]
        responses: Record<string, { description: string; headers?: object }>
      }
      const header = parameters.find(({ name }) => name === 'Idempotency-Key')
      const title = `${method} ${path}`
      if (method !== 'post') {
        t.equal(header, undefined, title)
        continue
      }
      t.match(header, { in: 'header', description: /safe to send the request again/ }, title)
      t.notOk(header?.required, title)
      t.match(responses[409]?.description, /`idempotency_key_in_use`/, title)
      t.match(responses[422]?.description, /`idempotency_key_reused`/, title)
      const good = Object.entries(responses).filter(([status]) => Number(status) < 300)
      for (const [, { headers }] of good) t.ok(headers && 'Idempotent-Replayed' in headers, title)
    }
  }
})
