// Records as clients read them: one, and lists by type, organization and field.

import t from 'tap'
import { type Setup, setup } from '../setup.ts'

const csv = `Organization,First Name,Last Name,Emails,Important,Tags
Happy Frog,Ann,Lee,ann@example.com|lee@example.com,true,"vip,uk"
Happy Frog,Bob,,bob@example.com,false,vip
Sad Frog,Ann,Poe,,,
`

async function imported(t: Parameters<typeof setup>[0]): Promise<Setup> {
  const s = await setup(t, { worker: true })
  const done = await s.runCsv(csv)
  if (done.counts.created !== 3) throw new Error(JSON.stringify(done))
  return s
}

const titles = (body: { data: { title: string }[] }) => body.data.map((item) => item.title)

t.test('a record shows its values, its organization and the import that wrote it', async (t) => {
  const s = await imported(t)
  const { body: page } = await s.get('/records?type=contacts&limit=1')
  const [ann] = page.data
  t.match(ann, {
    type: 'contacts',
    title: 'Ann Lee',
    version: 1,
    organization: { title: 'Happy Frog' },
    created_import_id: 1,
    updated_import_id: 1,
    archived_at: null
  })
  t.same(Object.keys(ann.data), [
    'organization',
    'first_name',
    'last_name',
    'important',
    'emails',
    'tags'
  ])
  t.same(ann.data.emails, ['ann@example.com', 'lee@example.com'])
  const one = await s.get(`/records/${ann.id}`)
  t.equal(one.status, 200)
  t.same(one.body, { ...ann, not_pushed: [1] })
  const organization = await s.get(`/records/${ann.organization.id}`)
  t.match(organization.body, { type: 'organizations', title: 'Happy Frog', organization: null })
})

t.test('a list is filtered by field and organization', async (t) => {
  const s = await imported(t)
  const { body: frogs } = await s.get('/records?type=organizations&filter[name]=Sad Frog')
  const cases: [string, string[]][] = [
    ['', ['Ann Lee', 'Bob', 'Ann Poe']],
    ['&filter[first_name]=Ann', ['Ann Lee', 'Ann Poe']],
    ['&filter[first_name]=Ann&filter[last_name]=Poe', ['Ann Poe']],
    ['&filter[first_name]=ann', []],
    ['&filter[emails]=lee@example.com', ['Ann Lee']],
    ['&filter[tags]=vip', ['Ann Lee', 'Bob']],
    ['&filter[important]=true', ['Ann Lee']],
    ['&filter[last_name]=', []],
    ['&organization=Happy Frog', ['Ann Lee', 'Bob']],
    [`&organization=${frogs.data[0].id}`, ['Ann Poe']],
    ['&organization=Happy Frog&filter[first_name]=Bob', ['Bob']],
    [`&filter[first_name]=${encodeURIComponent("' OR 1=1 --")}`, []]
  ]
  for (const [query, wanted] of cases) {
    const { status, body } = await s.get(`/records?type=contacts${query}`)
    t.equal(status, 200, JSON.stringify(body))
    t.same(titles(body), wanted, query)
  }
})

t.test('a list comes in pages by id', async (t) => {
  const s = await imported(t)
  const first = await s.get('/records?type=contacts&limit=2')
  const second = await s.get(`/records?type=contacts&limit=2&cursor=${first.body.next_cursor}`)
  t.same([...titles(first.body), ...titles(second.body)], ['Ann Lee', 'Bob', 'Ann Poe'])
  t.equal(second.body.next_cursor, null)
})

t.test('a query that makes no sense says what is wrong with it', async (t) => {
  const s = await imported(t)
  const cases: [string, number, object][] = [
    ['', 400, { code: 'validation_failed', errors: [{ path: 'query/type' }] }],
    ['?type=people', 422, { code: 'unknown_record_type' }],
    ['?type=contacts&filter[nick]=x', 400, { errors: [{ path: 'query/filter[nick]' }] }],
    ['?type=contacts&filter[__proto__]=x', 400, { errors: [{ path: 'query/filter[__proto__]' }] }],
    ['?type=contacts&first_name=Ann', 400, { errors: [{ path: 'query/first_name' }] }],
    ['?type=contacts&filter[title]=a&filter[title]=b', 400, { code: 'validation_failed' }],
    ['?type=contacts&organization=No Frog', 422, { code: 'organization_not_found' }],
    [
      '?type=organizations&organization=Happy Frog',
      400,
      { errors: [{ path: 'query/organization' }] }
    ],
    ['?type=contacts&cursor=%00', 400, { code: 'invalid_cursor' }]
  ]
  for (const [query, status, body] of cases)
    t.match(await s.get(`/records${query}`), { status, body }, query)
})

t.test('a record that is not there is 404', async (t) => {
  const s = await setup(t)
  t.match(await s.get('/records/4711'), { status: 404, body: { code: 'record_not_found' } })
})

t.test('record types say which fields and match rules they have', async (t) => {
  const s = await setup(t)
  const { body } = await s.get('/record-types')
  const names = body.data.map((type: { name: string }) => type.name)
  t.ok(names.includes('contacts') && names.includes('organizations'))
  const contacts = await s.get('/record-types/contacts')
  t.match(contacts.body, { name: 'contacts', organization_field: 'organization' })
  const byName = Object.fromEntries(
    contacts.body.fields.map((field: { name: string }) => [field.name, field])
  )
  t.match(byName.first_name, {
    label: 'First Name',
    required: true,
    separator: null,
    reference: null
  })
  t.match(byName.emails, { kind: 'email', separator: '|' })
  t.match(byName.organization, { reference: { type: 'organizations', on_missing: 'create' } })
  t.match(contacts.body.match_rules[0], { name: 'external_id', scope: 'organization' })
  t.match(await s.get('/record-types/people'), {
    status: 404,
    body: { code: 'record_type_not_found' }
  })
})
