// Applying a dry run: what has changed in between is left alone and told, the rest is done as shown.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type Setup, setup } from '../../setup.ts'

const header = 'External ID,Organization,First Name,Last Name,Title\n'
const people = (...rows: string[]) => `${header}${rows.join('\n')}\n`

const post = (s: Setup, path: string, body?: object, headers?: Record<string, string>) =>
  s.request('POST', path, { ...(body && { body }), ...(headers && { headers }) })

async function dryRun(s: Setup, csv: string, options: Record<string, unknown> = {}) {
  const dry = await s.runCsv(csv, { ...options, dry_run: true })
  if (dry.state !== 'ready') throw new Error(JSON.stringify(dry))
  return dry
}

async function applied(s: Setup, id: number, body?: object) {
  const answer = await post(s, `/imports/${id}/apply`, body)
  if (answer.status !== 202) throw new Error(JSON.stringify(answer.body))
  return s.waitForImport(answer.body.id)
}

const rowsOf = async (s: Setup, id: number) => (await s.get(`/imports/${id}/rows`)).body.data

async function recordsOf(s: Setup, type = 'contacts') {
  const { body } = await s.get(`/records?type=${type}`)
  const byKey = body.data.map((one: { data: { external_id?: string; name?: string } }) => [
    one.data.external_id ?? one.data.name,
    one
  ])
  return Object.fromEntries(byKey)
}

/** Eight rows, of which two are still as the dry run shows them. */
async function driftInEveryWay(s: Setup) {
  await s.runCsv(
    people(
      'c-1,Acme,Ann,Lee,Agent',
      'c-2,Acme,Bob,Ray,Agent',
      'c-3,Acme,Cid,May,Agent',
      'c-4,Acme,Dot,Fay,Agent',
      'c-5,Acme,Eve,Kay,Agent'
    )
  )
  const { 'c-3': gone } = await recordsOf(s)
  const dry = await dryRun(
    s,
    people(
      'c-1,Acme,Ann,Lee,Manager',
      'c-2,Acme,Bob,Ray,Manager',
      'c-3,Acme,Cid,May,Manager',
      'c-4,Acme,Dot,Fay,Agent',
      'c-5,Acme,Eve,Kay,Manager',
      'c-6,Acme,Flo,Day,Agent',
      'c-7,Globex,Gus,Way,Agent',
      'c-8,Acme,Hal,Fry,Agent'
    )
  )
  // Another field, the same field, deleted, changed where nothing was to change, and made.
  await s.runCsv(`External ID,Organization,First Name,Notes\nc-1,Acme,Ann,new\n`)
  await s.runCsv(people('c-2,Acme,Bob,Ray,Chief', 'c-4,Acme,Dot,Fay,Chief', 'c-6,Acme,Flo,Ray,'))
  await s.pool.query('DELETE FROM record_keys k WHERE k.record_id = $1', [gone.id])
  await s.pool.query('DELETE FROM records r WHERE r.id = $1', [gone.id])
  await s.runCsv('Name\nGlobex\n', { type: 'organizations' })
  return dry
}

t.test('records that changed in between are left alone, and told with what differs', async (t) => {
  const s = await setup(t, { worker: true })
  const dry = await driftInEveryWay(s)
  const before = await recordsOf(s)
  const done = await applied(s, dry.id)
  t.match(done, {
    state: 'completed_with_errors',
    counts: { created: 1, updated: 1, unchanged: 0, rejected: 6 },
    references_created: {}
  })
  const rows = await rowsOf(s, done.id)
  const told = rows.map(({ outcome, problems }: { outcome: string; problems: Problem[] }) => [
    outcome,
    ...problems.map(({ code, field }) => `${code} ${field ?? ''}`.trim())
  ])
  const drifted = ['rejected', 'drifted']
  t.strictSame(told, [
    drifted,
    ['rejected', 'drifted', 'drifted title'],
    drifted,
    drifted,
    ['updated'],
    drifted,
    ['rejected', 'drifted organization'],
    ['created']
  ])
  const messages = rows.map((row: { problems: Problem[] }) => row.problems.at(-1)?.message ?? '')
  t.match(messages, [
    /had version 1 then and has version 2 now/,
    /title was "Agent" then and is "Chief" now/,
    /would have changed record \d+, and would create a record now/,
    /would have left record \d+ as it is, and would change record \d+ now/,
    '',
    /would have created a record, and would change record \d+ now/,
    /organization was to become a new record "Globex", and would become \d+ now/
  ])
  t.strictSame(rows[0].problems[0].candidates, [{ id: before['c-1'].id, title: 'Ann Lee' }])
  const after = await recordsOf(s)
  for (const key of ['c-1', 'c-2', 'c-4', 'c-6']) t.strictSame(after[key], before[key], key)
  t.notOk(after['c-3'] ?? after['c-7'])
  t.match([after['c-5'].data.title, after['c-8'].data.title], ['Manager', 'Agent'])
  t.match((await s.get(`/imports/${done.id}/rejects.csv`)).body, /c-7,Globex,Gus,Way,Agent/)
})

interface Problem {
  code: string
  field: string | null
  message: string
}

t.test('what a row builds on goes with it', async (t) => {
  const s = await setup(t, { worker: true })
  await s.runCsv(people('c-1,Acme,Ann,Lee,Agent', 'c-2,Acme,Bob,Ray,Agent'))
  const csv = people(
    'c-1,Acme,Ann,Lee,Manager',
    'c-1,Acme,Ann,Day,Manager',
    'c-2,Acme,Bob,Ray,Manager',
    'c-2,Acme,Bob,Day,Manager'
  )
  const dry = await dryRun(s, csv, { repeats: 'merge' })
  await s.runCsv('External ID,Organization,First Name,Notes\nc-1,Acme,Ann,new\n')
  const done = await applied(s, dry.id)
  const rows = await rowsOf(s, done.id)
  t.match(rows, [
    { outcome: 'rejected', problems: [{ code: 'drifted', message: /has version 2 now/ }] },
    { outcome: 'rejected', problems: [{ code: 'drifted', message: /earlier row .* has drifted/ }] },
    { outcome: 'updated' },
    { outcome: 'updated' }
  ])
  t.match((await recordsOf(s))['c-2'], { version: 3, data: { last_name: 'Day' } })
})

t.test('a parent that drifted takes its children along, also when they had to wait', async (t) => {
  const s = await setup(t, { worker: true })
  // Makes the status that organizations have by default.
  await s.runCsv('Name\nFirst\n', { type: 'organizations' })
  const csv = 'Name,Parent\nLeaf,Trunk\nTrunk,\nOther,\n'
  const dry = await dryRun(s, csv, { type: 'organizations' })
  t.match((await rowsOf(s, dry.id))[0].changes.parent, { from: null, to: { new: 'Trunk' } })
  await s.runCsv('Name\nTrunk\n', { type: 'organizations' })
  const done = await applied(s, dry.id)
  t.match(await rowsOf(s, done.id), [
    { outcome: 'rejected', problems: [{ code: 'drifted', field: 'parent' }] },
    { outcome: 'rejected', problems: [{ code: 'drifted' }] },
    { outcome: 'created' }
  ])
})

t.test('with allow_partial: false one row that drifted keeps all from being written', async (t) => {
  const s = await setup(t, { worker: true })
  await s.runCsv(people('c-1,Acme,Ann,Lee,Agent'))
  const csv = people('c-1,Acme,Ann,Lee,Manager', 'c-2,Acme,,Ray,', 'c-3,Acme,Cid,May,')
  const first = await dryRun(s, csv)
  t.match(first.counts, { created: 1, updated: 1, rejected: 1 })
  await s.runCsv('External ID,Organization,First Name,Notes\nc-1,Acme,Ann,new\n')
  const refused = await applied(s, first.id, { allow_partial: false })
  t.match(refused, {
    state: 'failed',
    allow_partial: false,
    error: { code: 'rows_rejected' },
    counts: { created: 0, updated: 0, rejected: 2, skipped: 1 }
  })
  t.match(await rowsOf(s, refused.id), [
    { outcome: 'rejected', problems: [{ code: 'drifted' }] },
    { outcome: 'rejected', problems: [{ code: 'required_missing' }] },
    { outcome: 'skipped', problems: [{ code: 'all_or_nothing' }] }
  ])
  // Nothing was written: the same dry run may be applied again, and goes through where it can.
  const again = await applied(s, first.id)
  t.match(again.counts, { created: 1, updated: 0, rejected: 2 })

  // A row that the dry run rejected is no reason to refuse the others.
  const second = await dryRun(s, csv.replace('Cid', 'Sid'))
  const whole = await applied(s, second.id, { allow_partial: false })
  t.match(whole, { state: 'completed_with_errors', counts: { updated: 2, rejected: 1 } })
})

t.test('a dry run of everything or nothing is refused as the import would be', async (t) => {
  const s = await setup(t, { worker: true })
  const run = (csv: string) => s.runCsv(csv, { dry_run: true, allow_partial: false })
  const refused = await run(people('c-1,Acme,Ann,Lee,Agent', 'c-2,Acme,,Ray,'))
  t.match(refused, {
    state: 'failed',
    error: { code: 'rows_rejected' },
    counts: { rejected: 1, skipped: 1 }
  })
  t.match((await post(s, `/imports/${refused.id}/apply`)).body, { code: 'import_state_conflict' })
  const ready = await run(people('c-1,Acme,Ann,Lee,Agent', 'c-2,Acme,Bob,Ray,'))
  t.match(ready, { state: 'ready', counts: { created: 2 } })
  t.strictSame(await recordsOf(s), {})
  t.match(await applied(s, ready.id), { state: 'completed', allow_partial: false })
})

t.test('a dry run is applied once', async (t) => {
  const s = await setup(t, { worker: true })
  const dry = await dryRun(s, people('c-1,Acme,Ann,Lee,Agent'))
  const key = { 'idempotency-key': 'once' }
  const first = await post(s, `/imports/${dry.id}/apply`, {}, key)
  const again = await post(s, `/imports/${dry.id}/apply`, {}, key)
  t.equal(again.status, 202)
  t.equal(again.body.id, first.body.id)
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  await s.waitForImport(first.body.id)
  const twice = await post(s, `/imports/${dry.id}/apply`)
  t.match(twice, {
    status: 409,
    body: { code: 'already_applied', details: { applied_by: first.body.id } }
  })
  t.equal((await s.get('/imports')).body.data.length, 2)
  t.match((await post(s, `/imports/${first.body.id}/apply`)).body, {
    code: 'import_state_conflict',
    detail: /a dry run that is ready/
  })
  t.equal((await post(s, '/imports/999/apply')).status, 404)
  t.equal((await post(s, `/imports/${dry.id}/apply`, { allow: 1 })).status, 400)
  // Each of the two has its own file: one can go without the other.
  const folder = join(s.config.dataDir, 'uploads')
  const names = (await readdir(folder)).filter((name) => name !== 'partial')
  t.equal(names.length, 2)
  const nodes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).ino))
  t.equal(new Set(nodes).size, 1, 'in the same place of the disk')
})

t.test('what is gone, or means something else by now, is not applied', async (t) => {
  const s = await setup(t, { worker: true })
  const name = { name: 'name', label: 'Name', kind: 'text', required: true }
  const things = (kind: string) => ({
    label: 'Things',
    organization: 'none',
    fields: [name, { name: 'x', label: 'X', kind }]
  })
  await post(s, '/record-types', { name: 'things', ...things('text') })
  const dry = await dryRun(s, 'Name,X\na,1\n', { type: 'things' })
  await s.request('PUT', '/record-types/things', { body: things('integer') })
  t.match((await post(s, `/imports/${dry.id}/apply`)).body, { code: 'record_type_changed' })

  const other = await dryRun(s, people('c-1,Acme,Ann,Lee,Agent'))
  await s.pool.query(`UPDATE imports SET file_key = '00000000-0000-4000-8000-000000000000'`)
  t.match((await post(s, `/imports/${other.id}/apply`)).body, { code: 'upload_gone' })
  t.equal((await s.get(`/imports/${other.id}`)).body.applied_by, null)
})

t.test('values that are made up are those that were shown', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = 'First Name,Email\nAnn,ann@acme.example\nBob,bob@acme.example\n'
  const dry = await dryRun(s, csv, { type: 'clients' })
  const shown = (await rowsOf(s, dry.id)).map((row: { changes: Record<string, { to: string }> }) =>
    Object.entries(row.changes).map(([field, { to }]) => [field, to])
  )
  t.match(Object.fromEntries(shown[0]).client_id, /^[0-9a-f]{24}$/)
  const done = await applied(s, dry.id)
  t.match(done, { state: 'completed', counts: { created: 2 } })
  for (const [index, row] of (await rowsOf(s, done.id)).entries()) {
    const { data } = (await s.get(`/records/${row.record_id}`)).body
    for (const [field, to] of shown[index]) {
      if (typeof to === 'string') t.equal(data[field], to, field)
    }
  }
})

t.test('of secrets only that there is one is shown', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = 'Organization,Name,Username,Password\nAcme,Router,ann,hunter2\n'
  const dry = await dryRun(s, csv, { type: 'passwords' })
  const [row] = await rowsOf(s, dry.id)
  t.strictSame(row.changes.password, { from: null, to: { secret: true } })
  const { rows } = await s.pool.query('SELECT r::text AS text FROM import_rows r')
  t.notMatch(rows[0].text, /hunter2|enc:1/)
  t.match(await applied(s, dry.id), { state: 'completed', counts: { created: 1 } })
  const changed = await dryRun(s, csv.replace('hunter2', 'other'), { type: 'passwords' })
  const secret = { secret: true }
  t.strictSame((await rowsOf(s, changed.id))[0].changes, { password: { from: secret, to: secret } })
  await s.runCsv(csv.replace('hunter2', 'third'), { type: 'passwords' })
  const refused = await applied(s, changed.id)
  t.match(await rowsOf(s, refused.id), [{ outcome: 'rejected', problems: [{ code: 'drifted' }] }])
})
