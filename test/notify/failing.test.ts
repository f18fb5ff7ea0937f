// When an endpoint has failed for so long that it is disabled: attempts that failed throughout.

import t from 'tap'
import type { Teardown } from '../helpers/cluster.ts'
import {
  loopback,
  makeWebhook,
  startNotifying,
  waitForDeliveries,
  writeEvent
} from '../helpers/notifying.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

/** As if all of the endpoints' failures had been so much earlier. */
const wasEarlier = ({ pool }: Setup, since: string, last: string) =>
  pool.query(
    `UPDATE webhook_endpoints
    SET failing_since = now() - $1::interval, failed_at = now() - $2::interval`,
    [since, last]
  )

const failing = async (t: Teardown) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(t, (_, response) => void response.writeHead(500).end())
  const schedule = { delaysMs: [30], disableAfterMs: 5 * 24 * 3_600_000 }
  const webhook = await makeWebhook(s, { url: receiver.url })
  await writeEvent(s, 'sync.updated', {})
  startNotifying(t, s, { schedule })
  await waitForDeliveries(s, webhook.id, 'failed', 1)
  const shown = async () => (await s.get(`/webhooks/${webhook.id}`)).body
  return { s, webhook, shown }
}

t.test('failures of long ago do not count when there were none in between', async (t) => {
  const { s, webhook, shown } = await failing(t)
  await wasEarlier(s, '60 days', '57 days')
  await writeEvent(s, 'sync.updated', {})
  await waitForDeliveries(s, webhook.id, 'failed', 2)
  const { enabled, failing_since } = await shown()
  t.equal(enabled, true)
  t.ok(Date.now() - Date.parse(failing_since) < 24 * 3_600_000, 'they began anew')
})

t.test('five days of failures that went on disable', async (t) => {
  const { s, shown } = await failing(t)
  await wasEarlier(s, '5 days', '29 hours')
  await writeEvent(s, 'sync.updated', {})
  const disabled = await until('it is disabled', async () => (await shown()).disabled)
  t.match(disabled, { reason: 'failing' })
})
