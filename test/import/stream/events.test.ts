// GET /imports/{id}/events against a real server, worker and database.

import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { startBlackHole } from '../../helpers/black-hole.ts'
import { setupDatabase } from '../../helpers/cluster.ts'
import { queryOnce } from '../../helpers/databases.ts'
import { type Events, openEvents } from '../../helpers/events.ts'
import { until } from '../../helpers/until.ts'
import { type Setup, setup } from '../../setup.ts'

const csv = 'organization,first_name\nAcme,Ann\nAcme,\n'

/** Sets columns of an import, as a worker does. */
async function change(s: Setup, id: number, set: string): Promise<void> {
  await s.pool.query(`UPDATE imports i SET ${set} WHERE i.id = $1::bigint`, [id])
}

/** Tells of progress `times` times. */
async function tell(s: Setup, id: number, times = 1): Promise<void> {
  await s.pool.query(
    `SELECT pg_notify('muster_imports', json_build_object('account_id', $1::integer,
      'import_id', $2::bigint, 'n', n)::text) FROM generate_series(1, $3::integer) n`,
    [s.account_id, id, times]
  )
}

/** Counts statements by the name in their comment. */
function countStatements(s: Setup): Map<string, number> {
  const counts = new Map<string, number>()
  const query = s.pool.query.bind(s.pool) as (...args: unknown[]) => unknown
  Object.assign(s.pool, {
    query: (...args: unknown[]) => {
      const name = /\/\* (\S+) \*\//.exec(String(args[0]))?.[1] ?? ''
      counts.set(name, (counts.get(name) ?? 0) + 1)
      return query(...args)
    }
  })
  return counts
}

/** The process that listens for our database. */
async function findListener(s: Setup): Promise<number> {
  const { rows } = await s.pool.query(
    `SELECT a.pid FROM pg_stat_activity a WHERE a.datname = current_database()
      AND a.application_name LIKE 'muster-server-listener' AND a.query LIKE '%LISTEN%'
      AND a.state = 'idle'`
  )
  return rows[0]?.pid ?? 0
}

async function queued(s: Setup): Promise<number> {
  return (await s.uploadCsv(csv)).body.id
}

async function isHeard(s: Setup, events: Events, id: number): Promise<void> {
  await until('the listener', () => findListener(s))
  await change(s, id, 'rows_created = rows_created + 1')
  await tell(s, id)
  await events.waitFor('progress', ({ event }) => event === 'progress')
}

t.test('the states of an import are told in order, then its end', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const events = await openEvents(t, s, id)
  t.equal(events.status, 200)
  t.match(events.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-store, no-transform',
    'x-accel-buffering': 'no',
    'content-encoding': undefined
  })
  const first = await events.waitFor('the first event', () => true)
  t.match(first, { event: 'state', data: { id, state: 'queued', rows: { done: 0 } } })
  t.match(events.text(), /^retry: 3000\n\n/)
  await until('the listener', () => findListener(s))
  await s.startWorker()
  t.equal(await events.ended, true, 'the server ends it')
  t.same(events.states(), ['queued', 'running', 'completed_with_errors'])
  const all = events.events()
  t.same(Object.keys(first.data), ['id', 'state', 'counts', 'rows', 'bytes'])
  const { body } = await s.get(`/imports/${id}`)
  t.match(all.at(-2)?.data, { counts: body.counts, rows: body.rows, bytes: body.bytes })
  t.equal(all.at(-1)?.event, 'end')
  t.same(all.at(-1)?.data, body, 'the import as GET shows it')
  t.equal(new Set(all.map((one) => one.id)).size, all.length, 'every event has an id of its own')
})

t.test('every change of state is told, however quickly one follows the other', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const events = await openEvents(t, s, id)
  await s.pool.query(`NOTIFY muster_imports, 'not ours'; NOTIFY muster_imports, 'null'`)
  await isHeard(s, events, id)
  const quick = ['running', 'pausing', 'running', 'pausing', 'paused', 'queued', 'running']
  const tx = await s.pool.connect()
  await tx.query('BEGIN')
  for (const state of quick) {
    await tx.query('UPDATE imports i SET state = $2::text WHERE i.id = $1::bigint', [id, state])
  }
  await tx.query('COMMIT')
  tx.release()
  await until('all states', () => events.states().length > quick.length)
  t.same(events.states(), ['queued', ...quick])
})

t.test('an import that has ended: its state and its end at once', async (t) => {
  const s = await setup(t, { worker: true })
  const { id } = await s.runCsv(csv)
  const events = await openEvents(t, s, id)
  t.equal(await events.ended, true)
  t.same(
    events.events().map((one) => one.event),
    ['state', 'end']
  )
})

t.test('Last-Event-ID: what was seen is not sent again, and 204 after the end', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const before = await openEvents(t, s, id)
  const seen = await before.waitFor('the state', () => true)
  before.close()
  const again = await openEvents(t, s, id, { 'last-event-id': seen.id })
  await isHeard(s, again, id)
  t.equal(again.events()[0]?.event, 'progress', 'nothing was said again')
  again.close()

  const behind = await openEvents(t, s, id, { 'last-event-id': seen.id })
  t.match(await behind.waitFor('the state', () => true), { event: 'state' }, 'it has progressed')
  await change(s, id, `state = 'cancelled', finished_at = now()`)
  await behind.ended
  const [last, end] = behind.events().slice(-2)
  t.match(last, { event: 'state', data: { state: 'cancelled' } })
  const afterState = await openEvents(t, s, id, { 'last-event-id': last?.id ?? '' })
  await afterState.ended
  t.same(afterState.events(), [end], 'only the end is missing')
  const afterEnd = await openEvents(t, s, id, { 'last-event-id': end?.id ?? '' })
  t.equal(afterEnd.status, 204, 'browsers do not come again')

  await change(s, id, `state = 'queued', finished_at = NULL`)
  const anew = await openEvents(t, s, id, { 'last-event-id': end?.id ?? '' })
  t.match(await anew.waitFor('the state', () => true), { data: { state: 'queued' } })
})

t.test('imports of others, and of nobody, are not found; only events are to be had', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const other = await s.makeAccount()
  const path = `/imports/${id}/events`
  const notFound = { status: 404, body: { code: 'import_not_found' } }
  t.match(await s.request('GET', path, { key: other.key }), notFound)
  t.match(await s.get('/imports/999/events'), notFound)
  t.match(await s.request('HEAD', path, { key: other.key }), { status: 404 })
  t.match(await s.request('GET', path, { key: null }), { status: 401 })
  const head = await s.request('HEAD', path)
  t.equal(head.status, 200)
  t.match(head.headers.get('content-type'), /^text\/event-stream/)
  const json = await s.request('GET', path, { headers: { accept: 'application/json' } })
  t.match(json, { status: 406, body: { code: 'not_acceptable' } })
  const any = await openEvents(t, s, id, { accept: 'text/html, */*;q=0.1' })
  t.equal(any.status, 200)
})

t.test('no more streams than are allowed', async (t) => {
  const s = await setup(t, { config: { maxStreams: 2 } })
  const id = await queued(s)
  const first = await openEvents(t, s, id)
  await openEvents(t, s, id)
  const refused = await s.get(`/imports/${id}/events`)
  t.match(refused, { status: 503, body: { code: 'too_many_streams' } })
  t.ok(refused.headers.get('retry-after'))
  first.close()
  await until('room', async () => (await openEvents(t, s, id)).status === 200)
})

t.test('progress is read and sent twice a second, however often it is told', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const events = await openEvents(t, s, id)
  await isHeard(s, events, id)
  const counts = countStatements(s)
  const before = events.events().length
  const began = performance.now()
  for (let round = 0; round < 60; round++) {
    await change(s, id, 'rows_created = rows_created + 1, progressed_at = now()')
    await tell(s, id, 20)
  }
  const { body } = await s.get(`/imports/${id}`)
  await events.waitFor('the last one', ({ data }) => data.rows.done === body.rows.done)
  const most = Math.ceil((performance.now() - began) / 500) + 1
  t.ok((counts.get('stream.read_followed') ?? 0) <= most + 1, `${JSON.stringify([...counts])}`)
  t.ok(events.events().length - before <= most)
})

t.test('a hundred clients cost no more statements than one', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const one = await openEvents(t, s, id)
  await isHeard(s, one, id)
  const counts = countStatements(s)
  const all = await Promise.all(Array.from({ length: 99 }, () => openEvents(t, s, id)))
  all.push(one)
  t.same(
    [...counts.keys()].filter((name) => name.startsWith('stream.')),
    [],
    'joining is free'
  )
  await change(s, id, 'rows_created = rows_created + 1')
  await tell(s, id)
  for (const events of all) {
    await events.waitFor('progress', ({ data }) => data.rows.done === 2)
  }
  t.ok((counts.get('stream.read_followed') ?? 0) <= 2, 'one read, and one that nothing asked for')
  await change(s, id, `state = 'cancelled', finished_at = now()`)
  t.same(new Set(await Promise.all(all.map(({ ended }) => ended))), new Set([true]))
  t.equal(counts.get('import.get'), 1, 'the end is made once')
  t.ok((counts.get('stream.read_followed') ?? 0) <= 4)
})

t.test('a listener that is killed comes back, and nothing is missed', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const events = await openEvents(t, s, id)
  await isHeard(s, events, id)
  const pid = await findListener(s)
  await s.pool.query('SELECT pg_terminate_backend($1::integer)', [pid])
  await change(s, id, `state = 'running', started_at = now()`)
  const found = await events.waitFor('running', ({ data }) => data.state === 'running')
  t.equal(found.event, 'state')
  await until('another listener', async () => ![0, pid].includes(await findListener(s)))
  await change(s, id, `state = 'cancelled', finished_at = now()`)
  t.equal(await events.ended, true)
  t.same(events.states(), ['queued', 'running', 'cancelled'])
})

t.test('streams stay open while the database is away, and go on', async (t) => {
  const server = await setupDatabase(t)
  const hole = await startBlackHole(t, server.databaseUrl)
  const s = await setup(t, { databaseUrl: hole.url, config: { uploadIdleTimeoutMs: 1_000 } })
  const id = await queued(s)
  const events = await openEvents(t, s, id)
  await isHeard(s, events, id)
  hole.freeze()
  const before = events.text().length
  await until('a heartbeat', () => events.text().slice(before).includes(':\n\n'))
  const query = `UPDATE imports i SET state = 'running' WHERE i.id = ${id}`
  await queryOnce(server.databaseUrl, query)
  await wait(2_000)
  hole.thaw()
  const found = await events.waitFor('running', ({ data }) => data.state === 'running')
  t.equal(found.event, 'state')
})

t.test('a shutdown does not wait for streams', async (t) => {
  const s = await setup(t)
  const id = await queued(s)
  const all = await Promise.all([1, 2, 3].map(() => openEvents(t, s, id)))
  const began = performance.now()
  await s.app.close()
  t.ok(performance.now() - began < s.config.shutdownTimeoutMs)
  for (const events of all) {
    t.equal(await events.ended, true, 'the answer is whole')
    t.match(events.text(), /: the server stops\n\n$/)
  }
})

t.test('a worker tells of its progress, and never more than twice a second', async (t) => {
  const s = await setup(t, { config: { batchRows: 5 } })
  const lines = Array.from({ length: 3_000 }, (_, i) => `c-${i},Acme,Ann`)
  const { id } = (await s.uploadCsv(`external_id,organization,first_name\n${lines.join('\n')}\n`))
    .body
  const events = await openEvents(t, s, id)
  const began = performance.now()
  await s.startWorker()
  await events.ended
  const seconds = (performance.now() - began) / 1_000
  const progress = events.events().filter(({ event }) => event === 'progress')
  t.ok(progress.length > 0 && progress.length <= 2 * seconds + 1, `${progress.length} events`)
  const done = events.events().map(({ data }) => data.rows.done)
  t.same(
    done,
    [...done].sort((a, b) => a - b)
  )
  t.equal(done.at(-1), 3_000)
})
