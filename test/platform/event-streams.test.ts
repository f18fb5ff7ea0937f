// Open event streams over real HTTP: heartbeats, a lifetime, clients that do not read, the limit.

import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import {
  createEventStreams,
  type EventStream,
  eventText,
  type StreamLimits
} from '../../src/platform/event-streams.ts'
import { createLog } from '../../src/platform/log.ts'
import type { Teardown } from '../helpers/cluster.ts'
import { until } from '../helpers/until.ts'

const usual: StreamLimits = {
  max: 10,
  heartbeatMs: 60_000,
  lifetimeMs: 60_000,
  maxUnreadBytes: 64 * 1024,
  log: createLog('silent', 'test')
}

/** A server that answers every request with a stream. */
async function serve(t: Teardown, limits: Partial<StreamLimits>) {
  const streams = createEventStreams({ ...usual, ...limits })
  const opened: EventStream[] = []
  let closed = 0
  const server = createServer((_, response) => {
    const stream = streams.open(() => closed++)
    opened.push(stream)
    // As the HTTP framework sends streams: one that breaks takes the connection with it.
    stream.body.pipe(response)
    stream.body.once('close', () => stream.body.readableEnded || response.destroy())
    response.once('close', () => stream.body.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const connect = async () => {
    const request = get({ port, host: '127.0.0.1', agent: false })
    request.on('error', () => {})
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.on('error', () => {})
    return response
  }
  return { streams, opened, connect, closed: () => closed }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of response) text += piece
  return text
}

t.test('an event is one block of lines, whatever its data', async (t) => {
  const text = eventText('state', '1-2', { note: 'two\nlines' })
  t.equal(text, 'event: state\nid: 1-2\ndata: {"note":"two\\nlines"}\n\n')
})

t.test('a silent stream is kept alive, and its client told to come again one day', async (t) => {
  const { connect, streams } = await serve(t, { heartbeatMs: 50, lifetimeMs: 600 })
  const text = await textOf(await connect())
  t.match(text, /^retry: 3000\n\n(:\n\n){2,}$/)
  await until('the stream to be gone', () => streams.count() === 0)
})

t.test('a client that does not read is closed, others are not', async (t) => {
  const { opened, connect, streams, closed } = await serve(t, {})
  const lazy = await connect()
  lazy.pause()
  const eager = await connect()
  let bytes = 0
  eager.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  // The kernel takes some megabytes before anything stays with us.
  const event = eventText('progress', '1', 'x'.repeat(60_000))
  let sent = 0
  while (closed() === 0 && sent < 2_000) {
    const [first, second] = opened
    first?.send(event)
    second?.send(event)
    sent++
    await until('the eager client', () => bytes >= sent * event.length)
  }
  t.equal(closed(), 1)
  t.equal(opened[0]?.body.destroyed, true)
  t.equal(opened[1]?.body.destroyed, false)
  t.equal(streams.count(), 1)
})

t.test('a client that goes away makes room for another', async (t) => {
  const { connect, streams, closed } = await serve(t, { max: 1 })
  const first = await connect()
  t.throws(() => streams.open(() => {}), { code: 'too_many_streams' })
  first.destroy()
  await until('room', () => closed() === 1)
  await connect()
  t.equal(streams.count(), 1)
})

t.test('after close no stream is opened', async (t) => {
  const { connect, streams } = await serve(t, {})
  const response = await connect()
  streams.close()
  t.match(await textOf(response), /: the server stops\n\n$/)
  t.throws(() => streams.open(() => {}), { code: 'too_many_streams' })
})
