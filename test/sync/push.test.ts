// Events about the records of imports: held until they are pushed, told once, in order, and taken
// back by an undo.

import t from 'tap'
import { publishAll } from '../../src/notify/events/publish.ts'
import { withTransaction } from '../../src/platform/db.ts'
import { pushPage } from '../../src/sync/push/push-page.ts'
import { runPushes } from '../../src/sync/push/run-pushes.ts'
import { claimPush } from '../../src/sync/push/store.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const { signal } = new AbortController()

interface StoredEvent {
  type: string
  record_type: string
  actor_key: number | null
  data: { import_id: number | null; records: Record<string, unknown>[] }
}

/** Events about records, in the order they were written. */
async function recordEvents({ pool }: Setup): Promise<StoredEvent[]> {
  const { rows } = await pool.query<StoredEvent>(
    `SELECT type, record_type, actor_key, data FROM events WHERE type LIKE 'record.%'
    ORDER BY position`
  )
  return rows
}

const titles = ({ type, data }: StoredEvent) => [type, ...data.records.map(({ title }) => title)]

async function push(s: Setup, id: number, body: object) {
  const answer = await s.request('POST', `/imports/${id}/push`, { body })
  t.equal(answer.status, 202)
  await runPushes({ pool: s.pool, signal })
}

const csv =
  'external_id,organization,first_name,last_name,title\n1,Acme,Ann,Lee,Boss\n2,Acme,Bob,Ray,\n'

t.test('records of an import are held until somebody pushes them', async (t) => {
  const s = await setup(t, { worker: true })
  const { get } = s
  const { id, not_pushed } = await s.runCsv(csv)
  t.equal(not_pushed, 2)
  t.same(await recordEvents(s), [])
  const rows = async () => (await get(`/imports/${id}/rows`)).body.data
  t.same(
    (await rows()).map(({ pushed }: { pushed: boolean }) => pushed),
    [false, false]
  )
  const [, bob] = await rows()
  await push(s, id, { what: 'created', record_ids: [bob.record_id] })
  await until('one is told', async () => (await recordEvents(s)).length === 1)
  t.equal((await get(`/imports/${id}`)).body.not_pushed, 1)
  await push(s, id, { what: 'updated' })
  await push(s, id, { what: 'all' })
  const events = await until('all are told', async () => {
    const all = await recordEvents(s)
    return all.length === 3 ? all : null
  })
  t.same(events.map(titles), [
    ['record.created', 'Bob Ray'],
    ['record.created', 'Acme'],
    ['record.created', 'Ann Lee']
  ])
  const [ann] = events[2]?.data.records ?? []
  t.match(ann, {
    type: 'contacts',
    external_ids: {},
    organization: { title: 'Acme', external_id: null, external_ids: {} },
    changed_fields: null,
    values: { external_id: '1', first_name: 'Ann', organization: { title: 'Acme' } },
    actor: { name: 'test key' }
  })
  t.equal((await get(`/imports/${id}`)).body.not_pushed, 0)
  t.same(
    (await rows()).map(({ pushed }: { pushed: boolean }) => pushed),
    [true, true]
  )
  await push(s, id, { what: 'all' })
  await until('the last push', async () => {
    const { rows } = await s.pool.query('SELECT 1 FROM pushes WHERE ended_at IS NULL')
    return rows.length === 0
  })
  t.equal((await recordEvents(s)).length, 3, 'nothing twice')
})

t.test('push=... tells when the import has ended; an undo tells those who were told', async (t) => {
  const s = await setup(t, { worker: true })
  const first = await s.runCsv(csv, { push: 'created' })
  t.equal(first.options.push, 'created')
  await until('two events', async () => (await recordEvents(s)).length === 2)
  const changed = csv.replace('Boss', 'Head of IT').replace('Bob,Ray', 'Bob,Rey')
  const second = await s.runCsv(`${changed}3,Acme,Cleo,May,\n`, { push: 'updated' })
  const [updated] = await until('the update', async () => {
    const all = (await recordEvents(s)).slice(2)
    return all.length === 1 ? all : null
  })
  t.same(updated && titles(updated), ['record.updated', 'Ann Lee', 'Bob Rey'])
  t.match(updated?.data.records[0], {
    changed_fields: { title: { from: 'Boss', to: 'Head of IT' } },
    values: { title: 'Head of IT' }
  })
  t.match((await s.get(`/imports/${second.id}`)).body, { not_pushed: 1 })
  const { body: undo } = await s.request('POST', `/imports/${second.id}/undo`)
  await s.waitForImport(undo.id)
  const back = await until('what the undo tells', async () => {
    const all = (await recordEvents(s)).slice(3)
    return all.length === 1 ? all : null
  })
  t.match(back[0]?.data, { import_id: undo.id })
  t.same(back[0]?.data.records.map(({ title }) => title).sort(), ['Ann Lee', 'Bob Ray'])
  const { body: all } = await s.request('POST', `/imports/${first.id}/undo`)
  await s.waitForImport(all.id)
  const gone = await until('that they are gone', async () => {
    const events = (await recordEvents(s)).slice(4)
    return events.flatMap(({ data }) => data.records).length === 3 ? events : null
  })
  t.same(
    gone.map(({ type }) => type),
    ['record.deleted', 'record.deleted']
  )
  t.match(gone[0]?.data.records[0], { values: null, changed_fields: null })
})

t.test('secrets are not told of, only that they changed', async (t) => {
  const s = await setup(t, { worker: true })
  const passwords = (password: string) =>
    `organization,name,username,password\nAcme,Router,admin,${password}\n`
  await s.runCsv(passwords('hunter2'), { type: 'passwords', push: 'all' })
  await s.runCsv(passwords('correct-horse'), { type: 'passwords', push: 'all' })
  const events = await until('the events', async () => {
    const all = await recordEvents(s)
    return all.length === 3 ? all : null
  })
  t.match(events[2]?.data.records, [{ changed_fields: { password: { secret: true } } }])
  t.notMatch(JSON.stringify(events), /hunter2|correct-horse|"password":"/)
})

t.test('a crash in the middle of a push loses and doubles nothing', async (t) => {
  const s = await setup(t)
  const numbers = Array.from({ length: 1_700 }, (_, i) => i + 1)
  const rows = numbers.map((n) => `${n},Acme,Contact ${n}\n`).join('')
  const { body } = await s.uploadCsv(`external_id,organization,first_name\n${rows}`, {
    push: 'all'
  })
  await s.pool.query(
    `ALTER TABLE pushes ADD CONSTRAINT later CHECK (ended_at IS NULL) NOT VALID` // no worker ends it
  )
  await s.startWorker()
  await s.waitForImport(body.id)
  // A page whose transaction does not commit.
  const crash = withTransaction(s.pool, async (tx) => {
    const push = await claimPush(tx)
    if (push) await pushPage(tx, push)
    throw new Error('killed')
  })
  await crash.catch(() => {})
  await s.pool.query('ALTER TABLE pushes DROP CONSTRAINT later')
  await Promise.all([1, 2, 3].map(() => runPushes({ pool: s.pool, signal })))
  const events = await until('all are told', async () => {
    const all = await recordEvents(s)
    const told = all.flatMap(({ data }) => data.records)
    return told.length > 1_700 ? all : null
  })
  const told = events.flatMap(({ data }) => data.records.map(({ title }) => title))
  t.same(
    told,
    ['Acme', ...numbers.map((n) => `Contact ${n}`)],
    'each once, in the order of the file'
  )
  t.ok(events.every(({ data }) => data.records.length <= 100))
  t.match((await s.get(`/imports/${body.id}`)).body, { not_pushed: 0 })
})

t.test('whoever made a change is not told of it', async (t) => {
  const s = await setup(t, { worker: true })
  const { rows } = await s.pool.query('SELECT id FROM api_keys WHERE account_id = $1', [
    s.account_id
  ])
  const url = 'https://example.com/hooks'
  const body = { url, event_types: ['record.created'] }
  const { body: own } = await s.request('POST', '/webhooks', {
    body: { ...body, ignore_keys: [rows[0].id] }
  })
  const { body: other } = await s.request('POST', '/webhooks', {
    body: { ...body, ignore_keys: [] }
  })
  await s.runCsv(csv, { push: 'all' })
  await until('the events', async () => (await recordEvents(s)).length === 2)
  await publishAll({ pool: s.pool, signal })
  const deliveries = async (id: number) =>
    (await s.get(`/webhooks/${id}/deliveries`)).body.data.length
  await until('deliveries', async () => (await deliveries(other.id)) === 2)
  t.equal(await deliveries(own.id), 0)
})

t.test('bringing a version back is told of at once', async (t) => {
  const s = await setup(t, { worker: true })
  const { id } = await s.runCsv(csv)
  await s.runCsv(csv.replace('Boss', 'Clerk'))
  const { body } = await s.get(`/imports/${id}/rows`)
  const [{ record_id }] = body.data
  const restore = { version: 1, dry_run: true }
  await s.request('POST', `/records/${record_id}/restore`, { body: restore })
  t.same(await recordEvents(s), [], 'not of a dry run')
  await s.request('POST', `/records/${record_id}/restore`, { body: { version: 1 } })
  const [told, ...more] = await recordEvents(s)
  t.same(more, [])
  t.match(told, {
    type: 'record.updated',
    record_type: 'contacts',
    data: {
      import_id: null,
      records: [{ record_id, changed_fields: { title: { from: 'Clerk', to: 'Boss' } } }]
    }
  })
  t.type(told?.actor_key, 'number')
})

t.test('what cannot be pushed', async (t) => {
  const s = await setup(t)
  const ask = (id: number) => s.request('POST', `/imports/${id}/push`, { body: { what: 'all' } })
  t.match(await ask(99), { status: 404, body: { code: 'import_not_found' } })
  const { body } = await s.uploadCsv(csv)
  t.match(await ask(body.id), { status: 409, body: { code: 'import_state_conflict' } })
  await s.startWorker()
  const { body: dry } = await s.uploadCsv(csv, { dry_run: 'true', push: 'all' })
  await s.waitForImport(dry.id)
  t.match(await ask(dry.id), { status: 409, body: { code: 'import_state_conflict' } })
  t.match(await s.uploadCsv(csv, { push: 'some' }), {
    status: 400,
    body: { code: 'invalid_option' }
  })
  const other = await s.makeAccount()
  const headers = { authorization: `Bearer ${other.key}` }
  const theirs = await fetch(`${s.url}/imports/${body.id}/push`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: '{"what":"all"}'
  })
  t.equal(theirs.status, 404)
})
