// Outcomes of rows: pages, NDJSON and CSV in file order; rejects that can be mended and sent again.

import t from 'tap'
import { rowProblem } from '../../src/errors.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

/** An import with made-up outcomes: row n is rejected when n is a multiple of `badEvery`. */
async function importOf(
  s: Setup,
  rowCount: number,
  badEvery: number,
  message = 'bad'
): Promise<number> {
  const csv = 'Organization,First Name\nAcme,Ann\n'
  const { body } = await s.uploadCsv(csv, { start: false })
  const problem = { ...rowProblem('required_missing', { column: 'First Name' }), message }
  await s.pool.query(`SELECT ensure_partitions(now()::date)`)
  await s.pool.query(
    `INSERT INTO import_rows (account_id, import_id, created_on, row_number, line_number, outcome,
      problems, cells)
    SELECT i.account_id, i.id, i.created_on, n, n + 1,
      CASE WHEN n % $3 = 0 THEN 'rejected' ELSE 'created' END,
      CASE WHEN n % $3 = 0 THEN $4::jsonb END,
      CASE WHEN n % $3 = 0 THEN ARRAY['Acme', 'n' || n] END
    FROM imports i, generate_series(1, $2::integer) n
    WHERE i.id = $1::bigint`,
    [body.id, rowCount, badEvery, JSON.stringify([problem])]
  )
  return body.id
}

const numbers = (data: { row: number }[]) => data.map((item) => item.row)
const lines = (text: string) => text.trimEnd().split(/\r?\n/)

t.test('pages come in file order and end with a null cursor', async (t) => {
  const s = await setup(t)
  const path = `/imports/${await importOf(s, 25, 5)}/rows`
  const first = await s.get(`${path}?limit=10`)
  t.same(numbers(first.body.data), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  t.match(first.body.data[0], { row: 1, line: 2, outcome: 'created', problems: [] })
  const second = await s.get(`${path}?limit=10&cursor=${first.body.next_cursor}`)
  const third = await s.get(`${path}?limit=10&cursor=${second.body.next_cursor}`)
  t.same(numbers(third.body.data), [21, 22, 23, 24, 25])
  t.equal(third.body.next_cursor, null)
  const exact = await s.get(`${path}?limit=25`)
  t.equal(exact.body.next_cursor, null, 'a full last page is the last')
})

t.test('outcomes are filtered, alone and together', async (t) => {
  const s = await setup(t)
  const path = `/imports/${await importOf(s, 25, 5)}/rows`
  const bad = await s.get(`${path}?outcome=rejected&limit=3`)
  t.same(numbers(bad.body.data), [5, 10, 15])
  t.match(bad.body.data[0].problems, [
    { severity: 'error', code: 'required_missing', column: 'First Name' }
  ])
  const rest = await s.get(`${path}?outcome=rejected,failed&limit=3&cursor=${bad.body.next_cursor}`)
  t.same(numbers(rest.body.data), [20, 25])
  t.equal(rest.body.next_cursor, null)
  t.equal((await s.get(`${path}?outcome=created,rejected`)).body.data.length, 25)
  t.same((await s.get(`${path}?outcome=updated`)).body.data, [])
  const unknown = await s.get(`${path}?outcome=good`)
  t.match(unknown, {
    status: 400,
    body: { code: 'validation_failed', errors: [{ path: 'query/outcome' }] }
  })
  const cursor = await s.get(`${path}?cursor=zzz`)
  t.match(cursor, { status: 400, body: { code: 'invalid_cursor' } })
})

t.test('NDJSON and CSV give all rows at once, over many pages of the database', async (t) => {
  const s = await setup(t)
  const path = `/imports/${await importOf(s, 5_001, 5)}/rows`
  const ndjson = await s.get(`${path}?format=ndjson`)
  t.equal(ndjson.headers.get('content-type'), 'application/x-ndjson')
  const rows = lines(ndjson.body).map((line) => JSON.parse(line))
  t.equal(rows.length, 5_001)
  t.ok(rows.every((row, index) => row.row === index + 1))
  const page = await s.get(`${path}?limit=10`)
  t.same(rows.slice(0, 10), page.body.data, 'each as in the JSON pages')

  const csv = await s.get(`${path}?format=csv&outcome=rejected`)
  t.match(csv.headers.get('content-type'), /^text\/csv/)
  t.equal(lines(csv.body).length, 1_001)
  t.equal(
    lines(csv.body)[0],
    'row,line,outcome,record_id,title,external_id,matched_by,changed_fields,codes,problems,changes'
  )
  t.equal(lines(csv.body)[1], '5,6,rejected,,,,,,required_missing,First Name: bad,')
})

t.test('the Accept header chooses the form when the query does not', async (t) => {
  const s = await setup(t)
  const path = `/imports/${await importOf(s, 3, 5)}/rows`
  const typeFor = async (accept: string, query = '') => {
    const { headers } = await s.request('GET', path + query, { headers: { accept } })
    t.equal(headers.get('vary'), 'accept')
    return headers.get('content-type')?.split(';')[0]
  }
  t.equal(await typeFor('application/x-ndjson'), 'application/x-ndjson')
  t.equal(await typeFor('text/csv, */*;q=0.1'), 'text/csv')
  t.equal(await typeFor('application/json, text/csv;q=0.5'), 'application/json')
  t.equal(await typeFor('*/*'), 'application/json')
  t.equal(await typeFor('text/csv', '?format=json'), 'application/json')
})

t.test('a client that goes away ends the reading', async (t) => {
  const s = await setup(t)
  const id = await importOf(s, 40_000, 1, 'x'.repeat(2_000))
  let pages = 0
  const query = s.pool.query.bind(s.pool)
  const counting = (text: string, values: unknown[]) => {
    if (text.includes('import.list_outcomes')) pages++
    return query(text, values)
  }
  s.pool.query = counting as typeof s.pool.query
  const leave = new AbortController()
  const response = await fetch(`${s.url}/imports/${id}/rows?format=ndjson`, {
    headers: { authorization: `Bearer ${s.key}` },
    signal: leave.signal
  })
  await response.body?.getReader().read()
  leave.abort()
  await until('no statement running', () => s.pool.totalCount === s.pool.idleCount)
  t.ok(pages < 20, `only ${pages} of 20 pages were read`)
})

t.test('rejects are the rows as sent with what is wrong, and can be sent again', async (t) => {
  const s = await setup(t, { worker: true })
  const csv =
    'Organization;First Name;Emails;Notes\nAcme;Ann;ann@example.com;\n' +
    'Acme;Bob;not an address;"=1+1; ""two""\nlines"\nAcme;Eve;eve@example.com\n'
  const done = await s.runCsv(csv, { name: 'ä "b".csv' })
  t.match(done, { state: 'completed_with_errors', counts: { created: 1, rejected: 2 } })
  const { headers, body } = await s.get(`/imports/${done.id}/rejects.csv`)
  t.match(headers.get('content-type'), /^text\/csv/)
  t.equal(
    headers.get('content-disposition'),
    `attachment; filename="rejects-${done.id}-_ _22b_22.csv"; filename*=UTF-8''rejects-${done.id}-%C3%A4%20%2522b%2522.csv`
  )
  t.match(
    body,
    /^Organization;First Name;Emails;Notes;muster_line;muster_codes;muster_problems\r\n/
  )
  t.match(body, /\r\nAcme;Bob;not an address;"'=1\+1; ""two""\nlines";3;invalid_email;/)
  t.match(body, /;column_count;/, 'a row that could not be split is told as well')

  const mended = body
    .replace('not an address', 'bob@example.com')
    .split('\r\n')
    .slice(0, 2)
    .join('\r\n')
  const second = await s.runCsv(mended)
  t.match(second, { state: 'completed', counts: { created: 1, rejected: 0 } })
  const { body: bob } = await s.get('/records?type=contacts&filter[first_name]=Bob')
  t.equal(bob.data[0].data.notes, '=1+1; "two"\nlines', 'the quote in front was taken off again')

  const third = await s.runCsv(mended.replace('bob@example.com', 'wrong again'))
  const again = await s.get(`/imports/${third.id}/rejects.csv`)
  t.equal(lines(again.body)[0]?.match(/muster_/g)?.length, 3, 'the problem columns do not pile up')
  t.match(again.body, /;wrong again;"'=1\+1; ""two""/, 'nor do the quotes in front of formulas')
})

t.test(
  'a row with too many cells keeps them and is rejected again until it is mended',
  async (t) => {
    const s = await setup(t, { worker: true })
    const csv = 'Organization,First Name,Last Name\nAcme, Inc.,Ann,Lee\nAcme,Bob,Ray\n'
    const done = await s.runCsv(csv)
    t.match(done.counts, { created: 1, rejected: 1 })
    const { body } = await s.get(`/imports/${done.id}/rejects.csv`)
    t.match(body, /\r\nAcme," Inc\.",Ann,2,column_count,.*,Lee\r\n$/)
    const again = await s.runCsv(body)
    t.match(again.counts, { created: 0, rejected: 1 })
    const { body: same } = await s.get(`/imports/${again.id}/rejects.csv`)
    t.match(same, /\r\nAcme," Inc\.",Ann,2,column_count,.*,Lee\r\n$/)
  }
)

t.test('rejects of a file that was an export have its quotes once', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = "Muster ID,Organization,First Name,Emails,Notes\r\n,Acme,Bob,wrong,'=1+1\r\n"
  const first = await s.runCsv(csv)
  const { body } = await s.get(`/imports/${first.id}/rejects.csv`)
  t.match(body, /,Acme,Bob,wrong,'=1\+1,2,/)
  await s.runCsv(body.replace('wrong', 'bob@example.com'))
  const { body: bob } = await s.get('/records?type=contacts&filter[first_name]=Bob')
  t.equal(bob.data[0].data.notes, '=1+1')
})

t.test('codes of a row are told apart by spaces, in both files', async (t) => {
  const s = await setup(t, { worker: true })
  const done = await s.runCsv('Organization,First Name,Emails,Important\nAcme,Bob,wrong,perhaps\n')
  const { body } = await s.get(`/imports/${done.id}/rejects.csv`)
  t.match(body, /,invalid_email invalid_boolean,/)
  const { body: rows } = await s.get(`/imports/${done.id}/rows?format=csv`)
  t.match(rows, /,invalid_email invalid_boolean,/)
})

t.test('an import without rejected rows has a header only', async (t) => {
  const s = await setup(t)
  const id = await importOf(s, 3, 5)
  const { body } = await s.get(`/imports/${id}/rejects.csv`)
  t.equal(body, 'Organization,First Name,muster_line,muster_codes,muster_problems\r\n')
})

t.test('an outcome says what its record is called', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = 'External ID,Organization,First Name,Last Name\nc-1,Acme,Ann,Lee\n,Acme,,\n'
  const done = await s.runCsv(csv, { type: 'contacts' })
  const { body } = await s.get(`/imports/${done.id}/rows`)
  t.match(body.data, [
    { outcome: 'created', title: 'Ann Lee', external_id: 'c-1' },
    { outcome: 'rejected', record_id: null, title: null, external_id: null }
  ])
  const { body: text } = await s.get(`/imports/${done.id}/rows?format=csv`)
  t.match(lines(text)[1], /^1,2,created,\d+,Ann Lee,c-1,,,,,$/)
})
