// One attempt against a real receiver that does all that receivers do.

import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { judge } from '../../../src/notify/send/judge.ts'
import { openSender, sendOnce } from '../../../src/notify/send/send-once.ts'
import { parseNetworks } from '../../../src/platform/outbound/addresses.ts'
import type { Teardown } from '../../helpers/cluster.ts'
import { type Behaviour, startReceiver } from '../../helpers/receiver.ts'
import { selfSigned } from '../../helpers/self-signed.ts'

interface Choices {
  timeoutMs?: number
  networks?: string[]
  ca?: string
}

/** Sends to a URL with a sender of its own. */
function sendTo(t: Teardown, url: string, choices: Choices = {}) {
  const { timeoutMs = 20_000, networks = ['127.0.0.0/8'], ca } = choices
  const allowed = parseNetworks(networks)
  const sender = openSender({ allowed, timeoutMs, ...(ca && { ca }) })
  t.teardown(() => sender.close())
  return sendOnce(sender, { url, headers: { 'content-type': 'application/json' }, body: '{"a":1}' })
}

async function sendAgainst(t: Teardown, behave: Behaviour, choices?: Choices) {
  const receiver = await startReceiver(t, behave)
  return { ...receiver, result: await sendTo(t, receiver.url, choices) }
}

const answer =
  (status: number, headers: Record<string, string> = {}, text = ''): Behaviour =>
  (_, response) =>
    response.writeHead(status, headers).end(text)

t.test('the request is a POST with headers and body as given', async (t) => {
  const { received, result } = await sendAgainst(t, answer(200, {}, 'thanks'))
  const { ms, ...rest } = result
  t.same(rest, { status: 200, error: null, answer: 'thanks', retry_after_ms: null })
  t.ok(Number.isInteger(ms) && ms >= 0)
  t.match(received, [
    { method: 'POST', path: '/hook', headers: { 'content-type': 'application/json' } }
  ])
  t.equal(received[0]?.body, '{"a":1}')
})

t.test('answers are judged by their status', async (t) => {
  const verdicts = [
    [200, 'delivered'],
    [204, 'delivered'],
    [400, 'retry'],
    [500, 'retry'],
    [410, 'disable']
  ] as const
  for (const [status, verdict] of verdicts) {
    const { result, received } = await sendAgainst(t, answer(status))
    t.match(result, { status, error: null, answer: '' })
    t.equal(judge(result), verdict, String(status))
    t.equal(received.length, 1)
  }
})

t.test('redirects are not followed', async (t) => {
  const trap = await startReceiver(t, answer(200))
  for (const status of [301, 302, 303, 307, 308]) {
    const { result } = await sendAgainst(t, answer(status, { location: trap.url }))
    t.match(result, { status, error: null })
    t.equal(judge(result), 'retry')
  }
  t.equal(trap.connections(), 0)
})

t.test('429 and 503 say when to come back', async (t) => {
  const tooMany = await sendAgainst(t, answer(429, { 'retry-after': '7' }))
  t.match(tooMany.result, { status: 429, retry_after_ms: 7_000 })
  const date = new Date(Date.now() + 3_600_000).toUTCString()
  const away = await sendAgainst(t, answer(503, { 'retry-after': date }))
  t.ok((away.result.retry_after_ms ?? 0) > 3_000_000)
})

t.test('a receiver that never answers costs the timeout and no more', async (t) => {
  const { result } = await sendAgainst(t, () => {}, { timeoutMs: 300 })
  t.match(result, { status: null, answer: null, error: 'There was no answer within 0.3 s.' })
  t.ok(result.ms >= 290)
})

t.test('headers that come byte by byte do not outlast the timeout', async (t) => {
  const server = createServer((socket) => {
    const text = `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(100_000)}`
    let at = 0
    const timer = setInterval(() => socket.write(text[at++] ?? ''), 5)
    socket.on('error', () => {}).on('close', () => clearInterval(timer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const result = await sendTo(t, `http://127.0.0.1:${port}/`, { timeoutMs: 300 })
  t.match(result, { status: null, error: /no answer within/ })
})

t.test('a body that drips is read until the time is up; the status counts', async (t) => {
  const drip: Behaviour = (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('.'), 10)
    response.on('close', () => clearInterval(timer))
  }
  const { result } = await sendAgainst(t, drip, { timeoutMs: 500 })
  t.match(result, { status: 200, error: null, answer: /^\.+$/ })
  t.equal(judge(result), 'delivered')
})

t.test('of ten megabytes the first kilobyte is kept and the rest not read', async (t) => {
  let sent = 0
  let closed: Promise<unknown> = Promise.resolve()
  const flood: Behaviour = (_, response) => {
    closed = once(response, 'close')
    response.writeHead(500, { 'content-length': 10_000_000 })
    const chunk = Buffer.alloc(10_000, 'é')
    const more = () => {
      while (sent < 10_000_000 && !response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) return response.once('drain', more)
      }
    }
    more()
  }
  const { result } = await sendAgainst(t, flood)
  await closed
  t.match(result, { status: 500, error: null, answer: 'é'.repeat(512) })
  t.ok(sent < 10_000_000, `${sent} bytes were sent before the connection was closed`)
})

t.test('answers that are no text can be stored as text', async (t) => {
  const { result } = await sendAgainst(t, (_, response) =>
    response.end(
      Buffer.concat([Buffer.from([0, 0xff, 0x41]), Buffer.alloc(1_020, 'x'), Buffer.from('€')])
    )
  )
  t.equal(result.answer, `\ufffdA${'x'.repeat(1_020)}`)
})

t.test('connections that are cut or refused, and answers that are no HTTP', async (t) => {
  const cut = await sendAgainst(t, (request) => request.socket.resetAndDestroy())
  t.match(cut.result, { status: null, error: /closed before there was an answer/ })
  const half = await sendAgainst(t, (request, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('half', () => request.socket.resetAndDestroy())
  })
  t.match(half.result, { status: 200, error: null, answer: /^(half)?$/ })
  const noise = await sendAgainst(t, (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
  t.match(noise.result, { status: null, error: 'The answer is not HTTP.' })
  const closed = await startReceiver(t, answer(200))
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const refused = await sendTo(t, `http://127.0.0.1:${port}/`)
  t.match(refused, { status: null, error: 'The connection was refused. (ECONNREFUSED)' })
  t.equal(closed.connections(), 0)
})

t.test('TLS must be right', async (t) => {
  const server = createTlsServer(selfSigned, (_, response) => response.end('safe'))
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}/`
  const strict = await sendTo(t, url)
  t.match(strict, { status: null, error: /^The TLS connection failed: .*SELF_SIGNED/ })
  t.match(await sendTo(t, url, { ca: selfSigned.cert }), { status: 200, answer: 'safe' })
  const plain = await startReceiver(t, answer(200))
  const wrong = await sendTo(t, plain.url.replace('http:', 'https:'))
  t.match(wrong, { status: null, error: /^The TLS connection failed/ })
})

t.test('what may not be reached is an error like others, and nothing is sent', async (t) => {
  const receiver = await startReceiver(t, answer(200))
  const literal = await sendTo(t, receiver.url, { networks: [] })
  t.match(literal, { status: null, error: '127.0.0.1 is not a public address.' })
  const name = await sendTo(t, `http://localhost:${receiver.port}/`, { networks: ['10.0.0.0/8'] })
  t.match(name, { status: null, error: 'localhost does not lead to a public address.' })
  t.match(await sendTo(t, 'no-url'), { status: null, error: /Write the URL like/ })
  t.equal(receiver.connections(), 0)
})

t.test('connections serve several attempts, each with its own time', async (t) => {
  const receiver = await startReceiver(t, answer(200))
  const sender = openSender({ allowed: parseNetworks(['127.0.0.0/8']), timeoutMs: 20_000 })
  t.teardown(() => sender.close())
  for (let i = 0; i < 5; i++) {
    const { status } = await sendOnce(sender, { url: receiver.url, headers: {}, body: '{}' })
    t.equal(status, 200)
  }
  // The second may come before the first one's connection is seen to be free.
  t.ok(receiver.connections() <= 2)
})

t.test('headers that cannot be sent are an error, not an exception', async (t) => {
  const sender = openSender({ allowed: parseNetworks(['127.0.0.0/8']), timeoutMs: 1_000 })
  t.teardown(() => sender.close())
  const headers = { 'x-a': 'b\r\nx-c: d' }
  const result = await sendOnce(sender, { url: 'http://127.0.0.1:9999/', headers, body: '{}' })
  t.match(result, { status: null, error: /header/ })
})
