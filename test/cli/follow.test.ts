// Following an import from the command line: by the stream of a real server, and by what scripted
// servers do to it: break off, keep silent, know no streams.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import t from 'tap'
import type { CliError } from '../../src/cli/client.ts'
import { type FollowTimes, followImport } from '../../src/cli/follow.ts'
import { readEvents } from '../../src/cli/read-events.ts'
import { eventText } from '../../src/platform/event-streams.ts'
import type { Teardown } from '../helpers/cluster.ts'
import { until } from '../helpers/until.ts'
import { setup } from '../setup.ts'

const csv = 'organization,first_name\nAcme,Ann\nAcme,\n'
const times: FollowTimes = { awayMs: 2_000, beginMs: 10_000, silentMs: 10_000 }

type Handler = (request: IncomingMessage, response: ServerResponse, nth: number) => void

/** A server that answers /imports/7/events by script, and /imports/7 with a finished import. */
async function script(t: Teardown, handle: Handler) {
  const asked: string[] = []
  let nth = 0
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url?.endsWith('/events')) return handle(request, response, nth++)
    response.setHeader('content-type', 'application/json').end(JSON.stringify(job('completed')))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return { asked, server: { url: `http://127.0.0.1:${port}`, key: 'mk_x' } }
}

const job = (state: string, done = 0) => ({ id: 7, state, rows: { done } })
const events = { 'content-type': 'text/event-stream; charset=utf-8' }

/** Follows; out: the states with their rows, and the end. */
async function follow(server: { url: string; key: string }, more: Partial<FollowTimes> = {}) {
  const heard: string[] = []
  const last = await followImport(
    server,
    7,
    ({ state, rows }) => void heard.push(`${state} ${rows.done}`),
    { ...times, ...more }
  )
  return { heard, state: last.state }
}

t.test('an import is followed by its stream, without asking', async (t) => {
  const s = await setup(t)
  const { id } = (await s.uploadCsv(csv)).body
  let asked = 0
  s.app.server.on('request', () => asked++)
  const states: string[] = []
  const end = followImport(s, id, ({ state }) => void states.push(state))
  await until('the first state', () => states.length > 0)
  await s.startWorker()
  t.same(await end, (await s.get(`/imports/${id}`)).body)
  t.equal(asked, 2, 'the stream, and the GET of this test')
  t.same([...new Set(states)], ['queued', 'running', 'completed_with_errors'])
})

t.test('a stream that breaks is taken up where it was', async (t) => {
  const { server, asked } = await script(t, (request, response, nth) => {
    response.writeHead(200, events)
    if (nth === 0) {
      t.equal(request.headers['last-event-id'], undefined)
      response.write(
        `retry: 1\n\n${eventText('state', 'a', job('running', 1))}event: progress\nid: b`
      )
      setTimeout(() => response.destroy(), 20)
    } else if (nth === 1) {
      t.equal(request.headers['last-event-id'], 'a', 'what was cut off was not seen')
      response.end(eventText('progress', 'b', job('running', 2)))
    } else {
      t.equal(request.headers['last-event-id'], 'b')
      response.end(eventText('end', 'c', job('completed', 3)))
    }
  })
  const { heard, state } = await follow(server)
  t.same(heard, ['running 1', 'running 2', 'completed 3'])
  t.equal(state, 'completed')
  t.equal(asked.length, 3)
})

t.test(
  'each outage is waited for by itself, also of an import that has nothing to tell',
  async (t) => {
    const { server } = await script(t, (_, response, nth) => {
      if (nth % 2 === 1)
        return response
          .writeHead(503)
          .end('{"code":"database_unavailable","status":503,"title":"","detail":""}')
      response.writeHead(200, events)
      if (nth === 6) return response.end(eventText('end', 'b', job('completed', 2)))
      response.write(nth === 0 ? eventText('state', 'a', job('paused', 1)) : 'retry: 1\n\n')
      setTimeout(() => response.destroy(), 250)
    })
    // The two quiet streams together last longer than an outage may.
    t.equal((await follow(server, { awayMs: 400 })).state, 'completed')
  }
)

t.test('a connection on which nothing comes any more is given up for another', async (t) => {
  const { server } = await script(t, (_, response, nth) => {
    response.writeHead(200, events)
    if (nth === 0) response.write(eventText('state', 'a', job('running', 1)))
    else response.end(eventText('end', 'b', job('completed', 2)))
  })
  t.same((await follow(server, { silentMs: 100 })).heard, ['running 1', 'completed 2'])
})

for (const [title, handle] of Object.entries<Handler>({
  'a server without streams': (_, response) =>
    response.writeHead(404).end('{"code":"not_found","title":"","detail":""}'),
  'a server without room': (_, response) =>
    response.writeHead(503).end('{"code":"too_many_streams","title":"","detail":""}'),
  'a proxy that collects the stream': (_, response) =>
    response.writeHead(200, events).flushHeaders(),
  'a proxy that collects headers too': () => {},
  'something else that answers': (_, response) => response.writeHead(200).end('hello')
})) {
  t.test(`${title}: the import is asked for`, async (t) => {
    const { server, asked } = await script(t, handle)
    t.equal((await follow(server, { beginMs: 200 })).state, 'completed')
    t.same(asked, ['/imports/7/events', '/imports/7'])
  })
}

t.test('what no waiting mends is told; a server that stays away is given up', async (t) => {
  const s = await setup(t)
  const unknown = await follow(s).catch((error: CliError) => error)
  t.match(unknown, { problem: { code: 'import_not_found' } })
  const { url, key } = s
  await s.app.close()
  const away = await follow({ url, key }, { awayMs: 300 }).catch((error: CliError) => error)
  t.match(away, { problem: { code: 'unreachable' } })
})

t.test('events are read however they are cut and whatever ends their lines', async (t) => {
  const text =
    ': hello\r\n\r\nevent: state\r\nid: ä\r\ndata: {\r\ndata:}\r\n\r\ndata: x\n\n\nid: 9\n\ndata: cut'
  const bytes = Buffer.from(text)
  const wanted = [
    { event: 'state', id: 'ä', data: '{\n}' },
    { event: 'message', id: '', data: 'x' }
  ]
  for (let size = 1; size < bytes.length; size++) {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    const found = []
    for await (const event of readEvents(Readable.from(pieces))) found.push(event)
    if (!t.same(found, wanted, `in pieces of ${size}`)) return
  }
})
