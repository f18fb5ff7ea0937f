// Whose turn it is: slow endpoints and busy accounts never hold up the others. What is asserted is who
// comes before whom, not how long it takes.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { type Claim, claimLanes, keepLanes, releaseLanes } from '../../src/notify/lanes/store.ts'
import { withTransaction } from '../../src/platform/db.ts'
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

/** Endpoints that have been waiting in the line for 1, 2, 3 ... seconds less than an hour. */
async function addLanes(s: Setup, account_id: number, count: number, more = '') {
  const { rows } = await s.pool.query(
    `INSERT INTO webhook_endpoints (account_id, url, secret, due_at)
    SELECT $1, 'https://example.com', 'x', now() - interval '1 hour' + interval '1 second' * n
    FROM generate_series(1, $2::integer) n
    RETURNING id`,
    [account_id, count]
  )
  const ids = rows.map(({ id }) => id)
  if (more) await s.pool.query(`UPDATE webhook_endpoints SET ${more} WHERE id = ANY ($1)`, [ids])
  return ids as number[]
}

async function claim(s: Setup, over: Partial<Claim>) {
  const usual = { laggards: false, limit: 100, busy: [], mostOfAccount: 100 }
  const lanes = await claimLanes(s.pool, {
    token: randomUUID(),
    leaseMs: 60_000,
    ...usual,
    ...over
  })
  return lanes.sort((a, b) => a.endpoint_id - b.endpoint_id)
}

const idsOf = (lanes: { endpoint_id: number }[]) => lanes.map(({ endpoint_id }) => endpoint_id)

t.test('accounts take turns at the places, whoever has waited longer', async (t) => {
  const s = await setup(t)
  const [other, third] = [await s.makeAccount(), await s.makeAccount()]
  const many = await addLanes(s, s.account_id, 20)
  const few = await addLanes(s, other.account_id, 2)
  const one = await addLanes(s, third.account_id, 1)
  t.same(idsOf(await claim(s, { limit: 1 })), [many[0]], 'of equals the one that waited longest')
  const busy = Array(2).fill(s.account_id)
  t.same(idsOf(await claim(s, { limit: 2, busy })), [few[0], one[0]], 'who has few is first')
  t.same(idsOf(await claim(s, { mostOfAccount: 5, busy })), [...many.slice(1, 4), few[1]])
  t.same(idsOf(await claim(s, { mostOfAccount: 5, busy: Array(5).fill(s.account_id) })), [])
  t.equal((await claim(s, {})).length, 16, 'all others are still to be had')
})

t.test('who failed or was slow is in a line of its own', async (t) => {
  const s = await setup(t)
  const failing = await addLanes(s, s.account_id, 1, 'failing_since = now()')
  const slow = await addLanes(s, s.account_id, 1, 'slow = true')
  const prompt = await addLanes(s, s.account_id, 1)
  t.same(idsOf(await claim(s, {})), prompt)
  t.same(idsOf(await claim(s, { laggards: true })), [...failing, ...slow])
})

t.test('a lane that had its turn goes to the end of the line', async (t) => {
  const s = await setup(t)
  const [first, second] = await addLanes(s, s.account_id, 2)
  await s.pool.query('SELECT ensure_partitions(current_date)')
  await s.pool.query(
    `INSERT INTO deliveries (account_id, endpoint_id, created_on, event_id, event_on, event_type,
      ordered, next_at, sequence)
    SELECT $1, $2, current_date, gen_random_uuid(), current_date, 'sync.updated', n = 2,
      now() - interval '1 day', n
    FROM generate_series(1, 2) n`,
    [s.account_id, first]
  )
  const held = await claim(s, { limit: 1 })
  t.same(idsOf(held), [first])
  const [released] = await withTransaction(s.pool, (tx) => releaseLanes(tx, held))
  t.ok(released?.due_at, 'it has more to send')
  t.same(idsOf(await claim(s, { limit: 1 })), [second])
  const again = await claim(s, { limit: 1 })
  t.same(idsOf(again), [first])
  await s.pool.query(`UPDATE deliveries SET next_at = now() + interval '1 hour'`)
  const [later] = await withTransaction(s.pool, (tx) => releaseLanes(tx, again))
  t.ok((later?.due_at?.getTime() ?? 0) > Date.now(), 'due when the next one is')
  await s.pool.query(`UPDATE deliveries SET state = 'delivered', next_at = NULL`)
  const [done] = await withTransaction(s.pool, (tx) => releaseLanes(tx, again))
  t.equal(done?.due_at, null)
})

t.test('a lost lane is not kept, whoever asks beside its holder', async (t) => {
  const s = await setup(t)
  await addLanes(s, s.account_id, 1)
  const [lane] = await claim(s, {})
  if (!lane) throw new Error('no lane')
  const lost = { ...lane, token: randomUUID() }
  const kept = await withTransaction(s.pool, (tx) => keepLanes(tx, [lost, lane], 1_000))
  t.same(
    kept.map(({ token }) => token),
    [lane.token]
  )
})

t.test('who hangs makes room while it hangs', async (t) => {
  const s = await setup(t, { config: { ...loopback, webhookTimeoutMs: 60_000 } })
  const hanging = await startHoldingReceiver(t)
  const fast = await startReceiver(t, (_, response) => void response.writeHead(204).end())
  startNotifying(t, s, { places: 2, slowMs: 100 })
  const webhook = await makeWebhook(s, { url: fast.url })
  for (let i = 0; i < 3; i++) {
    const { key, account_id } = await s.makeAccount()
    const body = { url: hanging.url }
    for (let n = 0; n < 2; n++) await s.request('POST', '/webhooks', { key, body })
    await writeEvent({ ...s, account_id }, 'sync.updated', {})
  }
  await until('all hang', () => hanging.received.length === 6)
  await writeEvent(s, 'sync.updated', {})
  await waitForDeliveries(s, webhook.id, 'delivered', 1)
  const { rows } = await s.pool.query('SELECT FROM delivery_attempts')
  t.equal(rows.length, 1, 'nobody else has been answered')
  hanging.answer(200)
  const isNoted = async () => {
    const { rows } = await s.pool.query(
      'SELECT FROM webhook_endpoints w WHERE w.slow AND w.url = $1',
      [hanging.url]
    )
    return rows.length > 0
  }
  t.ok(await until('it is known who is slow', isNoted))
})

t.test('who has much to send makes room for others that wait', async (t) => {
  const s = await setup(t, { config: loopback })
  const busy = await startReceiver(t, (_, response) => void setTimeout(() => response.end(), 10))
  const other = await startReceiver(t, (_, response) => void response.writeHead(204).end())
  const { key, account_id } = await s.makeAccount()
  await s.request('POST', '/webhooks', { key, body: { url: busy.url } })
  await s.pool.query(`SELECT write_event($1, 'sync.updated', '{}') FROM generate_series(1, 2000)`, [
    account_id
  ])
  // A turn that never ends by itself.
  startNotifying(t, s, { places: 1, slowMs: 100, turnMs: 3_600_000 })
  const webhook = await makeWebhook(s, { url: other.url })
  await until('the first is at work', () => busy.received.length > 0)
  await writeEvent(s, 'sync.updated', {})
  await waitForDeliveries(s, webhook.id, 'delivered', 1)
  t.ok(busy.received.length < 2000, 'the first still had something to send')
})
