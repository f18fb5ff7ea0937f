// The history of imports and a single one, as clients read them.

import t from 'tap'
import { setup } from '../setup.ts'

const csv = 'Organization,First Name\nAcme,Ann\n'
const ids = (body: { data: { id: number }[] }) => body.data.map((item) => item.id)

t.test('the history is newest first, in pages', async (t) => {
  const s = await setup(t)
  for (let n = 0; n < 5; n++) await s.uploadCsv(csv, { name: `file-${n}.csv` })
  const first = await s.get('/imports?limit=2')
  t.same(ids(first.body), [5, 4])
  t.match(first.body.data[0], { file: { name: 'file-4.csv' }, state: 'queued' })
  t.notOk('earlier_import' in first.body.data[0])
  const second = await s.get(`/imports?limit=2&cursor=${first.body.next_cursor}`)
  const third = await s.get(`/imports?limit=2&cursor=${second.body.next_cursor}`)
  t.same([...ids(second.body), ...ids(third.body)], [3, 2, 1])
  t.equal(third.body.next_cursor, null)
})

t.test('the history is filtered by state, type, time and file name', async (t) => {
  const s = await setup(t)
  await s.uploadCsv(csv, { name: 'January 100%.csv' })
  await s.uploadCsv(csv, { name: 'february.csv', start: false })
  await s.uploadCsv('Name\nAcme\n', { name: 'orgs.csv', type: 'organizations' })
  const { body } = await s.get('/imports')
  const time = (id: number) => body.data.find((item: { id: number }) => item.id === id).created_at
  const cases: [string, number[]][] = [
    ['state=draft', [2]],
    ['state=draft,queued', [3, 2, 1]],
    ['state=failed', []],
    ['type=organizations', [3]],
    ['type=nothing', []],
    ['q=JANUARY', [1]],
    ['q=100%25', [1]],
    ['q=100_', []],
    [`created_before=${time(2)}`, [1]],
    [`created_after=${time(2)}`, [3]],
    ['state=queued&q=csv&type=contacts', [1]]
  ]
  for (const [query, wanted] of cases)
    t.same(ids((await s.get(`/imports?${query}`)).body), wanted, query)
})

t.test('a query that makes no sense is refused with every fault', async (t) => {
  const s = await setup(t)
  const { status, body } = await s.get(
    '/imports?state=done&limit=0&created_after=yesterday&color=red'
  )
  t.equal(status, 400)
  t.equal(body.code, 'validation_failed')
  t.same(body.errors.map((fault: { path: string }) => fault.path).sort(), [
    'query/color',
    'query/created_after',
    'query/limit',
    'query/state'
  ])
  t.match((await s.get('/imports?cursor=abc')).body, { code: 'invalid_cursor' })
})

t.test('a finished import says what became of its rows, how fast, and by whom', async (t) => {
  const s = await setup(t, { worker: true })
  const done = await s.runCsv('Organization,First Name\nAcme,Ann\nAcme,Bob\nAcme,\n')
  t.match(done, {
    state: 'completed_with_errors',
    counts: {
      created: 2,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      rejected: 1,
      failed: 0,
      not_reached: 0
    },
    references_created: { organizations: 1 },
    rows: { done: 3, total: 3, eta_seconds: null },
    created_by: { name: 'test key' },
    links: { self: `/imports/${done.id}` }
  })
  t.ok(done.rows.per_second > 0)
  t.equal(done.bytes.done, done.bytes.total)
  t.ok(done.started_at >= done.queued_at && done.finished_at >= done.started_at)
})

t.test('an import that is not there is 404, one that has no number is 400', async (t) => {
  const s = await setup(t)
  t.match(await s.get('/imports/4711'), { status: 404, body: { code: 'import_not_found' } })
  t.match(await s.get('/imports/abc'), { status: 400, body: { errors: [{ path: 'path/id' }] } })
  t.equal((await s.get('/imports/99999999999999999999')).status, 400)
})
