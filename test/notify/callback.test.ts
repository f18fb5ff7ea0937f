// callback_url: who sends a file is told of that import, and of nothing else.

import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { makeWebhookSecret } from '../../src/platform/webhook-signature.ts'
import { loopback, startNotifying, waitForDeliveries, writeEvent } from '../helpers/notifying.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { until } from '../helpers/until.ts'
import { setup } from '../setup.ts'

const csv = 'external_id,organization,first_name\n1,A,Ann\n'

t.test('the address of an import hears of it from its creation to its end', async (t) => {
  const s = await setup(t, { config: loopback, worker: true })
  const receiver = await startReceiver(t, (_, response) => void response.end())
  await s.runCsv(csv)
  const { status, body } = await s.uploadCsv(csv, { callback_url: receiver.url })
  t.match({ status, body }, { status: 202, body: { callback: { url: receiver.url } } })
  const { webhook_id, secret } = body.callback
  await s.waitForImport(body.id)
  await s.runCsv(csv)
  await waitForDeliveries(s, webhook_id, 'delivered', 3)
  const told = receiver.received.map(({ body, headers }) => {
    new Webhook(secret).verify(body, headers as Record<string, string>)
    return JSON.parse(body)
  })
  t.same(
    told.map(({ type, data }) => [type, data.import.id]),
    [
      ['import.created', body.id],
      ['import.started', body.id],
      ['import.completed', body.id]
    ]
  )
  t.same((await s.get('/webhooks')).body.data, [], 'not among the others')
  const { data } = (await s.get(`/webhooks?import_id=${body.id}`)).body
  t.match(data, [{ id: webhook_id, import_id: body.id, url: receiver.url }])
  t.notMatch(JSON.stringify((await s.get(`/imports/${body.id}`)).body), /whsec_/)
})

t.test('a secret of the caller signs; the answer is replayed with it', async (t) => {
  const s = await setup(t, { config: loopback })
  const callback_secret = makeWebhookSecret()
  const form = () => {
    const body = new FormData()
    body.append('type', 'contacts')
    body.append('callback_url', 'http://127.0.0.1:9999/x')
    body.append('callback_secret', callback_secret)
    body.append('start', 'false')
    body.append('file', new Blob([csv]), 'x.csv')
    return { body, headers: { 'idempotency-key': 'one' } }
  }
  const first = await s.request('POST', '/imports', form())
  t.match(first, { status: 201, body: { callback: { secret: callback_secret } } })
  t.same((await s.request('POST', '/imports', form())).body, first.body)
  const { rows } = await s.pool.query(
    'SELECT (SELECT count(*) FROM webhook_endpoints) AS count, k.body FROM idempotency_keys k'
  )
  t.equal(rows[0].count, 1)
  t.match(rows[0].body, /^enc:1:/)
})

t.test('an address that nothing is sent to is refused, and nothing is kept', async (t) => {
  const s = await setup(t)
  const refused: [Record<string, string>, RegExp][] = [
    [{ callback_url: 'http://127.0.0.1/x' }, /callback_url.*127\.0\.0\.1 is not a public address/],
    [{ callback_url: 'file:///etc/passwd' }, /callback_url/],
    [{ callback_url: 'https://example.com', callback_secret: 'whsec_hush' }, /24 to 64 bytes/],
    [{ callback_secret: makeWebhookSecret() }, /callback_url as well/]
  ]
  for (const [options, text] of refused) {
    const { status, body } = await s.uploadCsv(csv, options)
    t.match({ status, body }, { status: 400, body: { code: 'invalid_option', detail: text } })
    t.notMatch(body.detail, /hush/)
  }
  t.same((await s.get('/imports')).body.data, [])
})

t.test('a profile may say it', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, (_, response) => void response.end())
  const profile = { name: 'nightly', type: 'contacts', callback_url: receiver.url }
  const saved = await s.request('POST', '/import-profiles', { body: profile })
  t.match(saved, { status: 201, body: { callback_url: receiver.url } })
  const { body } = await s.uploadCsv(csv, { profile: 'nightly', start: false })
  t.match(body.callback, { url: receiver.url, secret: /^whsec_/ })
  t.notMatch(Object.keys(body.options), ['callback_url'])
  await writeEvent(s, 'record.updated', {})
  startNotifying(t, s)
  await until('the event', () => receiver.received.length > 0)
  t.equal(JSON.parse(receiver.received[0]?.body ?? '').type, 'import.created')
})

t.test('the address of a dry run hears of its application, of undo and redo', async (t) => {
  const s = await setup(t, { config: loopback, worker: true })
  const receiver = await startReceiver(t, (_, response) => void response.end())
  const other = await startReceiver(t, (_, response) => void response.end())
  const { body: dry } = await s.uploadCsv(csv, { callback_url: receiver.url, dry_run: 'true' })
  await s.waitForImport(dry.id)
  const { body: aside } = await s.uploadCsv(csv.replace('Ann', 'Bob'), {
    callback_url: other.url,
    start: false
  })
  const after = async (id: number, verb: string) => {
    const { status, body } = await s.request('POST', `/imports/${id}/${verb}`)
    t.equal(status, 202, verb)
    await s.waitForImport(body.id)
    return body.id
  }
  const applied = await after(dry.id, 'apply')
  const undo = await after(applied, 'undo')
  const redo = await after(undo, 'redo')
  await s.request('POST', `/imports/${aside.id}/cancel`)
  const told = () =>
    receiver.received
      .map(({ body }) => JSON.parse(body))
      .map(({ type, data }) => [type.replace('import.', ''), data.import.id])
  await waitForDeliveries(s, dry.callback.webhook_id, 'delivered', 14)
  const all = (id: number) => ['created', 'started', 'completed'].map((type) => [type, id])
  t.same(told(), [
    ...all(dry.id),
    ...all(applied),
    ...all(undo),
    ['undone', applied],
    ...all(redo),
    ['undone', undo]
  ])
  const about = receiver.received.map(({ body }) => JSON.parse(body).data.import)
  t.match(
    about.find(({ id }) => id === applied),
    { kind: 'import', applied_from: dry.id }
  )
  t.match(
    about.find(({ id }) => id === redo),
    { kind: 'undo', undo_of: undo, applied_from: null }
  )
  await waitForDeliveries(s, aside.callback.webhook_id, 'delivered', 2)
  t.ok(other.received.every(({ body }) => JSON.parse(body).data.import.id === aside.id))
  t.same((await s.get(`/webhooks?import_id=${applied}`)).body.data, [], 'no endpoint of its own')
})

t.test('it can be sent a test', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, (_, response) => void response.end())
  const { body } = await s.uploadCsv(csv, { callback_url: receiver.url, start: false })
  const sent = await s.request('POST', `/webhooks/${body.callback.webhook_id}/test`)
  t.equal(sent.status, 202)
  startNotifying(t, s)
  await until('the events', () => receiver.received.length > 1)
  const types = receiver.received.map(({ body }) => JSON.parse(body).type)
  t.same(types, ['import.created', 'webhook.test'])
})

t.test('it hears of what it asked for', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, (_, response) => void response.end())
  const upload = (url: string) => s.uploadCsv(csv, { callback_url: `${receiver.url}/${url}` })
  const change = async (id: number, body: object) => {
    t.match(await s.request('PATCH', `/webhooks/${id}`, { body }), { status: 200, body })
  }
  const some = (await upload('some')).body
  const others = (await upload('others')).body
  await change(some.callback.webhook_id, { event_types: ['import.completed', 'import.failed'] })
  await change(others.callback.webhook_id, { record_types: ['organizations'] })
  await s.startWorker()
  await Promise.all([some, others].map(({ id }) => s.waitForImport(id)))
  const all = (await upload('all')).body
  const path = `/webhooks/${others.callback.webhook_id}`
  t.equal((await s.request('POST', `${path}/test`)).status, 202, 'a test passes all filters')
  await waitForDeliveries(s, all.callback.webhook_id, 'delivered', 3)
  await waitForDeliveries(s, others.callback.webhook_id, 'delivered', 1)
  await waitForDeliveries(s, some.callback.webhook_id, 'delivered', 1)
  const told = (url: string) =>
    receiver.received
      .filter(({ path }) => path === `/hook/${url}`)
      .map(({ body }) => JSON.parse(body).type)
  t.same([told('some'), told('others')], [['import.completed'], ['webhook.test']])
  t.same(told('all'), ['import.created', 'import.started', 'import.completed'])
})
