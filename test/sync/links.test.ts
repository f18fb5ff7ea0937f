// Links of records to other systems: states and moves, orphans, what events and undo make of them.

import { readFile } from 'node:fs/promises'
import t from 'tap'
import { createApiKey } from '../../src/access/store.ts'
import { linkMoves, linkStates, linkStateTexts, mayMove } from '../../src/sync/links/status.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const csv = 'external_id,organization,first_name,title\n1,Acme,Ann,Boss\n2,Acme,Bob,Clerk\n'

async function withRecords(t: Parameters<typeof setup>[0]) {
  const s = await setup(t, { worker: true })
  const { id } = await s.runCsv(csv)
  const { data } = (await s.get(`/imports/${id}/rows`)).body
  const [ann, bob] = data.map(({ record_id }: { record_id: number }) => record_id)
  const put = (record: number, body: object, system = 'connectwise') =>
    s.request('PUT', `/records/${record}/links/${system}`, { body })
  return { s, id, ann, bob, put }
}

const events = async ({ pool }: Setup, like: string) =>
  (await pool.query('SELECT type, data FROM events WHERE type LIKE $1 ORDER BY position', [like]))
    .rows

t.test('every move of the table is made, and every other one is refused', async (t) => {
  const { s, ann, put } = await withRecords(t)
  const real = linkStates.filter((state) => state !== 'not_synced')
  for (const from of linkStates) {
    for (const to of real) {
      await s.pool.query('DELETE FROM record_links')
      if (from !== 'not_synced') {
        await s.pool.query(
          `INSERT INTO record_links (account_id, record_id, system, type_id, state, external_id)
          SELECT $1, $2, 'connectwise', type_id, $3, '17' FROM records WHERE id = $2`,
          [s.account_id, ann, from]
        )
      }
      const { status, body } = await put(ann, { state: to })
      if (mayMove(from, to)) t.match([status, body.state], [200, to], `${from} -> ${to}`)
      else t.match([status, body.code], [409, 'link_state_conflict'], `${from} -> ${to}`)
      if (status === 200 && from !== 'not_synced') t.equal(body.external_id, '17', 'remembered')
    }
  }
})

t.test('a connector says what a record is, and is told of by events', async (t) => {
  const { s, ann, bob, put } = await withRecords(t)
  const path = `/records/${ann}/links/connectwise`
  t.match((await s.get(path)).body, { state: 'not_synced', type: 'contacts', created_at: null })
  t.same((await s.get(`/records/${ann}/links`)).body, { data: [] })
  t.match(await put(ann, { state: 'synced', external_id: '4711' }), {
    status: 200,
    body: { record_id: ann, system: 'connectwise', state: 'synced', external_id: '4711' }
  })
  await put(ann, { state: 'synced' })
  const refused = { state: 'error', error: 'no such company' }
  t.match(await put(ann, refused), { body: { ...refused, external_id: '4711' } })
  t.match(await put(bob, { state: 'synced', external_id: '4711' }), {
    status: 409,
    body: { code: 'link_taken' }
  })
  t.equal((await put(bob, { state: 'synced', external_id: '4711' }, 'autotask')).status, 200)
  t.match(await put(ann, { state: 'orphaned' }), { body: { error: null } })
  const { body } = await s.get('/links?state=orphaned&system=connectwise')
  t.match(body, { data: [{ record_id: ann }], next_cursor: null })
  t.equal((await s.get('/links?limit=1')).body.data.length, 1)
  t.match(await s.request('DELETE', path), { status: 200, body: { state: 'disconnected' } })
  t.match(await put(ann, { state: 'pending' }), { body: { external_id: '4711' } })
  const told = await events(s, 'sync.%')
  t.same(
    told.map(({ type, data }) => [type, data.system, data.state_before, data.state]),
    [
      ['sync.updated', 'connectwise', 'not_synced', 'synced'],
      ['sync.failed', 'connectwise', 'synced', 'error'],
      ['sync.updated', 'autotask', 'not_synced', 'synced'],
      ['sync.updated', 'connectwise', 'error', 'orphaned'],
      ['sync.updated', 'connectwise', 'orphaned', 'disconnected'],
      ['sync.updated', 'connectwise', 'disconnected', 'pending']
    ],
    'and nothing of what was said again'
  )
  t.match(told[1]?.data, { error: 'no such company', records: [{ record_id: ann, title: 'Ann' }] })
  t.ok(
    told.every(({ data }) => data.records[0].values === null),
    'what the import wrote is held'
  )
  t.match(await put(999_999, { state: 'pending' }), { status: 404 })
  t.match(await put(ann, { state: 'not_synced' }), { status: 400 })
  t.match(await s.get('/records/999999/links'), { status: 404 })
})

t.test('a change that is told of makes links pending, one that is held does not', async (t) => {
  const { s, ann, bob, put } = await withRecords(t)
  const connector = await s.pool.query(
    `INSERT INTO api_keys (account_id, name, key_hash) VALUES ($1, 'psa', sha256('x')) RETURNING id`,
    [s.account_id]
  )
  for (const [record, external_id] of [
    [ann, '1'],
    [bob, '2']
  ] as const) {
    await put(record, { state: 'synced', external_id })
    await s.pool.query('UPDATE record_links SET changed_by = $1', [connector.rows[0].id])
  }
  const stateOf = async (id: number) =>
    (await s.get(`/records/${id}/links/connectwise`)).body.state as string
  const changed = csv.replace('Boss', 'Head of IT')
  const { id } = await s.runCsv(changed)
  t.equal(await stateOf(ann), 'synced', 'held')
  await s.request('POST', `/imports/${id}/push`, { body: { what: 'all' } })
  await until('it is pushed', async () => (await stateOf(ann)) === 'pending')
  t.equal(await stateOf(bob), 'synced')
  const [event] = await events(s, 'record.updated')
  t.same(event.data.records[0].external_ids, { connectwise: '1' })
})

t.test('an undo keeps what is linked', async (t) => {
  const { s, id, ann, put } = await withRecords(t)
  await put(ann, { state: 'synced', external_id: '1' })
  const { body: undo } = await s.request('POST', `/imports/${id}/undo`)
  t.match(await s.waitForImport(undo.id), { counts: { reverted: 1, kept: 2 } })
  const { data } = (await s.get(`/imports/${undo.id}/rows?outcome=kept`)).body
  const problem = data.find(({ record_id }: { record_id: number }) => record_id === ann).problems[0]
  t.match(problem, { code: 'syncing', value: 'connectwise' })
  await put(ann, { state: 'disabled' })
  const { body: again } = await s.request('POST', `/imports/${id}/undo`)
  t.match(await s.waitForImport(again.id), { counts: { reverted: 2, kept: 0 } })
  t.match(await s.get(`/records/${ann}`), { status: 404 })
  t.match(await s.request('DELETE', `/records/${ann}/links/connectwise`), {
    status: 200,
    body: { state: 'disconnected', external_id: '1' }
  })
})

t.test('what is gone in the other system can go here, too', async (t) => {
  const { s, id, ann, put } = await withRecords(t)
  await put(ann, { state: 'synced', external_id: '1' })
  await put(ann, { state: 'orphaned' })
  const { body: undo } = await s.request('POST', `/imports/${id}/undo`)
  t.match(await s.waitForImport(undo.id), { counts: { reverted: 3, kept: 0 } })
  t.equal((await s.get(`/records/${ann}`)).status, 404)
})

t.test(
  'what was deleted comes back by redo alone, and its external id stays its own until it is taken off',
  async (t) => {
    const { s, id, ann, put } = await withRecords(t)
    await put(ann, { state: 'synced', external_id: '1' })
    await put(ann, { state: 'disabled' })
    const ended = async (of: number, verb: string) => {
      const { body } = await s.request('POST', `/imports/${of}/${verb}`)
      return (await s.waitForImport(body.id)).id
    }
    await ended(await ended(id, 'undo'), 'redo')
    t.equal((await s.get(`/records/${ann}`)).status, 200)
    t.match((await s.get(`/records/${ann}/links`)).body.data, [
      { state: 'disabled', external_id: '1' }
    ])
    await ended(id, 'undo')
    const again = await s.runCsv(csv)
    const { data } = (await s.get(`/imports/${again.id}/rows`)).body
    const [{ record_id: other }] = data
    t.not(other, ann, 'an import makes another record')
    const link = { state: 'synced', external_id: '1' }
    t.match(await put(other, link), { status: 409, body: { code: 'link_taken' } })
    await s.request('DELETE', `/records/${ann}/links/connectwise`)
    t.equal((await put(other, link)).status, 200)
  }
)

t.test('a created record that has changed since makes its links pending', async (t) => {
  const s = await setup(t, { worker: true })
  const { id } = await s.runCsv(csv)
  const { data } = (await s.get(`/imports/${id}/rows`)).body
  const records = data.map(({ record_id }: { record_id: number }) => record_id)
  const { key } = await createApiKey(s.pool, s.account_id, 'psa')
  for (const record of records) {
    await s.request('PUT', `/records/${record}/links/psa`, { key, body: { state: 'synced' } })
  }
  await s.runCsv(csv.replace('Boss', 'Head of IT'))
  await s.request('POST', `/imports/${id}/push`, { body: { what: 'created' } })
  const states = async () =>
    (await s.get('/links')).body.data.map(({ state }: { state: string }) => state)
  await until('it is told', async () => (await states())[0] === 'pending')
  t.same(await states(), ['pending', 'synced'], 'the other one says what it said then')
})

t.test('who reports keeps the link, who only moves it does not', async (t) => {
  const { s, ann } = await withRecords(t)
  const { key: psa } = await createApiKey(s.pool, s.account_id, 'psa')
  const put = (key: string, state: string) =>
    s.request('PUT', `/records/${ann}/links/connectwise`, { key, body: { state } })
  await put(psa, 'synced')
  await put(psa, 'orphaned')
  await put(s.key, 'synced')
  const stateOf = async () => (await s.get(`/records/${ann}/links/connectwise`)).body.state
  await s.runCsv(csv.replace('Boss', 'Head of IT'), { push: 'all' })
  await until('a change by somebody else is to be written', async () => {
    return (await stateOf()) === 'pending'
  })
  await put(psa, 'synced')
  const own = new FormData()
  own.set('file', new Blob([csv]), 'contacts.csv')
  for (const [name, value] of Object.entries({ type: 'contacts', push: 'all' })) {
    own.set(name, value)
  }
  const headers = { authorization: `Bearer ${psa}` }
  await fetch(`${s.url}/imports`, { method: 'POST', headers, body: own })
  await until(
    'its own change is told',
    async () => (await events(s, 'record.updated')).length === 2
  )
  t.equal(await stateOf(), 'synced')
})

t.test('another reason is told of, and one that is left out stays', async (t) => {
  const { s, ann, put } = await withRecords(t)
  await put(ann, { state: 'synced' })
  for (const error of ['one', 'two', 'two']) await put(ann, { state: 'error', error })
  t.match(await put(ann, { state: 'error' }), { body: { error: 'two' } })
  const told = await events(s, 'sync.failed')
  t.same(
    told.map(({ data }) => [data.state_before, data.error]),
    [
      ['synced', 'one'],
      ['error', 'two']
    ]
  )
})

t.test('an external id is what it looks like', async (t) => {
  const { ann, bob, put } = await withRecords(t)
  const e = { one: ' e\u0301-1 ', same: '\u00e9-1' }
  t.match(await put(ann, { state: 'synced', external_id: e.one }), {
    body: { external_id: e.same }
  })
  t.match(await put(bob, { state: 'synced', external_id: e.same }), { status: 409 })
})

t.test('a link that an import is writing is not waited for', async (t) => {
  const { s, ann, bob, put } = await withRecords(t)
  const tx = await s.pool.connect()
  t.teardown(() => tx.release())
  await tx.query('BEGIN')
  await tx.query(
    `INSERT INTO record_links (account_id, record_id, system, type_id, external_id, state)
    VALUES ($1, $2, 'connectwise', 2, '1', 'not_synced')`,
    [s.account_id, ann]
  )
  const busy = await put(ann, { state: 'synced' })
  t.match(busy, { status: 503, body: { code: 'record_busy' } })
  t.ok(busy.headers.get('retry-after'))
  t.equal((await put(bob, { state: 'synced' })).status, 200)
  await tx.query('COMMIT')
  t.match(await put(ann, { state: 'synced' }), { status: 200, body: { external_id: '1' } })
})

t.test('what a deleted record was elsewhere, another one can be', async (t) => {
  const { s, id, ann, bob, put } = await withRecords(t)
  await put(ann, { state: 'synced', external_id: '1' })
  await put(ann, { state: 'disabled' })
  const { body: undo } = await s.request('POST', `/imports/${id}/undo`)
  await s.waitForImport(undo.id)
  const again = await s.runCsv(csv)
  const { data } = (await s.get(`/imports/${again.id}/rows`)).body
  const linked = { state: 'synced', external_id: '1' }
  t.match(await put(data[0].record_id, linked), { status: 409, body: { code: 'link_taken' } })
  await put(ann, { state: 'disconnected' })
  t.match(await put(data[0].record_id, linked), { status: 200, body: { external_id: '1' } })
  t.match(await s.get(`/records/${ann}/links`), {
    body: { data: [{ state: 'disconnected', external_id: null }] }
  })
  t.match(await put(bob, linked), { status: 404 })
})

t.test('docs/links.md has every state and every move, and no other', async (t) => {
  const page = await readFile(new URL('../../docs/links.md', import.meta.url), 'utf8')
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '))
  t.same(rows, [
    ...linkStates.map((state) => [`\`${state}\``, linkStateTexts[state]]),
    ...linkStates.flatMap((from) =>
      Object.entries(linkMoves[from]).map(([to, when]) => [`\`${from}\``, `\`${to}\``, when])
    )
  ])
})
