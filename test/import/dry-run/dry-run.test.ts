// A dry run: every outcome that a file can have, with what would change, and nothing written.

import t, { type Test } from 'tap'
import { runImport } from '../../../src/import/job.ts'
import { contentsOf } from '../../helpers/contents.ts'
import { type Setup, setup } from '../../setup.ts'

const before = [
  'External ID,Organization,First Name,Last Name,Title,Emails',
  'c-1,Acme,Ann,Lee,Agent,ann@acme.example',
  'c-2,Acme,Bob,Ray,Agent,bob@acme.example',
  'c-3,Acme,Cid,May,Agent,'
].join('\n')

async function rowsOf({ get }: Setup, id: number) {
  return (await get(`/imports/${id}/rows?limit=500`)).body.data
}

t.test('a dry run tells what would become of every row, and writes nothing else', async (t) => {
  const s = await setup(t, { worker: true })
  await s.runCsv(before)
  const was = await contentsOf(s.pool)
  const file = [
    'External ID,Organization,First Name,Last Name,Title,Emails',
    'c-1,Acme,Ann,Lee,Manager,ann@acme.example|lee@acme.example',
    'c-2,Acme,Bob,Ray,Agent,bob@acme.example',
    'c-9,Globex,Dot,Fay,,dot@globex.example',
    'c-9,Globex,Dot,Fay,,dot@globex.example|fay@globex.example',
    'c-8,Globex,Eve,,,not an address',
    'c-3,Globex,Cid,May,Agent,'
  ].join('\n')
  const dry = await s.runCsv(file, { dry_run: true })
  t.match(dry, {
    state: 'ready',
    dry_run: true,
    counts: { created: 2, updated: 2, unchanged: 1, rejected: 1, skipped: 0, not_reached: 0 },
    references_created: { organizations: 1 },
    rows: { done: 6, total: 6 },
    error: null,
    applied_by: null
  })
  t.ok(dry.finished_at)
  t.equal(dry.bytes.done, dry.bytes.total)
  t.strictSame(await contentsOf(s.pool), was)

  const rows = await rowsOf(s, dry.id)
  t.match(rows, [
    {
      outcome: 'updated',
      title: 'Ann Lee',
      matched_by: 'external_id',
      changed_fields: ['title', 'emails']
    },
    { outcome: 'unchanged', title: 'Bob Ray', changes: null },
    { outcome: 'created', record_id: null, title: null },
    { outcome: 'updated', record_id: null, problems: [{ code: 'folded_into_record' }] },
    { outcome: 'rejected', record_id: null, changes: null, problems: [{ code: 'invalid_email' }] },
    { outcome: 'created', record_id: null }
  ])
  t.strictSame(rows[0].changes, {
    title: { from: 'Agent', to: 'Manager' },
    emails: { from: ['ann@acme.example'], to: ['ann@acme.example', 'lee@acme.example'] }
  })
  t.strictSame(rows[2].changes.organization, { from: null, to: { new: 'Globex' } })
  t.strictSame(rows[2].changes.external_id, { from: null, to: 'c-9' })
  t.strictSame(rows[3].changes.emails.to, ['dot@globex.example', 'fay@globex.example'])

  const csv = (await s.get(`/imports/${dry.id}/rows?format=csv`)).body
  t.match(csv, /title: Agent -> Manager/)
  t.match(csv, /organization: -> Globex \(new\)/)
  const ndjson = (await s.get(`/imports/${dry.id}/rows?format=ndjson`)).body.trim().split('\n')
  t.strictSame(
    ndjson.map((line: string) => JSON.parse(line)),
    rows
  )
  t.match((await s.get(`/imports/${dry.id}/rejects.csv`)).body, /not an address/)
  await applyIt(t, s, dry, rows)
})

/** Applied at once, all of it is done. */
async function applyIt(t: Test, s: Setup, dry: Shown, rows: { outcome: string }[]) {
  const { status, headers, body } = await s.request('POST', `/imports/${dry.id}/apply`)
  t.equal(status, 202)
  t.equal(headers.get('location'), `/imports/${body.id}`)
  t.match(body, { state: 'queued', dry_run: false, applied_from: dry.id, counts: { created: 0 } })
  const done = await s.waitForImport(body.id)
  t.match(done, { state: 'completed_with_errors', counts: dry.counts })
  t.strictSame(done.references_created, dry.references_created)
  t.equal((await s.get(`/imports/${dry.id}`)).body.applied_by, done.id)
  const applied = await rowsOf(s, done.id)
  t.strictSame(
    applied.map((row: { outcome: string }) => row.outcome),
    rows.map((row: { outcome: string }) => row.outcome)
  )
  t.ok(applied.every((row: { changes: unknown }) => row.changes === null))
}

interface Shown {
  id: number
  counts: object
  references_created: object
}

/** Runs an import in this process; `look` is called whenever the run asks whether it is to stop. */
async function run(s: Setup, import_id: number, look: () => boolean = () => false, batchRows = 2) {
  const { pool, log, secrets, account_id } = s
  const signal = new Proxy(new AbortController().signal, {
    get: (target, name) => (name === 'aborted' ? look() : Reflect.get(target, name))
  })
  const config = { ...s.config, batchRows }
  await runImport({ pool, log, secrets, config, signal }, { account_id, import_id }).catch(
    (error: Error) => {
      if (error.name !== 'GivenBack') throw error
    }
  )
  return (await s.get(`/imports/${import_id}`)).body
}

const many = (count: number, name = (i: number) => `P${i}`) =>
  [
    'External ID,Organization,First Name',
    ...Array.from({ length: count }, (_, i) => `c-${i},Acme,${name(i)}`)
  ].join('\n')

t.test('one row that the database refuses costs one row', async (t) => {
  const s = await setup(t)
  await s.pool.query(
    `ALTER TABLE records ADD CONSTRAINT no_poison CHECK (data->>'first_name' IS DISTINCT FROM 'Poison')`
  )
  const was = await contentsOf(s.pool)
  const csv = many(100, (i) => (i === 37 ? 'Poison' : `P${i}`))
  const { body } = await s.uploadCsv(csv, { dry_run: true })
  const dry = await run(s, body.id, () => false, 1_000)
  t.match(dry, { state: 'ready', counts: { created: 99, failed: 1, not_reached: 0 } })
  t.strictSame(await contentsOf(s.pool), was)
  t.match(await rowsOf(s, dry.id), {
    37: { outcome: 'failed', problems: [{ code: 'row_failed' }] }
  })
  const { body: made } = await s.request('POST', `/imports/${dry.id}/apply`)
  const done = await run(s, made.id, () => false, 1_000)
  t.match(done, { state: 'completed_with_errors', counts: { created: 99, rejected: 1 } })
  t.match(await rowsOf(s, done.id), { 37: { problems: [{ code: 'drifted' }] } })
})

t.test(
  'a dry run that its worker gives back begins anew, and its progress never goes back',
  async (t) => {
    const s = await setup(t)
    const { body } = await s.uploadCsv(many(20), { dry_run: true })
    let looks = 0
    const given = await run(s, body.id, () => ++looks > 12)
    t.match(given, {
      state: 'queued',
      finished_at: null,
      counts: { created: 0 },
      rows: { done: 0 }
    })
    t.ok(given.bytes.done > 100, 'it shows how far it came')
    t.strictSame(await rowsOf(s, body.id), [])
    looks = 0
    const again = await run(s, body.id, () => ++looks > 4)
    t.ok(again.bytes.done >= given.bytes.done)
    const dry = await run(s, body.id)
    t.match(dry, { state: 'ready', counts: { created: 20 }, rows: { total: 20 } })
    t.equal((await rowsOf(s, dry.id)).length, 20)
  }
)

t.test('paused it begins anew, cancelled it keeps what it has shown so far', async (t) => {
  const s = await setup(t)
  const was = await contentsOf(s.pool)
  const { body } = await s.uploadCsv(many(20), { dry_run: true })
  const ask = (asked: string) =>
    s.pool.query(`UPDATE imports SET asked = $1, state = $2 WHERE state = 'running'`, [
      asked,
      asked === 'pause' ? 'pausing' : 'cancelling'
    ])
  const askAt = (look: number, asked: string) => {
    let looks = 0
    return () => {
      if (++looks === look) void ask(asked)
      return false
    }
  }
  const paused = await run(s, body.id, askAt(6, 'pause'))
  t.match(paused, { state: 'paused', finished_at: null, counts: { created: 0 } })
  t.strictSame(await rowsOf(s, body.id), [])
  await s.pool.query(`UPDATE imports SET state = 'queued' WHERE state = 'paused'`)
  const cancelled = await run(s, body.id, askAt(6, 'cancel'))
  t.equal(cancelled.state, 'cancelled')
  t.ok(cancelled.counts.created > 0 && cancelled.counts.created < 20)
  t.equal((await rowsOf(s, body.id)).length, cancelled.counts.created)
  t.strictSame(await contentsOf(s.pool), was)
  t.match(await s.request('POST', `/imports/${body.id}/apply`), { status: 409 })
})

t.test('a worker that was overtaken leaves nothing of its dry run', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv(many(20), { dry_run: true })
  let looks = 0
  const overtake = () => {
    if (++looks === 6) void s.pool.query('UPDATE imports SET attempt = attempt + 1')
    return false
  }
  t.equal((await run(s, body.id, overtake)).state, 'running')
  t.strictSame(await rowsOf(s, body.id), [])
  t.match(await run(s, body.id), { state: 'ready', counts: { created: 20 } })
})
