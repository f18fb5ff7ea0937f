// Limits of a record type: each refusal comes as early as it can be known, names the limit and what
// was found, and keeps nothing.

import t from 'tap'
import type { TypeLimits } from '../../../src/record-types/types.ts'
import { kept, nothing } from '../../helpers/kept.ts'
import { type Setup, setup } from '../../setup.ts'

/** Gives the contacts of the test's account limits. */
async function limitContacts(s: Setup, limits: TypeLimits): Promise<void> {
  await s.pool.query(
    `INSERT INTO record_types (account_id, type_id, name, definition) VALUES ($1, 2, 'contacts', $2)
    ON CONFLICT (account_id, type_id) DO UPDATE SET definition = excluded.definition`,
    [s.account_id, JSON.stringify({ fields: [], overrides: {}, limits })]
  )
}

const head = 'Organization,First Name\n'
const rows = (count: number) => 'Acme,Ann\n'.repeat(count)
const sendBody = (s: Setup, body: string) =>
  s.request('POST', '/imports?type=contacts', { body, headers: { 'content-type': 'text/csv' } })

t.test('bytes, columns, row bytes and rows', async (t) => {
  const s = await setup(t)
  const cases: [string, TypeLimits, string, number, string, RegExp][] = [
    [
      'bytes',
      { max_bytes: 50 },
      head + rows(9),
      413,
      'too_large',
      /10[0-9]|more than 50.*limit is 50/
    ],
    ['columns', { max_columns: 2 }, `a,b,c\n${rows(1)}`, 422, 'too_many_columns', /has 3 .* is 2/],
    [
      'bytes of the header',
      { max_row_bytes: 1024 },
      `${head.trim()},${'x'.repeat(2000)}\n${rows(1)}`,
      422,
      'header_invalid',
      /longer than a row/
    ],
    ['rows', { max_rows: 3 }, head + rows(4), 422, 'too_many_rows', /4 data rows.*contacts is 3/],
    [
      'rows before a quote',
      { max_rows: 3 },
      `${head}${rows(5)}"Acme\n\n\n",Ann\n`,
      422,
      'too_many_rows',
      /at least 5 data rows/
    ]
  ]
  for (const [title, limits, content, status, code, detail] of cases) {
    await limitContacts(s, limits)
    for (const answer of [await s.uploadCsv(content), await sendBody(s, content)]) {
      t.equal(answer.status, status, `${title}: ${JSON.stringify(answer.body)}`)
      t.match(answer.body, { code, detail }, title)
    }
  }
  t.same(await kept(s), nothing)
})

t.test('a type that is named after the file limits it as well', async (t) => {
  const s = await setup(t)
  await limitContacts(s, { max_bytes: 50 })
  const form = new FormData()
  form.append('file', new Blob([head + rows(9)]), 'a.csv')
  form.append('type', 'contacts')
  const { status, body } = await s.request('POST', '/imports', { body: form })
  t.equal(status, 413)
  t.match(body, { code: 'too_large', detail: /has 105 bytes; the limit is 50 bytes/ })
  t.same(await kept(s), nothing)
})

t.test('as many rows as allowed are taken, blank lines and quotes count for nothing', async (t) => {
  const s = await setup(t)
  await limitContacts(s, { max_rows: 3 })
  for (const content of [
    head + rows(3),
    `sep=,\n\n${head}\n \n${rows(3)}\n\n`,
    `${head}"Acme\n\n\n\n",Ann\n`,
    `"Organization",First Name\n${rows(2)}`
  ]) {
    t.equal((await s.uploadCsv(content)).status, 202, content)
  }
})

t.test('no more imports at a time than the type takes; drafts wait outside', async (t) => {
  const s = await setup(t)
  await limitContacts(s, { max_unfinished: 1 })
  const draft = await s.uploadCsv(head + rows(1), { start: false })
  const answers = await Promise.all([1, 2, 3, 4].map(() => s.uploadCsv(head + rows(1))))
  const statuses = answers.map(({ status }) => status).sort()
  t.same(statuses, [202, 409, 409, 409], 'also when they come at once')
  const refused = answers.find(({ status }) => status === 409)
  t.match(refused?.body, {
    code: 'another_import_running',
    detail: /contacts take 1 .* 1 are queued/
  })
  t.equal((await sendBody(s, head + rows(1))).status, 409)
  t.equal((await s.uploadCsv('Name\nA\n', { type: 'organizations' })).status, 202, 'another type')
  const start = () => s.request('POST', `/imports/${draft.body.id}/start`)
  t.match(await start(), { status: 409, body: { code: 'another_import_running' } })
  const running = answers.find(({ status }) => status === 202)
  await s.request('POST', `/imports/${running?.body.id}/cancel`)
  t.equal((await start()).status, 202)
  t.match(await kept(s), { imports: 3, files: 3, partial: 0 })
})

t.test('an account has no more unfinished imports than it may', async (t) => {
  const s = await setup(t, { config: { maxUnfinishedImports: 2 } })
  const other = await s.makeAccount()
  const draft = await s.uploadCsv(head + rows(1), { start: false })
  const answers = await Promise.all(
    ['contacts', 'contacts', 'organizations', 'locations'].map((type) =>
      s.uploadCsv(type === 'contacts' ? head + rows(1) : 'Name,Organization\nA,B\n', { type })
    )
  )
  const statuses = answers.map(({ status }) => status).sort()
  t.same(statuses, [202, 202, 429, 429], 'also when they come at once')
  const refused = answers.find(({ status }) => status === 429)
  t.match(refused?.body, { code: 'too_many_imports', detail: /^2 imports .* limit is 2\./ })
  const seconds = Number(refused?.headers.get('retry-after'))
  t.ok(seconds >= 5 && seconds <= 60)
  t.equal((await sendBody(s, head + rows(1))).status, 429, 'before a byte is stored')
  t.equal((await s.uploadCsv(head + rows(1), { key: other.key })).status, 202)
  const [first, second] = answers.filter(({ status }) => status === 202).map(({ body }) => body.id)
  const post = (id: number, verb: string) => s.request('POST', `/imports/${id}/${verb}`)
  t.equal((await post(first, 'pause')).status, 200)
  t.equal((await post(draft.body.id, 'start')).status, 429, 'a paused one counts')
  t.equal((await post(first, 'resume')).status, 202, 'it was counted all the time')
  t.equal((await post(second, 'cancel')).status, 200)
  t.equal((await post(draft.body.id, 'start')).status, 202)
  t.match(await post(second, 'retry'), { status: 429, body: { code: 'too_many_imports' } })
  t.match(await kept(s), { imports: 4, files: 4, partial: 0 })
})
