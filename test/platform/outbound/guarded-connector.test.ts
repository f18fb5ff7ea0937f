// The guard where it counts: when connections are made. A listener on loopback counts those that
// come; without the guard the same list reaches it many times.

import t from 'tap'
import { Agent, request } from 'undici'
import { parseNetworks } from '../../../src/platform/outbound/addresses.ts'
import { guardedConnector } from '../../../src/platform/outbound/guarded-connector.ts'
import type { Teardown } from '../../helpers/cluster.ts'
import { startReceiver } from '../../helpers/receiver.ts'
import { hostileAddresses, hostileHosts, hostileUrls } from './hostile-hosts.ts'

const timeoutMs = 5_000

/** An agent with the guard, for names that all lead to `addresses`. */
function guarded(t: Teardown, addresses: string[] = [], networks: string[] = []) {
  const asked: string[] = []
  const agent = new Agent({
    connect: guardedConnector({
      allowed: parseNetworks(networks),
      timeoutMs,
      resolve: async (host) => {
        asked.push(host)
        return addresses
      }
    })
  })
  t.teardown(() => agent.destroy())
  return { agent, asked }
}

/** Tries a URL; out: the status, or the code of the failure. */
async function attempt(url: string, dispatcher: Agent): Promise<number | string> {
  try {
    const { statusCode, body } = await request(url, { dispatcher, method: 'POST', body: '{}' })
    await body.dump()
    return statusCode
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    return code ?? name
  }
}

const blockedOrNoUrl = /^(TARGET_BLOCKED|ERR_INVALID_URL|UND_ERR_INVALID_ARG)$/

t.test('no spelling of a host reaches this machine or its network', async (t) => {
  const receiver = await startReceiver(t, (_, response) => response.end())
  // Names such as localhost are resolved to what they are.
  const { agent } = guarded(t, ['127.0.0.1', '::1'])
  const urls = [
    ...hostileHosts.map((host) => `http://${host}:${receiver.port}/`),
    ...hostileHosts.map((host) => `https://${host}:${receiver.port}/`),
    ...hostileUrls.map((url) => url.replace('PORT', String(receiver.port)))
  ]
  for (const url of urls) t.match(await attempt(url, agent), blockedOrNoUrl, JSON.stringify(url))
  t.equal(receiver.connections(), 0)
})

t.test('the same list without the guard does', async (t) => {
  const receiver = await startReceiver(t, (_, response) => response.end())
  const lookup = (_: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) =>
    options.all
      ? callback(null, [{ address: '127.0.0.1', family: 4 }])
      : callback(null, '127.0.0.1', 4)
  const agent = new Agent({ connect: { lookup: lookup as never, timeout: 1_000 } })
  t.teardown(() => agent.destroy())
  const loopback = hostileHosts.filter((host) => /127|0x7f|localhost|2130706433/i.test(host))
  let reached = 0
  for (const host of loopback) {
    if ((await attempt(`http://${host}:${receiver.port}/`, agent)) === 200) reached++
  }
  t.ok(reached > 25, `reached ${reached} times`)
})

t.test('no name that leads there reaches it', async (t) => {
  const receiver = await startReceiver(t, (_, response) => response.end())
  for (const addresses of hostileAddresses) {
    const { agent, asked } = guarded(t, addresses)
    const url = `http://hooks.example.com:${receiver.port}/`
    t.equal(await attempt(url, agent), 'TARGET_BLOCKED', addresses.join())
    t.same(asked, ['hooks.example.com'])
  }
  t.equal(receiver.connections(), 0)
})

t.test('a name is resolved once, and the address that was checked is the one used', async (t) => {
  const good = await startReceiver(t, (_, response) => response.end(), '127.0.0.2')
  const bad = await startReceiver(t, (_, response) => response.end(), '127.0.0.1', good.port)
  const answers = [['127.0.0.2'], ['127.0.0.1'], ['127.0.0.1', '127.0.0.2']]
  let asked = 0
  const agent = new Agent({
    pipelining: 0,
    connect: guardedConnector({
      allowed: parseNetworks(['127.0.0.2/32']),
      timeoutMs,
      resolve: async () => answers[asked++] ?? []
    })
  })
  t.teardown(() => agent.destroy())
  const url = `http://rebind.example.com:${good.port}/`
  t.equal(await attempt(url, agent), 200)
  t.equal(asked, 1)
  t.equal(await attempt(url, agent), 'TARGET_BLOCKED', 'the next attempt is checked again')
  t.equal(await attempt(url, agent), 200, 'of several addresses only those that may are used')
  t.equal(good.connections(), 2)
  t.equal(bad.connections(), 0)
})

t.test(
  'allowed networks can be reached, ports below 1024 that are not the web never',
  async (t) => {
    const receiver = await startReceiver(t, (_, response) => response.end())
    const { agent } = guarded(t, ['127.0.0.1'], ['127.0.0.0/8'])
    t.equal(await attempt(receiver.url, agent), 200)
    t.equal(await attempt(`http://receiver:${receiver.port}/`, agent), 200)
    for (const port of [1, 22, 25, 1023]) {
      t.equal(await attempt(`http://127.0.0.1:${port}/`, agent), 'TARGET_BLOCKED', String(port))
    }
  }
)

t.test('names are really looked up, and one that is not known fails', async (t) => {
  const receiver = await startReceiver(t, (_, response) => response.end())
  const agent = new Agent({
    connect: guardedConnector({ allowed: parseNetworks(['127.0.0.0/8']), timeoutMs })
  })
  t.teardown(() => agent.destroy())
  t.equal(await attempt(`http://localhost:${receiver.port}/`, agent), 200)
})
