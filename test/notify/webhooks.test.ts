// Webhook endpoints over the API: made, shown without their secret, changed, deleted.

import t from 'tap'
import { checkUrl } from '../../src/notify/webhooks/check-endpoint.ts'
import { makeWebhookSecret, readWebhookSecret } from '../../src/platform/webhook-signature.ts'
import { setup } from '../setup.ts'

const url = 'https://hooks.example.com/muster'

t.test('an endpoint is made, shown, changed and deleted', async (t) => {
  const { request, get, makeAccount } = await setup(t)
  const made = await request('POST', '/webhooks', {
    body: { url, event_types: ['import.completed'], headers: { Authorization: 'Bearer hush' } }
  })
  t.match(made, { status: 201, body: { url, enabled: true, header_names: ['Authorization'] } })
  const { secret, ...shown } = made.body
  t.ok(readWebhookSecret(secret))
  const path = made.headers.get('location') ?? ''
  t.equal(path, `/webhooks/${shown.id}`)
  const seen = await get(path)
  t.same(seen.body, shown, 'all but the secret')
  t.notMatch(JSON.stringify(seen.body), /whsec_|hush/)
  t.same((await get('/webhooks')).body, { data: [shown], next_cursor: null })

  const changed = await request('PATCH', path, {
    body: { description: 'the ticket system', event_types: [], headers: {}, enabled: false }
  })
  t.match(changed.body, { description: 'the ticket system', event_types: [], header_names: [] })
  t.match(changed.body, { enabled: false, url, disabled: null, records_per_delivery: 100 })
  const format = { format: 'connectwise' }
  t.match((await request('PATCH', path, { body: format })).body, { records_per_delivery: 1 })
  const signing = await get(`${path}/signing-key`)
  t.match(signing.body, { signing_key: /^[0-9a-f]{64}$/ })
  t.match(await request('POST', `${path}/test`), {
    status: 409,
    body: { code: 'webhook_disabled' }
  })

  const { key } = await makeAccount()
  const foreign: [string, string, object?][] = [
    ['GET', path],
    ['PATCH', path, { enabled: true }],
    ['DELETE', path],
    ['POST', `${path}/test`],
    ['GET', `${path}/signing-key`],
    ['POST', `${path}/rotate-secret`]
  ]
  for (const [method, place, body] of foreign) {
    const answer = await request(method, place, { key, ...(body && { body }) })
    t.match(answer, { status: 404, body: { code: 'webhook_not_found' } }, `${method} ${place}`)
  }
  t.same((await request('GET', '/webhooks', { key })).body.data, [])
  t.equal((await request('DELETE', path)).status, 204)
  t.equal((await get(path)).status, 404)
})

t.test('what makes no sense is refused, with what would', async (t) => {
  const { request } = await setup(t)
  const refused: [object, number, RegExp][] = [
    [{ url: 'http://127.0.0.1/x' }, 422, /127\.0\.0\.1 is not a public address/],
    [{ url: 'ftp://example.com' }, 422, /http/],
    [{ url, event_types: ['import.finished'] }, 400, /import\.completed/],
    [{ url, event_types: ['import.progress'] }, 400, /import\.completed/],
    [{ url, record_types: ['people'] }, 422, /contacts/],
    [{ url, ignore_keys: [9999] }, 400, /9999 is no API key/],
    [{ url, headers: { Host: 'x' } }, 400, /is set by Muster/],
    [{ url, format: 'autotask', records_per_delivery: 2 }, 400, /holds one record/],
    [{ url, headers: { 'X-A': 'a\r\nb' } }, 400, /cannot hold/],
    [{ url, records_per_delivery: 101 }, 400, /100/],
    [{ url, format: 'xml' }, 400, /standard, connectwise, autotask/],
    [{ url, secret: makeWebhookSecret() }, 400, /not known here/]
  ]
  for (const [body, status, text] of refused) {
    const answer = await request('POST', '/webhooks', { body })
    t.equal(answer.status, status, JSON.stringify(body))
    t.match(answer.body.detail, text)
  }
})

t.test('private targets only by the list', async (t) => {
  t.throws(() => checkUrl('http://10.1.2.3:8080/x', []), { code: 'webhook_url_refused' })
  checkUrl('http://10.1.2.3:8080/x', ['10.0.0.0/8'])
  checkUrl(url, [])
})

t.test('an answer with a secret is replayed with it, and kept encrypted', async (t) => {
  const { request, pool } = await setup(t)
  const post = () =>
    request('POST', '/webhooks', { body: { url }, headers: { 'idempotency-key': 'one' } })
  const [first, again] = [await post(), await post()]
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  t.same(again.body, first.body)
  const { rows } = await pool.query('SELECT * FROM idempotency_keys')
  t.match(rows[0].body, /^enc:1:/)
  const tables = await pool.query('SELECT w::text AS row FROM webhook_endpoints w')
  t.notMatch(tables.rows[0].row, first.body.secret.slice(6))
  t.equal(tables.rows.length, 1)
})

t.test('a hundred endpoints are the most', async (t) => {
  const { request, pool, account_id } = await setup(t)
  await pool.query(
    `INSERT INTO webhook_endpoints (account_id, url, secret)
    SELECT $1, 'https://example.com', 'x' FROM generate_series(1, 99)`,
    [account_id]
  )
  const answers = await Promise.all(
    [1, 2, 3].map(() => request('POST', '/webhooks', { body: { url } }))
  )
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409])
})
