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
