// Endpoints that are changed while deliveries wait for them, or while one is on its way.

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
import { type Setup, setup } from '../setup.ts'

const contact = (record_id: number) => ({
  record_id,
  type: 'contacts',
  title: `Contact ${record_id}`,
  external_ids: {},
  organization: null,
  changed_fields: null,
  values: { first_name: 'Ann' },
  actor: null
})

const contacts = (...ids: number[]) => ({ import_id: null, records: ids.map(contact) })

/** Nothing that failed comes again while the test runs. */
const onceInFiveMinutes = { delaysMs: [300_000], disableAfterMs: 3_600_000 }

const patch = async ({ request }: Setup, id: number, body: object) => {
  const answer = await request('PATCH', `/webhooks/${id}`, { body })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
}

t.test(
  'what waits goes out in the format it was made for, also when it is sent again',
  async (t) => {
    const s = await setup(t, { config: loopback })
    let status = 500
    const receiver = await startReceiver(t, (_, response) => void response.writeHead(status).end())
    const webhook = await makeWebhook(s, { url: receiver.url })
    await writeEvent(s, 'record.created', contacts(1, 2, 3), { record_type: 'contacts' })
    startNotifying(t, s, { schedule: { delaysMs: Array(100).fill(50), disableAfterMs: 3_600_000 } })
    await until('the first attempt', () => receiver.received.length > 0)
    await patch(s, webhook.id, { format: 'connectwise' })
    status = 204
    await writeEvent(s, 'record.updated', contacts(1), { record_type: 'contacts' })
    const [old, next] = await waitForDeliveries(s, webhook.id, 'delivered', 2)
    const told = receiver.received.map(({ body }) => JSON.parse(body))
    t.equal(told.at(-2)?.data.records.length, 3)
    t.match(told.at(-1), { Action: 'updated', ID: 1 })
    t.match([old.event.type, next.event.type], ['record.created', 'record.updated'])
    const place = `/webhooks/${webhook.id}/deliveries/${old.id}`
    t.equal((await s.request('POST', `${place}/redeliver`)).status, 202)
    const count = told.length
    await until('it was sent again', () => receiver.received.length > count)
    t.same(JSON.parse(receiver.received[count]?.body ?? ''), told.at(-2))
  }
)

t.test('enabled again, what waited is sent, whenever its next attempt was to be', async (t) => {
  const s = await setup(t, { config: loopback })
  let status = 500
  const receiver = await startReceiver(t, (_, response) => void response.writeHead(status).end())
  startNotifying(t, s, { schedule: onceInFiveMinutes })
  const webhook = await makeWebhook(s, { url: receiver.url, event_types: ['import.undone'] })
  await writeEvent(s, 'import.undone', { n: 1 })
  await until('a failure', () => receiver.received.length === 1)
  status = 410
  await writeEvent(s, 'import.undone', { n: 2 })
  const isDisabled = async () => !(await s.get(`/webhooks/${webhook.id}`)).body.enabled
  await until('it is disabled', isDisabled)
  status = 204
  await patch(s, webhook.id, { enabled: true })
  await waitForDeliveries(s, webhook.id, 'delivered', 2)
  const order = receiver.received.map(({ body }) => JSON.parse(body).data.n)
  t.same(order, [1, 2, 1, 2], 'in the order in which it happened')
})

t.test('moved to another address, what waited is sent there, with a new schedule', async (t) => {
  const s = await setup(t, { config: loopback })
  const old = await startReceiver(t, (_, response) => void response.writeHead(500).end())
  let status = 500
  const fresh = await startReceiver(t, (_, response) => void response.writeHead(status).end())
  startNotifying(t, s, { schedule: onceInFiveMinutes })
  const webhook = await makeWebhook(s, { url: old.url })
  await writeEvent(s, 'record.updated', contacts(1), { record_type: 'contacts' })
  await writeEvent(s, 'record.updated', contacts(2), { record_type: 'contacts' })
  await until('a failure', async () => (await s.get(`/webhooks/${webhook.id}`)).body.failing_since)
  await patch(s, webhook.id, { url: fresh.url })
  const waiting = async (attempts: number) => {
    const { data } = (await s.get(`/webhooks/${webhook.id}/deliveries?state=pending`)).body
    return data.at(-1)?.attempts.length === attempts
  }
  await until('the first failure there, of which there may be two', () => waiting(2))
  status = 204
  await patch(s, webhook.id, { url: `${fresh.url}/2` })
  await waitForDeliveries(s, webhook.id, 'delivered', 2)
  t.equal(old.received.length, 1)
  const order = fresh.received.map(({ body }) => JSON.parse(body).data.records[0].record_id)
  t.same(order, [1, 1, 2])
})

for (const status of [410, 500]) {
  t.test(`a ${status} of the address before says nothing of the new one`, async (t) => {
    const s = await setup(t, { config: { ...loopback, webhookTimeoutMs: 60_000 } })
    const old = await startHoldingReceiver(t)
    const fresh = await startReceiver(t, (_, response) => void response.writeHead(204).end())
    const webhook = await makeWebhook(s, { url: old.url })
    await s.pool.query(
      `UPDATE webhook_endpoints SET failing_since = now() - interval '2 hours', failed_at = now()`
    )
    await writeEvent(s, 'sync.updated', {})
    startNotifying(t, s)
    await until('an attempt', () => old.received.length > 0)
    await patch(s, webhook.id, { url: fresh.url })
    const [delivery] = await waitForDeliveries(s, webhook.id, 'delivered', 1)
    t.same(
      delivery.attempts.map((one: { status: number }) => one.status),
      [204]
    )
    old.answer(status)
    const place = `/webhooks/${webhook.id}/deliveries/${delivery.id}`
    const late = await until('the late answer', async () => {
      const { body } = await s.get(place)
      return body.attempts.length === 2 ? body : null
    })
    t.match(late, { state: 'delivered', attempts: [{ status: 204 }, { status }] })
    t.match((await s.get(`/webhooks/${webhook.id}`)).body, {
      enabled: true,
      disabled: null,
      failing_since: null
    })
    t.equal(fresh.received.length, 1)
  })
}
