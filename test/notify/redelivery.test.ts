// Sending again: also while an attempt hangs or a receiver has asked for a pause, and never for others.

import t from 'tap'
import {
  loopback,
  makeWebhook,
  startNotifying,
  waitForDeliveries,
  writeEvent
} from '../helpers/notifying.ts'
import { startHoldingReceiver, startReceiver } from '../helpers/receiver.ts'
import { until } from '../helpers/until.ts'
import { setup } from '../setup.ts'

t.test('what is sent again while an attempt hangs is sent, with the whole schedule', async (t) => {
  const s = await setup(t, { config: { ...loopback, webhookTimeoutMs: 60_000 } })
  const receiver = await startHoldingReceiver(t)
  startNotifying(t, s, { schedule: { delaysMs: [10], disableAfterMs: 3_600_000 } })
  const webhook = await makeWebhook(s, { url: receiver.url })
  await writeEvent(s, 'sync.updated', {})
  await until('the first attempt', () => receiver.received.length === 1)
  receiver.answer(500)
  await until('the last attempt', () => receiver.received.length === 2)
  const [{ id }] = (await s.get(`/webhooks/${webhook.id}/deliveries`)).body.data
  const place = `/webhooks/${webhook.id}/deliveries/${id}`
  const asked = await s.request('POST', `${place}/redeliver`)
  t.match(asked, { status: 202, body: { state: 'pending' } })
  receiver.answer(500)
  await until('it was sent again', () => receiver.received.length === 3)
  receiver.answer(500)
  await until('a second time, as the schedule has it', () => receiver.received.length === 4)
  receiver.answer(204)
  const [delivery] = await waitForDeliveries(s, webhook.id, 'delivered', 1)
  t.same(
    delivery.attempts.map((one: { status: number }) => one.status),
    [500, 500, 500, 204]
  )
})

t.test('a pause that was asked for does not hold up what is to be sent now', async (t) => {
  const s = await setup(t, { config: loopback })
  let status = 503
  const receiver = await startReceiver(t, (_, response) => {
    response.writeHead(status, status === 503 ? { 'retry-after': '3600' } : {}).end()
  })
  startNotifying(t, s, { schedule: { delaysMs: [], disableAfterMs: 3_600_000 } })
  const webhook = await makeWebhook(s, { url: receiver.url })
  const path = `/webhooks/${webhook.id}`
  await writeEvent(s, 'sync.updated', {})
  const [{ id }] = await waitForDeliveries(s, webhook.id, 'failed', 1)
  const redelivered = await s.request('POST', `${path}/deliveries/${id}/redeliver`)
  t.equal(redelivered.status, 202)
  await until('it failed again', async () => {
    const { body } = await s.get(`${path}/deliveries/${id}`)
    return body.state === 'failed' && body.attempts.length === 2
  })
  status = 204
  t.equal((await s.request('POST', `${path}/test`)).status, 202)
  const [test] = await waitForDeliveries(s, webhook.id, 'delivered', 1)
  t.equal(test.event.type, 'webhook.test')
  t.equal(receiver.received.length, 3)
})

t.test('what is to be sent now goes before what waits', async (t) => {
  const s = await setup(t, { config: loopback })
  let count = 0
  const receiver = await startReceiver(t, (_, response) => {
    if (count++ === 0) response.writeHead(429, { 'retry-after': '3600' })
    response.end()
  })
  startNotifying(t, s)
  const webhook = await makeWebhook(s, { url: receiver.url })
  for (let n = 0; n < 3; n++) await writeEvent(s, 'import.undone', { n })
  await until('the pause', async () => receiver.received.length === 1)
  await s.request('POST', `/webhooks/${webhook.id}/test`)
  await waitForDeliveries(s, webhook.id, 'delivered', 1)
  const types = receiver.received.map(({ body }) => JSON.parse(body).type)
  t.same(types.slice(0, 2), ['import.undone', 'webhook.test'])
})

t.test('deliveries of others are not found, and not sent', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, (_, response) => void response.writeHead(204).end())
  startNotifying(t, s)
  const webhook = await makeWebhook(s, { url: receiver.url })
  await writeEvent(s, 'sync.updated', {})
  const [{ id }] = await waitForDeliveries(s, webhook.id, 'delivered', 1)
  const { key } = await s.makeAccount()
  const body = { url: receiver.url }
  const foreign = (await s.request('POST', '/webhooks', { key, body })).body
  const sibling = await makeWebhook(s, { url: receiver.url, enabled: false })

  const since = { since: '2020-01-01T00:00:00Z' }
  const calls: [string, string, string, string, object?][] = [
    [key, 'webhook_not_found', 'GET', `${webhook.id}/deliveries`],
    [key, 'webhook_not_found', 'GET', `${webhook.id}/deliveries/${id}`],
    [key, 'webhook_not_found', 'POST', `${webhook.id}/deliveries/${id}/redeliver`],
    [key, 'webhook_not_found', 'POST', `${webhook.id}/redeliver`, since],
    [key, 'delivery_not_found', 'GET', `${foreign.id}/deliveries/${id}`],
    [key, 'delivery_not_found', 'POST', `${foreign.id}/deliveries/${id}/redeliver`],
    [s.key, 'delivery_not_found', 'GET', `${sibling.id}/deliveries/${id}`],
    [s.key, 'delivery_not_found', 'POST', `${sibling.id}/deliveries/${id}/redeliver`]
  ]
  for (const [key, code, method, place, body] of calls) {
    const answer = await s.request(method, `/webhooks/${place}`, { key, ...(body && { body }) })
    t.match(answer, { status: 404, body: { code } }, `${method} ${place}`)
  }
  t.same((await s.request('GET', `/webhooks/${foreign.id}/deliveries`, { key })).body.data, [])
  const own = await s.request('POST', `/webhooks/${foreign.id}/redeliver`, { key, body: since })
  t.match(own, { status: 202, body: { count: 0 } })
  const { rows } = await s.pool.query('SELECT d.state, d.attempts FROM deliveries d')
  t.same(rows, [{ state: 'delivered', attempts: 1 }])
  t.equal(receiver.received.length, 1)
})
