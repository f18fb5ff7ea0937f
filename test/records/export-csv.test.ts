// Exports: every cell says what an import would read as the same value, and secrets stay in.

import t from 'tap'
import { createApiKey } from '../../src/access/store.ts'
import { field } from '../../src/record-types/define-field.ts'
import type { Json } from '../../src/record-types/types.ts'
import { cellOf } from '../../src/records/export-csv.ts'
import { defineVaults, makeRecord } from '../helpers/vault-type.ts'
import { readCsv } from '../import/parse/read.ts'
import { type Setup, setup } from '../setup.ts'

/** The rows of an export by column label. */
async function exported(s: Setup, query: string, key = s.key) {
  const { status, body, headers } = await s.request('GET', `/records/export.csv?${query}`, { key })
  if (status !== 200) throw new Error(JSON.stringify(body))
  const { dialect, rows } = await readCsv(body)
  return {
    text: body as string,
    headers,
    columns: dialect.headers,
    rows: rows.map(({ cells }) =>
      Object.fromEntries(cells.map((cell, i) => [dialect.headers[i] ?? '', cell]))
    )
  }
}

t.test('has a column for the id and for each field, under its label', async (t) => {
  const s = await setup(t, { worker: true })
  await s.runCsv(
    'Organization,First Name,Emails,Important,Tags,Notes\nAcme,Ann,a@b.de|c@b.de,yes,"x,y","two\nlines, ""q"""\n'
  )
  const { columns, rows, headers } = await exported(s, 'type=contacts')
  t.same(columns.slice(0, 4), ['Muster ID', 'External ID', 'Organization', 'First Name'])
  t.equal(headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  t.equal(headers.get('content-disposition'), 'attachment; filename="contacts.csv"')
  const { body } = await s.get('/records?type=contacts')
  t.match(rows, [
    {
      'Muster ID': String(body.data[0].id),
      Organization: 'Acme',
      Emails: 'a@b.de|c@b.de',
      Important: 'true',
      Tags: 'x,y',
      Notes: 'two\nlines, "q"',
      'External ID': ''
    }
  ])
})

t.test('a type without records is its header; one that is not there is refused', async (t) => {
  const s = await setup(t)
  const { body } = await s.get('/records/export.csv?type=contact_types')
  t.equal(body, 'Muster ID,Name\r\n')
  const cases: [string, number, string][] = [
    ['type=people', 422, 'unknown_record_type'],
    ['', 400, 'validation_failed'],
    ['type=contacts&format=json', 400, 'validation_failed'],
    ['type=contacts&organization=None', 422, 'organization_not_found'],
    ['type=contact_types&organization=None', 400, 'validation_failed'],
    ['type=contacts&secrets=true', 403, 'forbidden']
  ]
  for (const [query, status, code] of cases) {
    t.match(await s.get(`/records/export.csv?${query}`), { status, body: { code } }, query)
  }
})

t.test('a reference is the name only where that finds the record and nothing else', async (t) => {
  const s = await setup(t)
  const names = [
    'Acme',
    'Twice',
    'Twice',
    '4711',
    'id:1',
    'External_ID:x',
    "'=Quoted",
    '=1+1',
    'a|b'
  ]
  for (const name of names) {
    const id = await makeRecord(s, 'organizations', { name })
    await makeRecord(s, 'contacts', { organization: id, first_name: name })
  }
  await makeRecord(s, 'contacts', { organization: 999_999, first_name: 'dangling' })
  const { rows, text } = await exported(s, 'type=contacts')
  const cells = rows.map((row) => row.Organization)
  const ids = (await s.get('/records?type=contacts')).body.data.map(
    (one: { data: { organization: number } }) => `id:${one.data.organization}`
  )
  t.same(cells, ['Acme', ...ids.slice(1, 6), "''=Quoted", "'=1+1", 'a|b', 'id:999999'])
  t.notMatch(text, /(^|,)=/m)
})

t.test('a name is looked up inside the organization, and a separator is never in it', async (t) => {
  const s = await setup(t)
  await defineVaults(s)
  const acme = await makeRecord(s, 'organizations', { name: 'Acme' })
  const frog = await makeRecord(s, 'organizations', { name: 'Frog' })
  const contact = (organization: number, external_id: string) =>
    makeRecord(s, 'contacts', { organization, external_id, first_name: 'Ann' })
  const one = await contact(acme, 'x1')
  const same = await contact(frog, 'x1')
  const odd = await contact(acme, 'x|2')
  const names = { first_name: 'Mary Ann', last_name: 'Lee' }
  const mate = await makeRecord(s, 'contacts', { organization: acme, ...names })
  await makeRecord(s, 'vaults', {
    organization: acme,
    name: 'a',
    friends: [one, odd],
    twin: one,
    mate
  })
  await makeRecord(s, 'vaults', { organization: frog, name: 'b', friends: [same], mate: same })
  await makeRecord(s, 'vaults', { organization: frog, name: 'c', friends: [one], mate: one })
  await makeRecord(s, 'vaults', { name: 'd', friends: [one] })
  const { rows } = await exported(s, 'type=vaults')
  t.match(rows, [
    { Organization: 'Acme', Friends: `x1|id:${odd}`, Twin: `id:${one}`, Mate: 'Mary Ann Lee' },
    { Organization: 'Frog', Friends: 'x1', Mate: 'Ann' },
    { Organization: 'Frog', Friends: `id:${one}`, Mate: `id:${one}` },
    { Organization: '', Friends: `id:${one}` }
  ])
  const only = await exported(s, 'type=vaults&organization=Acme')
  t.same(
    only.rows.map((row) => row.Name),
    ['a']
  )
})

t.test('secrets are blank unless a key that may asks for them', async (t) => {
  const s = await setup(t)
  await defineVaults(s)
  const { key } = await createApiKey(s.pool, s.account_id, 'reader', { reads_secrets: true })
  const { seal } = s.secrets
  const password = '-\'"two\nlines, ä'
  await makeRecord(s, 'vaults', {
    name: 'Safe',
    password: seal(password),
    codes: ['1', '2'].map(seal)
  })
  for (const [query, who] of [
    ['type=vaults', s.key],
    ['type=vaults', key],
    ['type=vaults&secrets=false', key]
  ] as const) {
    const { rows, text } = await exported(s, query, who)
    t.match(rows, [{ Name: 'Safe', Password: '', Codes: '' }])
    t.notMatch(text, /enc:1/)
  }
  const { rows } = await exported(s, 'type=vaults&secrets=true', key)
  t.match(rows, [{ Password: `'${password}`, Codes: '1|2' }])
})

t.test('is read page by page, every record once', async (t) => {
  const s = await setup(t)
  await s.pool.query(
    `INSERT INTO records (account_id, type_id, id, data)
    SELECT $1, 12, nextval('record_ids'), jsonb_build_object('name', 'n' || i)
    FROM generate_series(1, 4000) AS i`,
    [s.account_id]
  )
  const { rows } = await exported(s, 'type=contact_types')
  t.equal(rows.length, 4_000)
  t.equal(new Set(rows.map((row) => row['Muster ID'])).size, 4_000)
  t.equal(rows.at(-1)?.Name, 'n4000')
})

t.test('every kind of value is written as a cell reads it', async (t) => {
  const text = field('x', 'X', 'text', '')
  const of = (kind: 'number' | 'json' | 'percent' | 'boolean' | 'datetime') => ({ ...text, kind })
  const many = { ...text, many: { separator: '|' } }
  const cases: [typeof text, Json | undefined, string][] = [
    [text, undefined, ''],
    [text, 'a', 'a'],
    [many, ['a', 'b'], 'a|b'],
    [many, ['a|b', 'c'], '["a|b","c"]'],
    [many, ['["a'], '["[\\"a"]'],
    [many, ['a', '__CLEAR__'], '["a","__CLEAR__"]'],
    [many, ['__CLEAR__'], "'__CLEAR__"],
    [text, '__CLEAR__', "'__CLEAR__"],
    [text, "'__CLEAR__", "''__CLEAR__"],
    [of('boolean'), false, 'false'],
    [of('percent'), 12.5, '12.5'],
    [of('number'), -3, '-3'],
    [of('number'), 1e21, '1000000000000000000000'],
    [of('number'), 1.25e22, '12500000000000000000000'],
    [of('number'), -1.5e-7, '-0.00000015'],
    [of('number'), 1e-7, '0.0000001'],
    [of('datetime'), '2026-01-31T09:30:00.000Z', '2026-01-31T09:30:00.000Z'],
    [of('json'), { b: [1, null, 'ä'] }, '{"b":[1,null,"ä"]}'],
    [of('json'), 'text', '"text"'],
    [{ ...text, sensitive: true }, 'enc:1:k:aaaa', '']
  ]
  for (const [column, value, cell] of cases) {
    t.equal(cellOf(column, value, null), cell, JSON.stringify(value))
    if (column.kind === 'number') t.equal(Number(cell), value)
  }
})

t.test('an export that is imported again changes nothing, with or without secrets', async (t) => {
  const s = await setup(t, { worker: true })
  const { key } = await createApiKey(s.pool, s.account_id, 'reader', { reads_secrets: true })
  const first = await s.runCsv(
    'Organization,Name,Password,Notes\nAcme,"\'=Door","-\'""x ","two\nlines"\nAcme,@Gate,4711,\n',
    { type: 'passwords' }
  )
  t.equal(first.counts.created, 2, JSON.stringify(first))
  for (const secrets of [false, true]) {
    const { text } = await exported(s, `type=passwords&secrets=${secrets}`, key)
    const again = await s.runCsv(text, { type: 'passwords' })
    t.equal(again.counts.unchanged, 2, JSON.stringify(again))
  }
  const { body } = await s.request('GET', '/records/export.csv?type=passwords&secrets=true', {
    key
  })
  const edited = await s.runCsv(body.replace('4711', '4712'), { type: 'passwords' })
  t.match(edited.counts, { unchanged: 1, updated: 1 })
})
