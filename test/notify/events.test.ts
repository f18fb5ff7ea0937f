// Events: written with what they tell, published in one order, read by whoever keeps a cursor.

import { readFile } from 'node:fs/promises'
import t from 'tap'
import { eventTypes } from '../../src/events.ts'
import { publishAll } from '../../src/notify/events/publish.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const csv = 'external_id,organization,first_name,emails\n1,A,Ann,a@example.com\n2,A,Bob,nonsense\n'

const { signal } = new AbortController()

/** Reads on from a cursor to the end. */
async function readOn({ get }: Setup, cursor: string | null, more = '') {
  const events = []
  for (let page = 0; page < 1_000; page++) {
    const path = `/events?limit=3${more}${cursor === null ? '' : `&cursor=${cursor}`}`
    const { status, body } = await get(path)
    if (status !== 200) throw new Error(JSON.stringify(body))
    events.push(...body.data)
    cursor = body.next_cursor as string
    if (!body.has_more) return { events, cursor }
  }
  throw new Error('the feed has no end')
}

const typesOf = (events: { type: string }[]) => events.map(({ type }) => type)

t.test('an import tells of its life, and the feed goes on from its cursor', async (t) => {
  const s = await setup(t, { worker: true })
  const first = await s.runCsv(csv)
  const published = async () => {
    const { events } = await readOn(s, null)
    return events.length >= 3 ? events : null
  }
  const events = await until('the events', published)
  t.same(typesOf(events), ['import.created', 'import.started', 'import.completed'])
  const [created, , completed] = events
  t.match(created.id, /^evt_[0-9a-f-]{36}$/)
  t.match(created, { account_id: s.account_id, timestamp: first.created_at.slice(0, 19) })
  t.match(created.data.import, { id: first.id, type: 'contacts', kind: 'import', state: 'queued' })
  t.match(completed.data.import, {
    state: 'completed_with_errors',
    dry_run: false,
    file_name: 'test.csv',
    counts: { created: 1, rejected: 1 },
    rows_total: 2,
    error: null
  })
  t.same(completed.links, {
    import: `/imports/${first.id}`,
    rows: `/imports/${first.id}/rows`,
    rejects: `/imports/${first.id}/rejects.csv`
  })
  t.notMatch(JSON.stringify(events), /nonsense|a@example/, 'no cell of the file')

  const { cursor } = await readOn(s, null)
  t.same((await readOn(s, cursor)).events, [], 'nothing new')
  const { body: draft } = await s.uploadCsv(csv, { start: 'false' })
  await s.request('POST', `/imports/${draft.id}/cancel`)
  const later = async () => {
    const { events } = await readOn(s, cursor)
    return events.length >= 2 ? events : null
  }
  t.same(typesOf(await until('the next events', later)), ['import.created', 'import.cancelled'])
  const some = await readOn(s, null, '&types=import.cancelled,import.completed')
  t.same(typesOf(some.events), ['import.completed', 'import.cancelled'])
  const since = encodeURIComponent(draft.created_at)
  t.same(typesOf((await readOn(s, null, `&since=${since}`)).events).length, 2)

  const other = await s.makeAccount()
  t.same((await s.request('GET', '/events', { key: other.key })).body.data, [])
  t.match(await s.get('/events?types=import.progress'), { status: 400 })
  t.match(await s.get('/events?cursor=x'), { status: 400, body: { code: 'invalid_cursor' } })
})

async function insertImport({ pool, account_id }: Setup, state = 'queued'): Promise<number> {
  const { rows } = await pool.query(
    `INSERT INTO imports (account_id, type, state, file_name, file_key, file_bytes, file_sha256,
      dialect, options, mapping)
    VALUES ($1, 'contacts', $2, 'f', 'k', 1, 's', '{}', '{}', '[]') RETURNING id`,
    [account_id, state]
  )
  return rows[0].id
}

const stored = async ({ pool }: Setup, id: number): Promise<string[]> => {
  const { rows } = await pool.query(
    `SELECT e.type || ' ' || (e.data -> 'import' ->> 'state') AS event FROM events e
    WHERE e.import_id = $1 ORDER BY e.position`,
    [id]
  )
  return rows.map(({ event }) => event)
}

t.test('every move that matters is an event, the others are none', async (t) => {
  const s = await setup(t)
  const id = await insertImport(s, 'draft')
  const move = (state: string, more = '') =>
    s.pool.query(`UPDATE imports SET state = $2 ${more} WHERE id = $1`, [id, state])
  await move('queued')
  await move('running', ', started_at = now()')
  await move('running')
  await move('queued')
  await move('running', ', started_at = COALESCE(started_at, now())')
  await move('pausing')
  await move('paused')
  await move('failed', `, error = '{"code":"no_progress","message":"x"}'`)
  await move('queued', ', error = null')
  await move('completed')
  await move('undoing')
  await move('completed')
  await move('undoing')
  await move('partially_undone')
  await move('undone')
  await move('completed')
  await s.pool.query('UPDATE imports SET rows_created = 5, next_row = 7 WHERE id = $1', [id])
  t.same(await stored(s, id), [
    'import.created draft',
    'import.started running',
    'import.failed failed',
    'import.completed completed',
    'import.undone partially_undone',
    'import.undone undone'
  ])
  const dry = await insertImport(s)
  await s.pool.query(`UPDATE imports SET state = 'ready' WHERE id = $1`, [dry])
  t.same(await stored(s, dry), ['import.created queued', 'import.completed ready'])
  const asked = await insertImport(s)
  await s.pool.query(`UPDATE imports SET state = 'cancelling', started_at = now() WHERE id = $1`, [
    asked
  ])
  t.same(await stored(s, asked), ['import.created queued', 'import.started cancelling'])
})

t.test('an event is written also when nobody has made its week', async (t) => {
  const s = await setup(t)
  const { rows } = await s.pool.query(
    `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'events'::regclass`
  )
  for (const { relname } of rows) await s.pool.query(`DROP TABLE ${relname}`)
  const id = await insertImport(s)
  t.same(await stored(s, id), ['import.created queued'])
})

t.test('who waits is woken with account and import', async (t) => {
  const s = await setup(t)
  const client = await s.pool.connect()
  const heard: string[] = []
  client.on('notification', ({ payload }) => heard.push(payload ?? ''))
  await client.query('LISTEN muster_events')
  const id = await insertImport(s)
  await until('the notification', () => heard.length > 0)
  client.release(true)
  t.same(JSON.parse(heard[0] ?? ''), { account_id: s.account_id, import_id: id })
})

t.test('what concurrent transactions write is read once, in whatever order they end', async (t) => {
  const s = await setup(t)
  let writing = true
  const write = async (worker: number) => {
    for (let i = 0; i < 40; i++) {
      const tx = await s.pool.connect()
      await tx.query('BEGIN')
      await tx.query(`SELECT write_event($1, 'import.created', $2)`, [
        s.account_id,
        { n: `${worker}/${i}` }
      ])
      // Long and short ones: who began first does not end first.
      await tx.query(`SELECT pg_sleep($1)`, [((worker * 7 + i * 3) % 11) / 500])
      await tx.query(i % 10 === 9 ? 'ROLLBACK' : 'COMMIT')
      tx.release()
    }
  }
  const publish = async () => {
    while (writing) await publishAll({ pool: s.pool, signal })
  }
  const seen: string[] = []
  let cursor: string | null = null
  const read = async () => {
    const { events, cursor: next } = await readOn(s, cursor)
    cursor = next
    seen.push(...events.map((event) => event.data.n))
  }
  const reader = async () => {
    while (writing) await read()
  }
  const others = [publish(), publish(), reader()]
  await Promise.all([1, 2, 3, 4].map(write))
  writing = false
  await Promise.all(others)
  await publishAll({ pool: s.pool, signal })
  await read()
  t.equal(seen.length, 4 * 36)
  t.equal(new Set(seen).size, seen.length, 'none twice')
  const { rows } = await s.pool.query(
    'SELECT count(*) AS count, count(DISTINCT e.seq) AS seqs FROM events e WHERE e.seq IS NOT NULL'
  )
  t.same(rows, [{ count: seen.length, seqs: seen.length }])
})

t.test('a cursor to events that are gone is refused', async (t) => {
  const s = await setup(t)
  await insertImport(s)
  await publishAll({ pool: s.pool, signal })
  const { cursor } = await readOn(s, null)
  t.equal((await s.get(`/events?cursor=${cursor}`)).status, 200)
  await s.pool.query('INSERT INTO dropped_events (account_id, last_seq) VALUES ($1, 1000)', [
    s.account_id
  ])
  t.match(await s.get(`/events?cursor=${cursor}`), { status: 410, body: { code: 'events_gone' } })
  t.equal((await readOn(s, null)).events.length, 1)
  t.equal((await s.get(`/events?cursor=${(await readOn(s, null)).cursor}`)).status, 200)
})

t.test('docs/events.md tells of every type what the code says', async (t) => {
  const page = await readFile(new URL('../../docs/events.md', import.meta.url), 'utf8')
  const told = [...page.matchAll(/^\| `([a-z.]+)` \| (.*) \|$/gm)].map(([, type, when]) => [
    type,
    when
  ])
  t.same(Object.fromEntries(told), eventTypes)
})
