// The preview of a draft: how each column was recognised, and its first rows typed and validated.

import t from 'tap'
import { setup } from '../setup.ts'

t.test('says how each column was recognised and what is missing', async (t) => {
  const s = await setup(t)
  const csv = 'First Name,last_name,Company,e mail,Fax\nAnn,Lee,Acme,ann@example.com,1\n'
  const { body } = await s.uploadCsv(csv, { start: false })
  t.same(body.preview.columns, [
    { header: 'First Name', field: 'first_name', suggested: 'first_name', suggested_by: 'label' },
    { header: 'last_name', field: 'last_name', suggested: 'last_name', suggested_by: 'key' },
    { header: 'Company', field: 'organization', suggested: 'organization', suggested_by: 'alias' },
    { header: 'e mail', field: 'emails', suggested: 'emails', suggested_by: 'folded' },
    { header: 'Fax', field: null, suggested: null, suggested_by: null }
  ])
  t.same(body.preview.unmapped_required, [])
})

t.test('types and validates rows as the import will', async (t) => {
  const s = await setup(t)
  const csv =
    'Organization,First Name,Emails,Important\nAcme,Ann,ANN@Example.com|b@c.de,Yes\nAcme,,x,perhaps\nAcme,Bob\n'
  const { body } = await s.uploadCsv(csv, { start: false })
  const [good, bad, short] = body.preview.rows
  t.match(good, { row: 1, line: 2, problems: [] })
  t.match(good.values, { organization: 'Acme', first_name: 'Ann', important: true })
  t.same(bad.problems.map((problem: { code: string }) => problem.code).sort(), [
    'invalid_boolean',
    'invalid_email',
    'required_missing'
  ])
  t.match(short, { row: 3, line: 4, values: {}, problems: [{ code: 'column_count' }] })
})

t.test('shows 100 rows of a large file without reading it to its end', async (t) => {
  const s = await setup(t)
  const rows = Array.from({ length: 200_000 }, (_, n) => `Acme,Ann ${n},a${n}@example.com\n`)
  const csv = `Organization,First Name,Emails\n${rows.join('')}`
  const { body } = await s.uploadCsv(csv, { start: false })
  t.equal(body.preview.rows.length, 100)
  t.same(body.preview.rows.at(-1).values.first_name, 'Ann 99')
})

t.test('is there only while the import is a draft', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv('Organization,First Name\nAcme,Ann\n', { start: false })
  t.ok((await s.get(`/imports/${body.id}`)).body.preview)
  const started = await s.request('POST', `/imports/${body.id}/start`)
  t.notOk('preview' in started.body)
})
