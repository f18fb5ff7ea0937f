// Deliveries to real receivers: who gets what, what happens when they fail, and sending again.

import { Webhook } from 'standardwebhooks'
import t from 'tap'
import {
  loopback,
  makeWebhook,
  startNotifying,
  waitForDeliveries,
  writeEvent
} from '../helpers/notifying.ts'
import { type Behaviour, startReceiver } from '../helpers/receiver.ts'
import { until } from '../helpers/until.ts'
import { setup } from '../setup.ts'

const csv = 'external_id,organization,first_name,emails\n1,A,Ann,a@example.com\n2,A,Bob,nonsense\n'

const answer =
  (status: number, headers: Record<string, string> = {}, body = 'ok'): Behaviour =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

/** Answers with one status after the other, then with the last one. */
const answers = (...statuses: number[]): Behaviour => {
  let count = 0
  return (_, response) => {
    const status = statuses[Math.min(count++, statuses.length - 1)] ?? 200
    response.writeHead(status).end(`answer ${count}`)
  }
}

t.test('an import is told to whoever asked, signed, in order', async (t) => {
  const s = await setup(t, {
    worker: true,
    config: { ...loopback, publicUrl: 'https://m.example' }
  })
  const receiver = await startReceiver(t, answer(204))
  const { url } = receiver
  const headers = { 'X-Tenant': 'seven' }
  const webhook = await makeWebhook(s, { url, headers })
  const some = await makeWebhook(s, { url: `${url}/some`, event_types: ['import.completed'] })
  await makeWebhook(s, { url: `${url}/other`, record_types: ['organizations'] })
  await makeWebhook(s, { url: `${url}/off`, enabled: false })
  const done = await s.runCsv(csv)
  const deliveries = await waitForDeliveries(s, webhook.id, 'delivered', 3)
  await waitForDeliveries(s, some.id, 'delivered', 1)

  const at = (path: string) => receiver.received.filter((one) => one.path === path)
  const bodies = at('/hook').map(({ body }) => JSON.parse(body))
  t.same(
    bodies.map(({ type, sequence }) => [type, sequence]),
    [
      ['import.created', 1],
      ['import.started', 2],
      ['import.completed', 3]
    ]
  )
  t.match(bodies[2], { account_id: s.account_id, data: { import: { id: done.id } } })
  t.match(bodies[2].links, { import: `https://m.example/imports/${done.id}` })
  for (const { body, headers } of at('/hook')) {
    t.ok(new Webhook(webhook.secret).verify(body, headers as Record<string, string>))
    t.throws(() => new Webhook(some.secret).verify(body, headers as Record<string, string>))
    t.equal(headers['x-tenant'], 'seven')
  }
  t.same(
    at('/hook').map(({ headers }) => headers['webhook-id']),
    deliveries.map((one: { message_id: string }) => one.message_id)
  )
  t.match(deliveries[0], {
    event: { type: 'import.created' },
    import_id: done.id,
    next_attempt_at: null,
    attempts: [{ attempt: 1, status: 204, error: null, answer: '' }]
  })
  t.same(
    at('/hook/some').map(({ body }) => JSON.parse(body).type),
    ['import.completed']
  )
  t.same([at('/hook/other').length, at('/hook/off').length], [0, 0])
  const shown = (await s.get(`/webhooks/${webhook.id}`)).body
  t.match(shown, { failing_since: null, last_delivered_at: /^2/ })
})

t.test('what fails is tried again with the same id, and holds up no other event', async (t) => {
  const s = await setup(t, { config: loopback })
  const failing = new Set<string>()
  const receiver = await startReceiver(t, (_, response, body) => {
    const { data } = JSON.parse(body)
    const isFirst = !failing.has(data.n)
    failing.add(data.n)
    response.writeHead(data.n === 1 && isFirst ? 500 : 200).end('sorry')
  })
  const webhook = await makeWebhook(s, { url: receiver.url })
  const schedule = { delaysMs: [400], disableAfterMs: 1e9 }
  for (const n of [1, 2, 3]) await writeEvent(s, 'import.completed', { n })
  startNotifying(t, s, { schedule })
  await waitForDeliveries(s, webhook.id, 'delivered', 3)
  const order = receiver.received.map(({ body }) => JSON.parse(body).data.n)
  t.same(order, [1, 2, 3, 1])
  const ids = receiver.received.map(({ headers }) => headers['webhook-id'])
  t.equal(ids[3], ids[0])
  t.equal(new Set(ids).size, 3)
  const [first] = (await s.get(`/webhooks/${webhook.id}/deliveries`)).body.data.reverse()
  t.match(first.attempts, [
    { attempt: 1, status: 500, answer: 'sorry' },
    { attempt: 2, status: 200 }
  ])
  t.match((await s.get(`/webhooks/${webhook.id}`)).body, { failing_since: null })
})

t.test('events that hold records keep their order, also over failures', async (t) => {
  const s = await setup(t, { config: loopback })
  let refused = 0
  const receiver = await startReceiver(t, (_, response, body) => {
    const { data } = JSON.parse(body)
    const isRefused = data.n === 1 && refused < 2
    if (isRefused) refused++
    response.writeHead(isRefused ? 503 : 200).end()
  })
  const webhook = await makeWebhook(s, { url: receiver.url })
  await writeEvent(s, 'sync.failed', { n: 1 })
  for (const n of [2, 3]) await writeEvent(s, 'record.updated', { n })
  await writeEvent(s, 'import.completed', { n: 'import' })
  startNotifying(t, s, { schedule: { delaysMs: [200, 200, 200], disableAfterMs: 1e9 } })
  await waitForDeliveries(s, webhook.id, 'delivered', 4)
  const order = receiver.received.map(({ body }) => JSON.parse(body).data.n)
  t.same(
    order.filter((n) => n !== 'import'),
    [1, 1, 1, 2, 3]
  )
  t.ok(order.indexOf('import') < 3, 'the import was not held up')
})

t.test('records go out in parts, each with an id of its own', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, answer(200))
  const webhook = await makeWebhook(s, { url: receiver.url, records_per_delivery: 2 })
  const whole = await makeWebhook(s, { url: `${receiver.url}/whole` })
  const records = [1, 2, 3, 4, 5].map((record_id) => ({ record_id, type: 'contacts', title: 'x' }))
  const id = await writeEvent(s, 'record.created', { records })
  startNotifying(t, s)
  await waitForDeliveries(s, webhook.id, 'delivered', 3)
  await waitForDeliveries(s, whole.id, 'delivered', 1)
  const parts = receiver.received.filter(({ path }) => path === '/hook')
  t.same(
    parts.map(({ body, headers }) => [
      headers['webhook-id'],
      JSON.parse(body).data.records.map((one: { record_id: number }) => one.record_id)
    ]),
    [
      [`evt_${id}_1`, [1, 2]],
      [`evt_${id}_2`, [3, 4]],
      [`evt_${id}_3`, [5]]
    ]
  )
  const other = receiver.received.find(({ path }) => path === '/hook/whole')
  t.equal(other?.headers['webhook-id'], `evt_${id}`)
})

t.test('a connector is not told of what its own key did', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, answer(200))
  const { rows } = await s.pool.query('SELECT k.id FROM api_keys k')
  const key = rows[0].id
  const webhook = await makeWebhook(s, { url: receiver.url, ignore_keys: [key] })
  await writeEvent(s, 'record.updated', { n: 'own' }, { key })
  await writeEvent(s, 'record.updated', { n: 'of others' }, { key: key + 1 })
  await writeEvent(s, 'record.updated', { n: 'of nobody' })
  await writeEvent(s, 'import.completed', { n: 'own import' }, { key })
  startNotifying(t, s)
  await waitForDeliveries(s, webhook.id, 'delivered', 3)
  const told = receiver.received.map(({ body }) => JSON.parse(body).data.n)
  t.same(told.sort(), ['of nobody', 'of others', 'own import'])
})

t.test('given up after the last attempt; sent again, one or all', async (t) => {
  const s = await setup(t, { config: loopback })
  let status = 500
  const receiver = await startReceiver(t, (_, response) => void response.writeHead(status).end())
  const webhook = await makeWebhook(s, { url: receiver.url })
  const path = `/webhooks/${webhook.id}`
  for (const n of [1, 2, 3]) await writeEvent(s, 'import.failed', { n })
  startNotifying(t, s)
  const failed = await waitForDeliveries(s, webhook.id, 'failed', 3)
  t.same(
    failed.map((one: { attempts: object[] }) => one.attempts.length),
    [4, 4, 4],
    'three waits, four attempts'
  )
  t.match(failed[0], { next_attempt_at: null, ended_at: /^2/ })
  t.match((await s.get(path)).body, { enabled: true, failing_since: /^2/ })

  const place = `${path}/deliveries/${failed[1].id}`
  t.match(await s.request('POST', `${place}/redeliver`), {
    status: 202,
    body: { state: 'pending' }
  })
  await until('it failed again', async () => (await s.get(place)).body.attempts.length === 8)
  status = 200
  const since = { body: { since: failed[0].created_at } }
  const again = await s.request('POST', `${path}/redeliver`, since)
  t.match(again, { status: 202, body: { count: 3 } })
  const delivered = await waitForDeliveries(s, webhook.id, 'delivered', 3)
  t.same(
    delivered.map((one: { attempts: object[] }) => one.attempts.length),
    [5, 9, 5]
  )
  t.match(await s.request('POST', `${path}/redeliver`, since), { body: { count: 0 } })
  t.match(await s.request('POST', `${path}/deliveries/999999/redeliver`), {
    status: 404,
    body: { code: 'delivery_not_found' }
  })
  t.match((await s.get(path)).body, { failing_since: null })
})

t.test('410 disables; the others are told; enabled again, what waited is sent', async (t) => {
  const s = await setup(t, { config: loopback })
  let status = 410
  const gone = await startReceiver(t, (_, response) => void response.writeHead(status).end())
  const other = await startReceiver(t, answer(200))
  const webhook = await makeWebhook(s, { url: gone.url, description: 'the old one' })
  await makeWebhook(s, { url: other.url, event_types: ['webhook.disabled'] })
  await writeEvent(s, 'import.completed', { n: 1 })
  startNotifying(t, s)
  await until('the notice', () => other.received.length > 0)
  const path = `/webhooks/${webhook.id}`
  t.match((await s.get(path)).body, { enabled: false, disabled: { reason: 'gone', at: /^2/ } })
  t.match(JSON.parse(other.received[0]?.body ?? ''), {
    type: 'webhook.disabled',
    data: { webhook: { id: webhook.id, reason: 'gone', description: 'the old one' } }
  })
  await writeEvent(s, 'import.completed', { n: 2 })
  await until('the feed', async () => (await s.get('/events')).body.data.length === 3)
  status = 200
  t.match((await s.request('PATCH', path, { body: { enabled: true } })).body, {
    enabled: true,
    disabled: null,
    failing_since: null
  })
  await waitForDeliveries(s, webhook.id, 'delivered', 1)
  t.same(
    gone.received.map(({ body }) => JSON.parse(body).data.n),
    [1, 1],
    'what happened meanwhile is in the feed'
  )
})

t.test('an endpoint that only fails is disabled in the end', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, answer(302, { location: 'https://example.com' }))
  const webhook = await makeWebhook(s, { url: receiver.url })
  await writeEvent(s, 'import.completed', { n: 1 })
  startNotifying(t, s, { schedule: { delaysMs: [50, 150, 400], disableAfterMs: 150 } })
  const disabled = async () => {
    const { body } = await s.get(`/webhooks/${webhook.id}`)
    return body.enabled ? null : body
  }
  t.match(await until('it is disabled', disabled), { disabled: { reason: 'failing' } })
  t.equal((await s.get(`/webhooks/${webhook.id}/deliveries?state=pending`)).body.data.length, 1)
})

t.test('a receiver that asks for a pause has it', async (t) => {
  const s = await setup(t, { config: loopback })
  let isBusy = true
  const times: number[] = []
  const receiver = await startReceiver(t, (_, response) => {
    times.push(Date.now())
    if (!isBusy) return void response.end()
    isBusy = false
    response.writeHead(429, { 'retry-after': '1' }).end()
  })
  const webhook = await makeWebhook(s, { url: receiver.url })
  for (const n of [1, 2]) await writeEvent(s, 'import.completed', { n })
  startNotifying(t, s)
  await waitForDeliveries(s, webhook.id, 'delivered', 2)
  t.equal(times.length, 3)
  t.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990, 'the whole endpoint was left alone')
})

t.test('a test goes to its endpoint alone, whatever its filters', async (t) => {
  const s = await setup(t, { config: loopback, worker: true })
  const receiver = await startReceiver(t, answers(200))
  const webhook = await makeWebhook(s, { url: receiver.url, event_types: ['import.failed'] })
  await makeWebhook(s, { url: `${receiver.url}/other` })
  const sent = await s.request('POST', `/webhooks/${webhook.id}/test`)
  t.match(sent, { status: 202, body: { event_id: /^evt_/ } })
  const [delivery] = await waitForDeliveries(s, webhook.id, 'delivered', 1)
  t.match(delivery, { message_id: sent.body.event_id, event: { type: 'webhook.test' } })
  t.equal(receiver.received.length, 1)
  t.same((await s.get('/events')).body.data, [], 'it is nothing that happened')
})

t.test('both secrets sign while the old one is valid', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, answer(200))
  const webhook = await makeWebhook(s, { url: receiver.url })
  const path = `/webhooks/${webhook.id}`
  const rotated = await s.request('POST', `${path}/rotate-secret`)
  t.match(rotated, { status: 200, body: { secret: /^whsec_/, old_secret_until: /^2/ } })
  startNotifying(t, s)
  const send = async (count: number) => {
    await writeEvent(s, 'import.completed', {})
    await waitForDeliveries(s, webhook.id, 'delivered', count)
    const { body = '', headers = {} } = receiver.received[count - 1] ?? {}
    return (secret: string) => new Webhook(secret).verify(body, headers as Record<string, string>)
  }
  const verify = await send(1)
  t.ok(verify(webhook.secret))
  t.ok(verify(rotated.body.secret))
  await s.pool.query('UPDATE webhook_endpoints SET old_secret_until = now()')
  const later = await send(2)
  t.ok(later(rotated.body.secret))
  t.throws(() => later(webhook.secret))
})

t.test('a deleted endpoint gets nothing more', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, answer(500))
  const webhook = await makeWebhook(s, { url: receiver.url })
  await writeEvent(s, 'import.completed', {})
  startNotifying(t, s, { schedule: { delaysMs: [300, 300], disableAfterMs: 1e9 } })
  await until('the first attempt', () => receiver.received.length > 0)
  t.equal((await s.request('DELETE', `/webhooks/${webhook.id}`)).status, 204)
  const { rows } = await s.pool.query(`SELECT count(*) AS count FROM deliveries`)
  t.equal(rows[0].count, 0)
})

t.test('a password of a file is in no event, delivery or answer', async (t) => {
  const s = await setup(t, { config: loopback, worker: true })
  const receiver = await startReceiver(t, answer(200))
  const webhook = await makeWebhook(s, { url: receiver.url })
  const canary = 'c4n4ry-9f27'
  const rows = [`External ID,Organization,Name,Password`, `1,A,Router,${canary}`, `2,,,${canary}`]
  const done = await s.runCsv(rows.join('\n'), { type: 'passwords' })
  t.match(done.counts, { created: 1, rejected: 1 })
  const deliveries = await waitForDeliveries(s, webhook.id, 'delivered', 3)
  const { rows: stored } = await s.pool.query(
    `SELECT (SELECT json_agg(e) FROM events e)::text AS events,
      (SELECT json_agg(d) FROM deliveries d)::text AS deliveries,
      (SELECT json_agg(a) FROM delivery_attempts a)::text AS attempts`
  )
  const feed = (await s.get('/events')).body
  t.notMatch(JSON.stringify([receiver.received, deliveries, stored, feed]), canary)
})
