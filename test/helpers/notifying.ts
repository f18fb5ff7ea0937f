// Publishing and sending in a test's own process, with waits of milliseconds instead of hours.

import { publishAll } from '../../src/notify/events/publish.ts'
import { type DeliverSettings, startDelivering } from '../../src/notify/lanes/deliver.ts'
import { repeat } from '../../src/platform/repeat.ts'
import type { Setup } from '../setup.ts'
import type { Teardown } from './cluster.ts'
import { until } from './until.ts'

/** Configuration of services whose webhooks may go to receivers of the test. */
export const loopback = { webhookAllowedNetworks: ['127.0.0.0/8'] }

/** Starts publishing and sending, until the test ends or `stop`. */
export function startNotifying(t: Teardown, s: Setup, over: Partial<DeliverSettings> = {}) {
  const stopping = new AbortController()
  const { signal } = stopping
  const { pool, config, secrets, log } = s
  const publisher = repeat({ name: 'publishing', everyMs: 50, log }, () =>
    publishAll({ pool, signal })
  )
  const schedule = { delaysMs: [40, 40, 40], disableAfterMs: 3_600_000 }
  const settings = { schedule, everyMs: 50, ...over }
  const delivering = startDelivering({ pool, config, secrets, log, signal }, settings)
  const stop = async () => {
    stopping.abort()
    await Promise.all([publisher.stop(), delivering.stop()])
  }
  t.teardown(stop)
  return { stop }
}

/** Makes an endpoint. Out: its JSON, with the secret. */
export async function makeWebhook(
  { request }: Setup,
  body: { url: string; [more: string]: unknown }
) {
  const answer = await request('POST', '/webhooks', { body })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

/** Waits until the endpoint has as many deliveries in that state. Out: them, oldest first. */
export async function waitForDeliveries({ get }: Setup, id: number, state: string, count: number) {
  return until(`${count} deliveries ${state}`, async () => {
    const { body } = await get(`/webhooks/${id}/deliveries?state=${state}&limit=500`)
    return body.data?.length >= count ? body.data.reverse() : null
  })
}

/** Writes an event as somebody else would. Out: its id. */
export async function writeEvent(
  { pool, account_id }: Setup,
  type: string,
  data: object,
  more: { record_type?: string; key?: number } = {}
): Promise<string> {
  const { rows } = await pool.query('SELECT write_event($1, $2, $3, NULL, $4, $5) AS id', [
    account_id,
    type,
    data,
    more.record_type ?? null,
    more.key ?? null
  ])
  return rows[0].id
}
