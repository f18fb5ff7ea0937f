// Ids of other systems as match keys of imports: what they find, what they write, what they never do.

import t from 'tap'
import { contentsOf } from '../helpers/contents.ts'
import {
  cw,
  header,
  linksOf,
  named,
  putLink as put,
  runLinked as run
} from '../helpers/linked-imports.ts'
import { setup } from '../setup.ts'

t.test('a new id becomes a link, and finds the record from then on', async (t) => {
  const s = await setup(t, { worker: true })
  const made = await run(s, ' 4711 ,Acme,Ann,Lee,,Boss\n,Acme,Bob,Ray,,\n')
  t.match(made.columns[0], { header: 'Company ID', field: 'external_ids.connectwise' })
  const [ann] = made.data
  t.match(ann, { outcome: 'created', matched_by: null })
  const link = { system: 'connectwise', external_id: '4711', state: 'not_synced' }
  t.match((await s.get(`/records/${ann.record_id}/links`)).body, { data: [link] })
  t.match((await s.get('/links?state=not_synced')).body.data, [{ record_id: ann.record_id }])
  t.same((await s.get(`/records/${ann.record_id}`)).body.data, {
    organization: (await s.get(`/records/${ann.record_id}`)).body.data.organization,
    first_name: 'Ann',
    last_name: 'Lee',
    title: 'Boss'
  })
  const keys = await s.pool.query('SELECT FROM record_keys WHERE rule < 0 OR value = $1', ['4711'])
  t.equal(keys.rowCount, 0, 'no key but the link')
  const again = await run(s, '4711,Other Inc,Anna,Moe,,Head\n')
  t.match(again.data, [
    { outcome: 'updated', record_id: ann.record_id, matched_by: 'external_ids.connectwise' }
  ])
  const third = await run(s, '4711,Other Inc,Anna,Moe,,Head\n')
  t.match(third.data, [{ outcome: 'unchanged', matched_by: 'external_ids.connectwise' }])
  t.equal((await linksOf(s)).length, 1)
  const events = await s.pool.query(`SELECT FROM events WHERE type LIKE 'sync.%'`)
  t.equal(events.rowCount, 0)
})

t.test('a link in any state finds its record', async (t) => {
  const s = await setup(t, { worker: true })
  const { data } = await run(s, '1,Acme,Ann,Lee,,\n')
  const id = data[0].record_id
  const states = ['pending', 'synced', 'error', 'orphaned', 'disabled', 'disconnected']
  for (const state of states) {
    await s.pool.query('UPDATE record_links SET state = $1', [state])
    const found = await run(s, `1,Acme,Ann,${state},,\n`)
    t.match(found.data, [{ outcome: 'updated', record_id: id }], state)
    t.strictSame(await linksOf(s), [[id, cw, '1', state]])
  }
})

t.test('a record found another way gets the link, in one version', async (t) => {
  const s = await setup(t, { worker: true })
  const { data } = await run(s, ',Acme,Ann,Lee,ann@x.io,\n,Acme,Bob,Ray,,\n')
  const [ann, bob] = data.map(({ record_id }: { record_id: number }) => record_id)
  await put(s, bob, { state: 'pending' })
  const linked = await run(s, '1,Acme,Ann,Lee,ANN@x.io,\n2,Acme,Bob,Ray,,\n')
  const changed_fields = ['external_ids.connectwise']
  t.match(linked.data, [
    { outcome: 'updated', record_id: ann, matched_by: 'email' },
    { outcome: 'updated', record_id: bob, changed_fields }
  ])
  t.strictSame(await linksOf(s), [
    [ann, cw, '1', named],
    [bob, cw, '2', 'pending']
  ])
  const history = (await s.get(`/records/${bob}/history`)).body.data
  t.match(history, [{ version: 2, action: 'update', changes: [] }, { version: 1 }])
  t.equal((await s.get(`/records/${bob}`)).body.version, 2)
})

t.test('a record that is another one there: rejected, or not meant at all', async (t) => {
  const s = await setup(t, { worker: true })
  const { data } = await run(s, '1,Acme,Ann,Lee,ann@x.io,\n')
  const id = data[0].record_id
  const { data: rows } = await run(
    s,
    ['2,Acme,Ann,Lee,ann@x.io,Boss', '3,Acme,Ann,Lee,,', '__CLEAR__,Acme,Ann,Lee,ann@x.io,'].join(
      '\n'
    )
  )
  t.match(rows, [
    {
      outcome: 'rejected',
      problems: [
        {
          code: 'linked_elsewhere',
          column: 'Company ID',
          field: 'external_ids.connectwise',
          value: '2',
          candidates: [{ id, title: 'Ann Lee' }],
          message: /"1" in connectwise, not "2"/
        }
      ]
    },
    { outcome: 'created' },
    { outcome: 'rejected', problems: [{ code: 'immutable_field' }] }
  ])
  t.not(rows[1].record_id, id, 'of the same name, and somebody else')
  const other = await run(s, '3,Acme,Ann,Lee,ann@x.io,\n')
  const [a, b] = [id, rows[1].record_id]
  t.match(other.data[0].problems, [
    { code: 'identity_conflict', candidates: [{ id: b }, { id: a }] }
  ])
  const byId = await run(s, `${id},3,Acme,Ann,Lee,,\n`, { head: `Muster ID,${header}` })
  t.match(byId.data[0].problems, [{ code: 'identity_conflict' }], 'by our own id')
  const blank = await run(s, ',Acme,Ann,Lee,ann@x.io,Boss\n', { blank: 'overwrite' })
  t.match(blank.data, [{ outcome: 'updated', record_id: id }])
  t.equal((await linksOf(s)).length, 2, 'no link was moved or taken away')
})

t.test('two rows with one id that is new are one record', async (t) => {
  const s = await setup(t, { worker: true })
  const lines = '1,Acme,Ann,Lee,,\n1,Acme,Anna,Moe,,Boss\n'
  const rejecting = await run(s, lines)
  t.match(rejecting.data, [
    { outcome: 'created' },
    { outcome: 'rejected', problems: [{ code: 'duplicate_in_file' }] }
  ])
  const merging = await run(s, lines.replaceAll('1,', '2,'), { repeats: 'merge' })
  t.match(merging.data, [{ outcome: 'created' }, { outcome: 'updated' }])
  t.equal(merging.data[0].record_id, merging.data[1].record_id)
  t.equal((await linksOf(s)).length, 2)
})

t.test('several systems in one file, by header, for a type of the account', async (t) => {
  const s = await setup(t, { worker: true })
  const fields = [{ name: 'name', label: 'Name', kind: 'text', use_for_title: true }]
  const body = { name: 'racks', label: 'Racks', organization: 'none', fields }
  t.equal((await s.request('POST', '/record-types', { body })).status, 201)
  const options = { type: 'racks', mapping: {} }
  const head = 'external_ids.connectwise,Name,external_ids.autotask\n'
  const { data } = await run(s, '1,One,a\n2,Two,b\n', { ...options, head })
  const [one, two] = data.map(({ record_id }: { record_id: number }) => record_id)
  t.strictSame(await linksOf(s), [
    [one, 'autotask', 'a', named],
    [two, 'autotask', 'b', named],
    [one, cw, '1', named],
    [two, cw, '2', named]
  ])
  const mixed = await run(s, '1,Uno,\n,Due,b\n1,Tre,b\n', { ...options, head, repeats: 'merge' })
  t.match(mixed.data, [
    { outcome: 'updated', matched_by: 'external_ids.connectwise' },
    { outcome: 'updated', matched_by: 'external_ids.autotask' },
    { outcome: 'rejected', problems: [{ code: 'identity_conflict' }] }
  ])
  const template = await s.get('/record-types/racks/template.csv')
  t.notMatch(template.body, 'external_ids')
  const reserved = [...fields, { name: 'external_ids.x', label: 'X', kind: 'text' }]
  const custom = await s.request('PUT', '/record-types/contacts', { body: { fields: reserved } })
  t.match(custom, { status: 422, body: { code: 'type_invalid' } })
})

t.test('names that are none are refused where they are said', async (t) => {
  const s = await setup(t, { worker: true })
  for (const name of [
    'external_ids.',
    'external_ids.Connect Wise',
    `external_ids.${'x'.repeat(41)}`
  ]) {
    const mapping = { 'Company ID': name }
    const { status, body } = await s.uploadCsv(`${header}1,A,B,C,,\n`, { mapping })
    t.match([status, body.code, body.detail], [422, 'mapping_invalid', /names no system/], name)
    const profile = { name: 'p', type: 'contacts', mapping }
    t.match(await s.request('POST', '/import-profiles', { body: profile }), {
      status: 422,
      body: { code: 'mapping_invalid' }
    })
  }
  const twice = { 'Company ID': 'external_ids.a', title: 'external_ids.a' }
  t.match(await s.uploadCsv(`${header}1,A,B,C,,\n`, { mapping: twice }), {
    status: 422,
    body: { detail: /are both mapped/ }
  })
  const { columns } = await s.runCsv('external_ids.Bad,organization,first_name\n1,A,B\n')
  t.equal(columns[0].field, null, 'a header that is not well-formed is ignored')
  const long = await run(s, `${'9'.repeat(256)},Acme,Ann,Lee,,\n`)
  t.match(long.data, [{ outcome: 'rejected', problems: [{ code: 'value_too_long' }] }])
})

t.test(
  'profile, draft and preview know the column; the sample row may leave it blank',
  async (t) => {
    const s = await setup(t, { worker: true })
    const body = { name: 'psa', type: 'organizations', mapping: { ID: 'external_ids.connectwise' } }
    t.equal((await s.request('POST', '/import-profiles', { body })).status, 201)
    const csv = 'ID,Name\n7,Acme\n'
    const made = await s.uploadCsv(csv, { type: 'organizations', profile: 'psa', start: 'false' })
    t.match(made.body.preview.rows, [{ values: { 'external_ids.connectwise': '7', name: 'Acme' } }])
    const path = `/imports/${made.body.id}`
    const patched = await s.request('PATCH', path, { body: { mapping: { Name: 'name' } } })
    t.match(patched.body.columns, [{ field: 'external_ids.connectwise' }, { field: 'name' }])
    await s.request('POST', `${path}/start`)
    t.match(await s.waitForImport(made.body.id), { counts: { created: 1 } })
    const { body: template } = await s.get('/record-types/organizations/template.csv')
    const [head, sample] = template.split('\r\n')
    const options = {
      type: 'organizations',
      mapping: {},
      head: `${head},external_ids.connectwise\n`
    }
    t.match((await run(s, `${sample},\n`, options)).data, [{ problems: [{ code: 'sample_row' }] }])
  }
)

t.test('only updating: the id of another system is enough', async (t) => {
  const s = await setup(t, { worker: true })
  const head = 'external_ids.zendesk,name,emails\n'
  const options = { type: 'users', mapping: {} }
  const { data } = await run(s, '1,Ann,ann@x.io\n', { ...options, head })
  const only = { ...options, mode: 'update_only', head: 'external_ids.zendesk,notes\n' }
  const found = await run(s, '1,hello\n2,nobody\n,nothing\n', only)
  t.match(found.data, [
    { outcome: 'updated', record_id: data[0].record_id },
    { outcome: 'skipped', problems: [{ code: 'not_found_for_update' }] },
    { outcome: 'rejected', problems: [{ code: 'external_id_missing' }] }
  ])
})

t.test('a row that says nothing new still writes the link that is missing', async (t) => {
  const s = await setup(t, { worker: true })
  const line = '1,Acme,Ann,Lee,ann@x.io,Boss\n'
  const { data } = await run(s, line)
  await s.pool.query('DELETE FROM record_links')
  t.match((await run(s, line)).data, [{ outcome: 'updated', record_id: data[0].record_id }])
  t.strictSame(await linksOf(s), [[data[0].record_id, cw, '1', named]])
  await put(s, data[0].record_id, { state: 'synced', external_id: '2' })
  t.match((await run(s, line)).data, [{ problems: [{ code: 'linked_elsewhere' }] }])
})

t.test(
  'undo and redo: the link waits for its record, or for the next that names the id',
  async (t) => {
    const s = await setup(t, { worker: true })
    const undo = async (id: number, verb = 'undo') => {
      const { body } = await s.request('POST', `/imports/${id}/${verb}`)
      return await s.waitForImport(body.id)
    }
    await s.runCsv('name\nAcme\n', { type: 'organizations' })
    const made = await run(s, '1,Acme,Ann,Lee,,\n')
    const [{ record_id: ann }] = made.data
    const gone = await undo(made.id)
    t.match(gone, { counts: { reverted: 1, kept: 0 } }, 'it does not count as synced')
    t.match(await s.get(`/records/${ann}`), { status: 404 })
    await undo(gone.id, 'redo')
    t.strictSame(await linksOf(s), [[ann, cw, '1', named]])
    t.match((await run(s, '1,Acme,Ann,Lee,,\n')).data, [{ outcome: 'unchanged', record_id: ann }])
    const goneAgain = await undo(made.id)
    const { data: others } = await run(s, ',Acme,Cid,Moe,,\n')
    const [{ record_id: cid }] = others
    t.equal((await put(s, cid, { state: 'synced', external_id: '1' })).status, 200)
    const taken = [
      [cid, cw, '1', 'synced'],
      [ann, cw, null, named]
    ]
    t.strictSame(await linksOf(s), taken, 'free for a connector, too')
    await s.pool.query('DELETE FROM record_links WHERE external_id IS NULL')
    await s.pool.query('UPDATE record_links SET record_id = $1, state = $2', [ann, 'disabled'])
    const next = await run(s, '1,Acme,Zoe,Poe,,\n')
    const [{ record_id: zoe, outcome }] = next.data
    t.equal(outcome, 'created')
    t.strictSame(await linksOf(s), [[zoe, cw, '1', named]], 'taken over')
    await undo(goneAgain.id, 'redo')
    t.equal((await s.get(`/records/${ann}`)).status, 200)
    t.strictSame(await linksOf(s), [[zoe, cw, '1', named]])
    t.match((await run(s, '1,Acme,Zoe,Poe,,\n')).data, [{ outcome: 'unchanged', record_id: zoe }])
  }
)

t.test('undo of a link that was named for a record which stays', async (t) => {
  const s = await setup(t, { worker: true })
  await run(s, ',Acme,Ann,Lee,,\n')
  const first = await run(s, '1,Acme,Ann,Lee,,Boss\n')
  const only = await run(s, '1,Acme,Ann,Lee,,Boss\n5,Acme,Bob,Ray,,\n', {
    mapping: { 'Company ID': 'external_ids.autotask' }
  })
  t.match(only.data[0], { outcome: 'updated', changed_fields: ['external_ids.autotask'] })
  for (const { id } of [only, first]) {
    const { body } = await s.request('POST', `/imports/${id}/undo`)
    const ended = await s.waitForImport(body.id)
    t.match(ended.counts, { kept: 0, failed: 0 })
    const { data } = (await s.get(`/imports/${body.id}/rows`)).body
    for (const row of data) t.same([row.outcome, row.problems], ['reverted', []])
  }
  t.equal((await linksOf(s)).length, 3, 'links stay')
})

t.test('a dry run shows it and writes nothing; applied, it does that', async (t) => {
  const s = await setup(t, { worker: true })
  await run(s, ',Acme,Ann,Lee,,\n')
  const before = await contentsOf(s.pool)
  const lines = '1,Acme,Ann,Lee,,\n2,Acme,Bob,Ray,,\n'
  const dry = await run(s, lines, { dry_run: 'true' })
  t.strictSame(await contentsOf(s.pool), before)
  t.match(dry.data, [
    { outcome: 'updated', changes: { 'external_ids.connectwise': { from: null, to: '1' } } },
    { outcome: 'created', changes: { 'external_ids.connectwise': { from: null, to: '2' } } }
  ])
  const { body } = await s.request('POST', `/imports/${dry.id}/apply`)
  t.match(await s.waitForImport(body.id), { counts: { created: 1, updated: 1 } })
  t.equal((await linksOf(s)).length, 2)
  const late = await run(s, '3,Acme,Cid,Moe,,\n', { dry_run: 'true' })
  await put(s, dry.data[0].record_id, { state: 'pending', external_id: '3' })
  const { body: drifting } = await s.request('POST', `/imports/${late.id}/apply`)
  await s.waitForImport(drifting.id)
  const rows = (await s.get(`/imports/${drifting.id}/rows`)).body.data
  t.match(rows, [{ outcome: 'rejected', problems: [{ code: 'drifted' }] }])
})
