// Record types over the API: an account defines its own, adds to built-in ones, and gets templates.

import t from 'tap'
import { addRecord, asset, post, put } from '../helpers/asset-types.ts'
import { setup } from '../setup.ts'

type Tap = Pick<typeof t, 'equal' | 'same' | 'match'>
// biome-ignore lint/suspicious/noExplicitAny: answers have every shape
type Json = any

const kinds = {
  text: { max_length: 50, hint: 'As on the sticker', default: 'none' },
  textbox: { on_update: 'append' },
  checkbox: { default: true },
  boolean: { default: 'yes' },
  integer: { default: 3 },
  number: { default: '1.5' },
  percent: { default: '50%' },
  date: { expiration: true, short_dates: true },
  datetime: { default: '2026-01-31 09:30' },
  select: { options: ['Open', { value: 'wip', label: 'In progress' }], default: 'wip' },
  email: { many: true, unique: true },
  phone: { strict: true },
  url: { default: 'https://example.com' },
  ip: { default: '192.0.2.7' },
  mac: { unique: true },
  host: { many: { separator: ';' }, default: ['A.example.com'] },
  password: { required: true },
  tag: { reference: { type: 'contacts', rule: 'email' } },
  reference: { reference: { type: 'firewalls', within: 'organization' }, immutable: true },
  json: { default: [{ a: 1 }] }
}

function checkKinds(t: Tap, fields: Json[]) {
  const of = (kind: string) => fields.find((f) => f.name === `a_${kind}`)
  t.match(of('checkbox'), { kind: 'boolean', default: true })
  t.equal(of('boolean').default, true)
  t.equal(of('percent').default, 50)
  t.equal(of('number').default, 1.5)
  t.equal(of('datetime').default, '2026-01-31T09:30:00.000Z')
  t.match(of('select'), { options: ['Open', 'wip'], option_labels: { wip: 'In progress' } })
  t.match(of('host'), { separator: ';', default: ['a.example.com'] })
  t.match(of('password'), { sensitive: true, required: true })
  t.match(of('date'), { expiration: true, short_dates: true })
  t.match(of('textbox'), { on_update: 'append' })
  t.match(of('tag'), {
    kind: 'reference',
    separator: '|',
    reference: { type: 'contacts', rule: 'email', on_missing: 'fail', within: 'organization' }
  })
  t.match(of('reference').reference, { rule: 'title', within: 'organization' })
  t.same(of('json').default, [{ a: 1 }])
}

t.test('a type with a field of every kind is shown as it was understood', async (t) => {
  const s = await setup(t)
  const fields = Object.entries(kinds).map(([kind, more], i) => ({
    name: `a_${kind}`,
    label: `A ${kind}`,
    kind,
    position: 100 - i,
    ...more
  }))
  const name = { name: 'name', label: 'Name', kind: 'text', required: true, show_in_list: true }
  const { status, body, headers } = await post(s, asset({ fields: [...fields, name] }))
  t.equal(status, 201, JSON.stringify(body))
  t.equal(headers.get('location'), '/record-types/firewalls')
  t.match(body, {
    version: 1,
    builtin: false,
    organization_field: 'organization',
    title_fields: ['name'],
    match_policy: 'first_tier',
    blank: 'keep',
    limits: { max_rows: null }
  })
  t.same((await s.get('/record-types/firewalls')).body, body)
  const names = body.fields.map((field: { name: string }) => field.name)
  const wanted = [
    'external_id',
    'organization',
    ...Object.keys(kinds)
      .map((k) => `a_${k}`)
      .reverse()
  ]
  t.same(names, [...wanted, 'name'], 'in the order of their positions')
  checkKinds(t, body.fields)
  t.same(
    body.match_rules.map(
      (r: { name: string; fields: string[]; scope: string; identity: boolean }) => [
        r.name,
        r.fields.join(),
        r.scope,
        r.identity
      ]
    ),
    [
      ['external_id', 'external_id', 'organization', true],
      ['a_mac', 'a_mac', 'account', true],
      ['a_email', 'a_email', 'account', true],
      ['title', 'name', 'organization', false]
    ]
  )
})

t.test('all faults of a definition are told at once', async (t) => {
  const s = await setup(t)
  const field = { name: 'name', label: 'Name', kind: 'text' }
  const { status, body } = await post(
    s,
    asset({
      name: 'Fire Walls',
      fields: [
        field,
        { ...field, name: 'id', label: 'muster_id', kind: 'upload' },
        { name: 'secret', label: 'Secret', kind: 'password', use_for_title: true, default: 'x' }
      ]
    })
  )
  t.equal(status, 422)
  t.equal(body.code, 'type_invalid')
  t.same(
    body.details.faults.map((fault: { path: string }) => fault.path),
    [
      'body/name',
      'body/fields/1/label',
      'body/fields/1/kind',
      'body/fields/2/use_for_title',
      'body/fields/2/default',
      'body/fields/1/name',
      'body/fields/1/label'
    ]
  )
  t.match(body.detail, /there are text, textbox/)
  t.same((await s.get('/record-types/firewalls')).status, 404, 'nothing was kept')
  const shape = await post(s, { name: 'x', fields: [{ nme: 1 }] })
  t.equal(shape.body.code, 'validation_failed')
})

t.test('each change makes a version, the same definition again does not', async (t) => {
  const s = await setup(t)
  const first = await post(s, asset())
  const same = await put(s, 'firewalls', asset())
  t.same(same.body, first.body)
  const changed = await put(s, 'firewalls', asset({ label: 'Fire walls', limits: { max_rows: 9 } }))
  t.match(changed.body, { version: 2, label: 'Fire walls', limits: { max_rows: 9 } })
  const { rows } = await s.pool.query(
    `SELECT v.type_id, v.version, v.created_by, v.definition ->> 'label' AS label
    FROM record_type_versions v ORDER BY v.version`
  )
  const { rows: keys } = await s.pool.query('SELECT k.id FROM api_keys k')
  t.same(rows, [
    { type_id: 1000, version: 1, created_by: keys[0].id, label: 'Firewalls' },
    { type_id: 1000, version: 2, created_by: keys[0].id, label: 'Fire walls' }
  ])
  const half = await put(s, 'firewalls', { fields: [] })
  t.match(half.body, { code: 'validation_failed', errors: [{ path: 'body/label' }] })
  const renamed = await put(s, 'firewalls', asset({ name: 'walls' }))
  t.match(renamed.body, { code: 'validation_failed', errors: [{ path: 'body/name' }] })
  t.equal((await put(s, 'nothing', asset())).status, 404)
})

t.test('what would tear records is refused while there are any', async (t) => {
  const s = await setup(t)
  await post(s, asset())
  const [name] = asset().fields
  const torn = asset({
    fields: [
      name,
      { name: 'serial', label: 'Serial', kind: 'integer' },
      { name: 'mac', label: 'MAC', kind: 'mac', unique: true }
    ]
  })
  await addRecord(s, 'firewalls')
  const refused = await put(s, 'firewalls', torn)
  t.equal(refused.status, 409)
  t.match(refused.body, { code: 'type_conflict', details: { faults: { length: 2 } } })
  t.match(refused.body.detail, /serial is text and cannot become integer.*rule mac/)
  const fine = asset({
    fields: [
      { ...name, hint: 'x' },
      { name: 'notes', label: 'Notes', kind: 'textbox', required: true }
    ]
  })
  const kept = await put(s, 'firewalls', fine)
  t.equal(kept.status, 200, 'fields and rules go, required ones come')
  const back = asset({ fields: [name, { name: 'serial', label: 'S', kind: 'date' }] })
  t.match(
    (await put(s, 'firewalls', back)).body.detail,
    /serial was text/,
    'values are still there'
  )
  await s.pool.query('DELETE FROM records')
  const free = await put(s, 'firewalls', torn)
  t.equal(free.status, 200)
  const { rows } = await s.pool.query(
    `SELECT r ->> 'name' AS name, (r ->> 'code')::integer AS code
    FROM record_types t, jsonb_array_elements(t.definition -> 'match_rules') r`
  )
  t.same(
    rows,
    [
      { name: 'external_id', code: 1 },
      { name: 'mac', code: 4 },
      { name: 'title', code: 3 }
    ],
    'a rule keeps its number, a new one gets one that was never used'
  )
})

t.test(
  'a type is deleted only when nothing needs it, and its number is not used again',
  async (t) => {
    const s = await setup(t)
    await post(s, asset())
    const user = {
      name: 'rules',
      label: 'Rules',
      organization: 'none',
      fields: [
        { name: 'name', label: 'Name', kind: 'text' },
        {
          name: 'firewall',
          label: 'Firewall',
          kind: 'reference',
          reference: { type: 'firewalls', rule: 'serial' }
        }
      ]
    }
    const made = await post(s, user)
    t.equal(made.status, 201, JSON.stringify(made.body))
    const remove = (name: string) => s.request('DELETE', `/record-types/${name}`)
    t.match((await remove('firewalls')).body, {
      code: 'type_conflict',
      detail: /firewall of rules/
    })
    const [name] = asset().fields
    const without = await put(s, 'firewalls', asset({ fields: [name] }))
    t.match(without.body, { code: 'type_conflict', detail: /by the match rule serial/ })
    t.equal((await remove('rules')).status, 204)
    t.equal((await remove('rules')).status, 404)
    await addRecord(s, 'firewalls')
    t.match((await remove('firewalls')).body.detail, /firewalls have 1 record\(s\)/)
    await s.pool.query('DELETE FROM records')
    t.equal(
      (await s.uploadCsv('Organization,Name\nA,b\n', { type: 'firewalls', start: false })).status,
      201
    )
    t.match(
      (await remove('firewalls')).body.detail,
      /imports of firewalls that have not ended \(1\)/
    )
    await s.request('POST', '/imports/1/cancel')
    t.equal((await remove('firewalls')).status, 204)
    t.match((await remove('contacts')).body, { code: 'type_conflict', detail: /built in/ })
    await post(s, asset())
    const { rows } = await s.pool.query('SELECT t.type_id FROM record_types t')
    t.same(rows, [{ type_id: 1002 }])
  }
)

t.test('fields are added to a built-in type, and single settings changed', async (t) => {
  const s = await setup(t)
  const before = (await s.get('/record-types/contacts')).body
  const extension = {
    fields: [
      { name: 'agreements.tos', label: 'Terms', kind: 'checkbox', default: false },
      { name: 'size', label: 'Size', kind: 'select', options: ['S', 'L'], position: 1 }
    ],
    overrides: { important: { default: true }, title: { required: true } },
    limits: { max_rows: 100 }
  }
  const { status, body } = await put(s, 'contacts', extension)
  t.equal(status, 200, JSON.stringify(body))
  t.equal(body.version, before.version + 1)
  const of = (name: string) => body.fields.find((field: { name: string }) => field.name === name)
  t.match(of('agreements.tos'), {
    custom: true,
    kind: 'boolean',
    default: false,
    aliases: ['custom_fields.agreements.tos']
  })
  t.match(of('important'), { default: true, custom: false })
  t.equal(of('title').required, true)
  t.equal(body.limits.max_rows, 100)
  t.same((await put(s, 'contacts', extension)).body, body, 'the same again changes nothing')
  const bad = await put(s, 'contacts', {
    fields: [
      { name: 'first_name', label: 'Given', kind: 'text' },
      { name: 'nick', label: 'E-Mail', kind: 'text', unique: true }
    ],
    overrides: { nothing: {}, important: { default: 'perhaps' }, first_name: { required: false } }
  })
  t.same(
    bad.body.details.faults.map((fault: { path: string }) => fault.path),
    [
      'body/fields/1/unique',
      'body/fields/0/name',
      'body/fields/1/label',
      'body/overrides/nothing',
      'body/overrides/important/default',
      'body/overrides/first_name/required'
    ]
  )
  t.match((await put(s, 'contacts', { label: 'x' })).body.code, 'validation_failed')
  const plain = await put(s, 'contacts', {})
  t.same(plain.body, { ...before, version: before.version + 2 }, 'as it comes')
})

t.test('types of an account are nobody else’s', async (t) => {
  const s = await setup(t)
  const other = await s.makeAccount()
  await post(s, asset(), other.key)
  await s.request('PUT', '/record-types/contacts', {
    key: other.key,
    body: { fields: [{ name: 'mine', label: 'Mine', kind: 'text' }] }
  })
  t.equal((await s.get('/record-types/firewalls')).status, 404)
  t.equal((await s.get('/record-types/firewalls/template.csv')).status, 404)
  t.equal((await s.request('DELETE', '/record-types/firewalls')).status, 404)
  t.equal((await put(s, 'firewalls', asset())).status, 404)
  t.notMatch(JSON.stringify((await s.get('/record-types')).body), /firewalls|"mine"/)
  t.equal((await post(s, asset())).status, 201, 'the name is free here')
})

t.test(
  'of types created at the same time one gets the name, and each its own number',
  async (t) => {
    const s = await setup(t)
    const names = ['walls', 'walls', 'doors', 'gates', 'roofs']
    const answers = await Promise.all(names.map((name) => post(s, asset({ name }))))
    t.same(answers.map((one) => one.status).sort(), [201, 201, 201, 201, 409])
    t.match(answers.find((one) => one.status === 409)?.body, {
      code: 'type_conflict',
      detail: /already a record type "walls"/
    })
    const { rows } = await s.pool.query('SELECT t.type_id FROM record_types t ORDER BY t.type_id')
    t.same(
      rows.map((row) => row.type_id),
      [1000, 1001, 1002, 1003]
    )
    t.equal((await post(s, asset({ name: 'contacts' }))).status, 409)
  }
)

t.test('the template is a file with a sample row, explained in JSON', async (t) => {
  const s = await setup(t)
  await post(s, asset({ organization: 'none' }))
  const csv = await s.get('/record-types/firewalls/template.csv')
  t.match(csv.headers.get('content-type'), /^text\/csv; charset=utf-8/)
  t.match(csv.headers.get('content-disposition'), /filename="firewalls-template.csv"/)
  t.equal(csv.body, 'External ID,Name,Serial\r\nSample External ID,Sample Name,Sample Serial\r\n')
  const json = await s.get('/record-types/firewalls/template.json')
  t.match(json.body, {
    type: 'firewalls',
    columns: [
      { header: 'External ID', field: 'external_id', required: false },
      { header: 'Name', required: true, kind: 'text', example: 'Sample Name', separator: null },
      { header: 'Serial' }
    ]
  })
})
