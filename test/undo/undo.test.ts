// Taking imports back: what goes, what comes back, what stays and why.

import t from 'tap'
import { codesOf, faultsOf, readStore, rowsOf, undoHere } from '../helpers/undo-ways.ts'
import { type Setup, setup } from '../setup.ts'

const people = 'organization,external_id,first_name,last_name,title\n'

/** Undoes by the worker of the service. */
async function undo(service: Setup, id: number, verb = 'undo', body: unknown = undefined) {
  const {
    status,
    body: json,
    headers
  } = await service.request('POST', `/imports/${id}/${verb}`, {
    ...(body !== undefined && { body })
  })
  if (status !== 202) return { status, body: json, rows: [], json }
  if (headers.get('location') !== `/imports/${json.id}`) throw new Error('no location')
  const ended = await service.waitForImport(json.id)
  return { status, body: json, json: ended, rows: await rowsOf(service, json.id) }
}

const stateOf = async (service: Setup, id: number) =>
  (await service.get(`/imports/${id}`)).body.state

const idOf = async (service: Setup, external_id: string) => {
  const { body } = await service.get(`/records?type=contacts&filter[external_id]=${external_id}`)
  return body.data[0]?.id
}

t.test('an import is taken back; its job and its JSON say how', async (t) => {
  const service = await setup(t, { worker: true })
  const first = await service.runCsv(`${people}A,x1,Ann,Lee,CEO\nA,x2,Bob,Moe,\n`, {
    name: 'one.csv'
  })
  const before = await readStore(service)
  const second = await service.runCsv(`${people}A,x1,Anna,Loe,\nB,x3,Cid,Poe,\n`, {
    name: 'two.csv'
  })
  const { json, rows } = await undo(service, second.id)
  t.match(json, {
    kind: 'undo',
    type: 'contacts',
    state: 'completed',
    undo_of: second.id,
    file: null,
    earlier_import: null,
    dry_run: false,
    rows: { done: 3, total: 3 },
    counts: { reverted: 3, kept: 0, failed: 0, not_reached: 0 },
    created_by: { name: 'test key' },
    expired: { file: null }
  })
  t.match(
    rows.map(({ problems, matched_by, ...row }) => row),
    [
      {
        row: 1,
        line: 2,
        type: 'contacts',
        changed_fields: null,
        title: 'Cid Poe',
        external_id: 'x3'
      },
      { row: 2, line: 1, type: 'contacts', changed_fields: ['first_name', 'last_name'] },
      { row: 3, line: 0, type: 'organizations', changed_fields: null, title: 'B' }
    ]
  )
  t.strictSame(await readStore(service), before)
  t.equal(await stateOf(service, second.id), 'undone')
  t.equal((await service.get(`/imports/${second.id}`)).body.undone_by, json.id)
  t.match(await undo(service, second.id), { status: 409, body: { code: 'import_state_conflict' } })
  t.match(await undo(service, 99), { status: 404, body: { code: 'import_not_found' } })
  t.match(await undo(service, first.id, 'redo'), { status: 409, body: { code: 'nothing_to_undo' } })
  const other = await service.makeAccount()
  const { status } = await service.request('POST', `/imports/${first.id}/undo`, { key: other.key })
  t.equal(status, 404, 'of another account')
  // The next import finds the records by what they are again.
  const third = await service.runCsv(`${people}A,x1,Ann,Lee,CEO\nA,x3,Cid,Poe,\n`)
  t.match(third.counts, { unchanged: 1, created: 1 })
})

t.test(
  'what others changed since stays, field by field, with the reason and by whom',
  async (t) => {
    const service = await setup(t, { worker: true })
    await service.runCsv(`${people}A,x1,Ann,Lee,a\nA,x2,Bob,Moe,b\nA,x3,Cid,Poe,c\n`)
    const import_id = (
      await service.runCsv(`${people}A,x1,Ann1,Lee1,a1\nA,x2,Bob1,Moe1,b\nA,x3,Cid1,Poe,c\n`)
    ).id
    const later = await service.runCsv(`${people}A,x1,Ann1,Lee2,a1\nA,x2,Bob1,Moe1,b2\n`, {
      name: 'later.csv'
    })
    const x3 = await idOf(service, 'x3')
    await service.request('POST', `/records/${x3}/restore`, { body: { version: 1 } })
    await service.request('POST', `/records/${x3}/restore`, { body: { version: 2 } })
    const tried = await undo(service, import_id, 'undo', { dry_run: true })
    t.equal(await stateOf(service, import_id), 'completed', 'a dry run changes nothing')
    t.strictSame(codesOf(tried.rows), ['reverted', 'reverted', 'reverted changed_since'])
    const { rows } = await undo(service, import_id)
    t.same(
      tried.rows[0].changes,
      { first_name: { from: 'Cid1', to: 'Cid' } },
      'shows what it would do'
    )
    const titled = (all: { title: string }[]) =>
      all.map((row) => ({ ...row, title: '', changes: null, pushed: null }))
    t.strictSame(titled(rows), titled(tried.rows), 'and says what happens')
    const of = (id: number) => rows.find(({ record_id }) => record_id === id)
    t.match(of(await idOf(service, 'x1')), {
      outcome: 'reverted',
      changed_fields: ['first_name', 'title'],
      problems: [
        {
          code: 'changed_since',
          field: 'last_name',
          severity: 'warning',
          message: `last_name was changed since by import ${later.id} (later.csv), and stays as it is.`,
          by: { import: { id: later.id, file_name: 'later.csv' }, key: null }
        }
      ]
    })
    // Restored back and forth: that is no change.
    t.match(of(x3), { outcome: 'reverted', problems: [] })
    const { body } = await service.get(`/records/${await idOf(service, 'x1')}`)
    t.match(body.data, { first_name: 'Ann', last_name: 'Lee2', title: 'a' })
    t.match((await service.get(`/records/${await idOf(service, 'x2')}`)).body.data, { title: 'b2' })
  }
)

t.test(
  'a record of which all is changed stays, and so does one that others refer to',
  async (t) => {
    const service = await setup(t, { worker: true })
    const first = await service.runCsv(`${people}A,x1,Ann,Lee,a\nA,x2,Bob,Moe,b\n`, {
      name: 'one.csv'
    })
    await service.runCsv(`${people}B,x3,Cid,Poe,c\n`)
    const x1 = await idOf(service, 'x1')
    const x2 = await idOf(service, 'x2')
    await service.runCsv(`${people}A,x1,Anna,Lee,a\n`)
    await service.runCsv(`${people}A,x1,Ann2,Lee,a\n`)
    await service.request('POST', `/records/${x1}/restore`, { body: { version: 2 } })
    const { rows, json } = await undo(service, first.id)
    t.strictSame(codesOf(rows), ['reverted', 'kept changed_since', 'kept referred_to'])
    t.match(rows[1].problems[0], { by: { key: { name: 'test key' }, import: null } })
    t.match(rows[2], {
      type: 'organizations',
      problems: [{ candidates: [{ id: x1, title: 'Anna Lee' }], by: { key: { name: 'test key' } } }]
    })
    t.equal(json.state, 'completed_with_errors')
    t.equal(await stateOf(service, first.id), 'partially_undone')
    t.equal((await service.get(`/records/${x2}`)).status, 404)
    // Restored to what the import left, the rest can go as well.
    await service.request('POST', `/records/${x1}/restore`, { body: { version: 1 } })
    const rest = await undo(service, first.id)
    t.strictSame(codesOf(rest.rows), ['reverted', 'reverted'])
    t.equal(await stateOf(service, first.id), 'undone')
    t.strictSame(await faultsOf(service, await readStore(service)), [])
  }
)

t.test('an undo that keeps everything leaves the import as it had ended', async (t) => {
  const service = await setup(t, { worker: true })
  const first = await service.runCsv('name\nA\n', { type: 'organizations' })
  await service.runCsv(`${people}A,x3,Cid,Poe,c\n`)
  const { json, rows } = await undo(service, first.id)
  // The status that it was given by default stays with it.
  t.strictSame(codesOf(rows), ['kept referred_to', 'kept referred_to'])
  t.equal(json.state, 'completed_with_errors')
  t.equal(await stateOf(service, first.id), 'completed')
})

t.test('parents inside one file, in any order and in batches of one, and circles', async (t) => {
  const service = await setup(t)
  const files = {
    down: 'name,parent\na,\nb,a\nc,b\nd,c\n',
    up: 'name,parent\nd,c\nc,b\nb,a\na,\n'
  }
  const { runJob } = await import('../helpers/undo-ways.ts')
  for (const [name, csv] of Object.entries(files)) {
    for (const batchRows of [1, 2, 3_000]) {
      const { body } = await service.uploadCsv(csv, { type: 'organizations', name: `${name}.csv` })
      await runJob(service, body.id)
      const { rows } = await undoHere(service, body.id, {}, { batchRows })
      // The status that they are given by default goes with them.
      t.strictSame(codesOf(rows), Array(5).fill('reverted'), `${name} ${batchRows}`)
    }
  }
  const circle = 'external_id,name,parent\n1,a,\n2,b,a\n1,a,b\n3,c,\n'
  const { body } = await service.uploadCsv(circle, { type: 'organizations', repeats: 'merge' })
  await runJob(service, body.id, { batchRows: 1 })
  const { rows } = await undoHere(service, body.id, {}, { batchRows: 1 })
  t.strictSame(codesOf(rows), Array(4).fill('reverted'))
  t.strictSame(await readStore(service), { records: {}, keys: [] })
})

t.test('identities that changed places come back, others are left', async (t) => {
  const service = await setup(t, { worker: true })
  const headers = 'organization,external_id,emails,first_name\n'
  await service.runCsv(`${headers}A,x1,a@x.io,Ann\nA,x2,b@x.io,Bob\nA,x3,c@x.io,Cid\n`)
  const before = await readStore(service)
  const free = await service.runCsv(`${headers}A,x1,d@x.io,Ann\nA,x3,e@x.io,Cyd\n`)
  // Somebody else has the address by now.
  await service.runCsv(`${headers}A,x4,c@x.io,Dan\n`, { name: 'four.csv' })
  const { rows } = await undo(service, free.id)
  t.strictSame(codesOf(rows), ['reverted identity_taken', 'reverted'])
  t.match(rows[0], {
    changed_fields: ['first_name'],
    problems: [{ field: 'emails', by: { import: {} } }]
  })
  t.match((await service.get(`/records/${rows[1].record_id}`)).body.data, { emails: ['a@x.io'] })
  t.strictSame(await faultsOf(service, await readStore(service)), [])
  t.ok(before)
})

t.test('nothing to take back, and nothing kept to take it back with', async (t) => {
  const service = await setup(t, { worker: true })
  const bad = await service.runCsv('organization,first_name,emails\nA,Ann,bad\n')
  t.match(await undo(service, bad.id), { status: 409, body: { code: 'nothing_to_undo' } })
  const draft = await service.uploadCsv(`${people}A,x1,Ann,Lee,a\n`, { start: 'false' })
  t.match(await undo(service, draft.body.id), {
    status: 409,
    body: { code: 'import_state_conflict' }
  })
  const good = await service.runCsv(`${people}A,x1,Ann,Lee,a\n`)
  const dropped = `INSERT INTO dropped_weeks (what, week, dropped_at)
    VALUES ($1, date_trunc('week', now() AT TIME ZONE 'UTC')::date, now() + interval '1 hour')`
  await service.pool.query(dropped, ['record_changes'])
  t.match(await undo(service, good.id), { status: 410, body: { code: 'history_gone' } })
  await service.pool.query('DELETE FROM dropped_weeks')
  await service.pool.query(dropped, ['import_rows'])
  t.match(await undo(service, good.id), { status: 410, body: { code: 'rows_gone' } })
})

t.test(
  'an import into an organization that is gone by the time it runs writes nothing',
  async (t) => {
    const service = await setup(t, { worker: true })
    const made = await service.runCsv('name\nA\n', { type: 'organizations' })
    const csv = 'first_name\nAnn\n'
    const draft = await service.uploadCsv(csv, { organization: 'A', start: 'false' })
    t.equal((await undo(service, made.id)).json.state, 'completed')
    const started = await service.request('POST', `/imports/${draft.body.id}/start`)
    const ended = await service.waitForImport(started.body.id)
    t.match(ended, { state: 'failed', error: { code: 'organization_not_found' } })
    t.strictSame((await readStore(service)).records, {})
  }
)

t.test('secrets come back, sealed, and are shown to nobody', async (t) => {
  const service = await setup(t, { worker: true })
  const header = 'organization,name,username,password\n'
  const first = await service.runCsv(`${header}A,Mail,ann,old-secret\n`, { type: 'passwords' })
  const second = await service.runCsv(`${header}A,Mail,ann,new-secret\n`, { type: 'passwords' })
  t.match([first.counts.created, second.counts.updated], [1, 1])
  const dry = await undo(service, second.id, 'undo', { dry_run: true })
  const done = await undo(service, second.id)
  t.strictSame(codesOf(done.rows), ['reverted'])
  const { rows } = await service.pool.query(
    `SELECT r.data ->> 'password' AS password, o.changes FROM records r, import_rows o
    WHERE r.id = $1 AND o.import_id = $2`,
    [done.rows[0].record_id, dry.json.id]
  )
  t.equal(service.secrets.open(rows[0].password), 'old-secret')
  t.strictSame(rows[0].changes, { password: { from: { secret: true }, to: { secret: true } } })
  const gone = await undo(service, first.id)
  t.equal(gone.json.state, 'completed')
  t.equal((await undo(service, gone.json.id, 'redo')).json.state, 'completed')
  const back = await service.pool.query(
    `SELECT data ->> 'password' AS password FROM records WHERE id = $1`,
    [done.rows[0].record_id]
  )
  t.equal(service.secrets.open(back.rows[0].password), 'old-secret')
})

t.test('a request that is sent again with its key makes one undo', async (t) => {
  const service = await setup(t, { worker: true })
  const { id } = await service.runCsv(`${people}A,x1,Ann,Lee,a\n`)
  const send = () =>
    service.request('POST', `/imports/${id}/undo`, { headers: { 'idempotency-key': 'once' } })
  const one = await send()
  await service.waitForImport(one.body.id)
  const two = await send()
  t.match([one.status, two.status], [202, 202])
  t.equal(two.body.id, one.body.id)
  const { body } = await service.get('/imports')
  t.equal(body.data.length, 2)
})

t.test('redo brings records back under their ids, with what they were', async (t) => {
  const service = await setup(t, { worker: true })
  const first = await service.runCsv(`${people}A,x1,Ann,Lee,a\n`, { name: 'one.csv' })
  const second = await service.runCsv(`${people}A,x1,Anna,Lee,a\nB,x2,Bob,Moe,b\n`)
  const after = await readStore(service)
  const x2 = await idOf(service, 'x2')
  const made = (await service.get(`/records/${x2}`)).body
  const { json: undone } = await undo(service, second.id)
  // Somebody else takes an identity of what was deleted.
  const { json: redone, rows } = await undo(service, undone.id, 'redo')
  t.match(redone, { kind: 'undo', undo_of: undone.id, state: 'completed' })
  t.strictSame(codesOf(rows), ['reverted', 'reverted', 'reverted'])
  t.strictSame(await readStore(service), after)
  const { body } = await service.get(`/records/${x2}`)
  t.match(body, { created_import_id: second.id, created_at: made.created_at, version: 3 })
  t.equal(await stateOf(service, second.id), 'completed')
  t.equal(await stateOf(service, undone.id), 'undone')
  t.match(await undo(service, first.id), { status: 202, json: { state: 'completed_with_errors' } })
  const again = await undo(service, second.id)
  t.equal(again.json.state, 'completed')
  t.equal((await service.get(`/records/${x2}`)).status, 404)
  // And now the record comes in another way: the redo leaves it alone.
  await service.runCsv(`${people}B,x2,Bea,Moe,b\n`, { name: 'bea.csv' })
  const late = await undo(service, again.json.id, 'redo')
  t.match(
    codesOf(late.rows).filter((codes) => codes.startsWith('kept')),
    [/identity_taken/]
  )
  t.equal(await stateOf(service, second.id), 'partially_undone')
  t.strictSame(await faultsOf(service, await readStore(service)), [])
})

t.test('history of a deleted record, and bringing it back', async (t) => {
  const service = await setup(t, { worker: true })
  const first = await service.runCsv(`${people}A,x1,Ann,Lee,a\n`, { name: 'one.csv' })
  const x1 = await idOf(service, 'x1')
  const { json: undone } = await undo(service, first.id)
  t.equal((await service.get(`/records/${x1}`)).status, 404)
  const { body: history } = await service.get(`/records/${x1}/history`)
  t.match(history.data, [
    {
      version: 2,
      action: 'delete',
      import: { id: undone.id, kind: 'undo', file_name: 'one.csv' },
      key: { name: 'test key' }
    },
    { version: 1, action: 'create', import: { id: first.id, kind: 'import', file_name: 'one.csv' } }
  ])
  const name = history.data[0].changes.find(
    ({ field }: { field: string }) => field === 'first_name'
  )
  t.strictSame(name, { field: 'first_name', before: 'Ann', after: null })
  const gone = await service.request('POST', `/records/${x1}/restore`, { body: { version: 1 } })
  t.match(
    gone,
    { status: 409, body: { code: 'restore_conflict' } },
    'its organization is gone, too'
  )
  const { rows } = await service.pool.query(
    `SELECT record_id FROM record_changes WHERE action = 'delete' AND record_id <> $1`,
    [x1]
  )
  const org = await service.request('POST', `/records/${rows[0].record_id}/restore`, {
    body: { version: 1 }
  })
  t.match(org, { status: 200, body: { record: { title: 'A', version: 3 } } })
  const tried = await service.request('POST', `/records/${x1}/restore`, {
    body: { version: 1, dry_run: true }
  })
  t.match(tried, { status: 200, body: { dry_run: true, conflicts: [] } })
  t.equal((await service.get(`/records/${x1}`)).status, 404)
  const back = await service.request('POST', `/records/${x1}/restore`, { body: { version: 1 } })
  t.match(back.body.record, { id: x1, version: 3, created_import_id: first.id })
  const { body: now } = await service.get(`/records/${x1}/history`)
  t.match(now.data[0], { version: 3, action: 'recreate', restored_version: 1, import: null })
  t.strictSame(await faultsOf(service, await readStore(service)), [])
  const again = await service.runCsv(`${people}A,x1,Ann,Lee,a\n`)
  t.match(again.counts, { unchanged: 1 })
  const late = await undo(service, undone.id, 'redo')
  t.match(codesOf(late.rows).sort(), ['kept brought_back', 'kept brought_back'])
})

t.test('what may have meant a dry run takes nothing back', async (t) => {
  const service = await setup(t, { worker: true })
  const { id } = await service.runCsv(`${people}A,x1,Ann,Lee,CEO\n`)
  const headers = { 'content-type': 'application/json' }
  for (const body of [
    '{"dry_run":null}',
    '{"dry_run":"true"}',
    '{"dryrun":true}',
    '""',
    '0',
    '[]'
  ]) {
    const { status } = await service.request('POST', `/imports/${id}/undo`, { body, headers })
    t.equal(status, 400, body)
  }
  const { status } = await service.request('POST', `/imports/${id}/undo?dry_run=true`)
  t.equal(status, 400, 'in the query')
  t.equal(await stateOf(service, id), 'completed')
})
