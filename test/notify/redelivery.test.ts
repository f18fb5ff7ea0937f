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
