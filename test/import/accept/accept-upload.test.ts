// From an upload to an import: what is created, what is looked up, what is refused without a trace.

import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openUpload, uploadPath } from '../../../src/platform/files.ts'
import { kept, nothing } from '../../helpers/kept.ts'
import { setup } from '../../setup.ts'

const csv = 'Organization,First Name,E-Mail,Fax\nAcme,Ann,ann@example.com,1\n'

t.test('an accepted file becomes a queued import with its job and its file', async (t) => {
  const s = await setup(t)
  const { status, headers, body } = await s.uploadCsv(csv, { name: 'contacts.csv' })
  t.equal(status, 202)
  t.equal(headers.get('location'), `/imports/${body.id}`)
  t.match(body, {
    type: 'contacts',
    state: 'queued',
    mode: 'create_and_update',
    allow_partial: true,
    organization: null,
    file: { name: 'contacts.csv', bytes: csv.length, sha256: /^[0-9a-f]{64}$/, delimiter: ',' },
    columns: [
      { header: 'Organization', field: 'organization' },
      { header: 'First Name', field: 'first_name' },
      { header: 'E-Mail', field: 'emails' },
      { header: 'Fax', field: null }
    ],
    counts: { created: 0, rejected: 0, not_reached: null },
    rows: { done: 0, total: null, per_second: null, eta_seconds: null },
    bytes: { done: 0, total: csv.length },
    created_by: { name: 'test key' },
    started_at: null,
    error: null,
    earlier_import: null
  })
  t.notOk('preview' in body)
  t.same(await kept(s), { imports: 1, jobs: 1, files: 1, partial: 0 })
  const { rows } = await s.pool.query('SELECT i.file_key FROM imports i')
  const { file_key } = rows[0]
  const chunks = await Array.fromAsync(openUpload({ ...s, dataDir: s.config.dataDir }, file_key))
  t.equal(Buffer.concat(chunks).toString(), csv)
  const onDisk = await readFile(uploadPath(s.config.dataDir, file_key))
  t.notOk(onDisk.includes('Ann'), 'encrypted on disk')
})

t.test('start=false makes a draft that no worker gets', async (t) => {
  const s = await setup(t)
  const { status, headers, body } = await s.uploadCsv('First Name\nAnn\n', { start: false })
  t.equal(status, 201)
  t.equal(headers.get('location'), `/imports/${body.id}`)
  t.match(body, {
    state: 'draft',
    queued_at: null,
    preview: { unmapped_required: ['organization'] }
  })
  t.same(await kept(s), { imports: 1, jobs: 0, files: 1, partial: 0 })
})

t.test('all options are kept', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv('Organization;First Name;E-Mail\nAcme;Ann;\n', {
    mode: 'create_only',
    allow_partial: false,
    delimiter: ';',
    mapping: { 'E-Mail': null, 'First Name': 'last_name' },
    blank: 'overwrite',
    clear_marker: '-',
    repeats: 'merge',
    similar: 'error',
    update: { tags: 'append', notes: 'append' },
    separators: { emails: ';' },
    on_missing: { organization: 'fail' },
    default_country: 'at',
    require_external_id: true,
    notify_emails: 'a@example.com',
    start: false
  })
  t.match(body, {
    mode: 'create_only',
    allow_partial: false,
    profile: null,
    options: {
      blank: 'overwrite',
      clear_marker: '-',
      repeats: 'merge',
      similar: 'error',
      update: { tags: 'append', notes: 'append' },
      separators: { emails: ';' },
      on_missing: { organization: 'fail' },
      default_country: 'AT',
      require_external_id: true,
      notify_emails: ['a@example.com']
    },
    file: { delimiter: ';' },
    columns: [{ field: 'organization' }, { field: 'last_name' }, { field: null }]
  })
})

t.test('options that name fields are held to the record type, with every fault', async (t) => {
  const s = await setup(t)
  const { status, body } = await s.uploadCsv(csv, {
    update: { first_name: 'append', shoe_size: 'replace' },
    separators: { title: ';', emails: 'and' },
    on_missing: { emails: 'fail' }
  })
  t.equal(status, 400)
  t.equal(body.code, 'invalid_option')
  t.match(body.detail, /Option "update" is "\{"first_name".*has one value.*no field "shoe_size"/)
  t.same(
    body.details.faults.map((fault: { option: string }) => fault.option),
    ['update', 'update', 'separators', 'on_missing', 'separators']
  )
  const external = await s.uploadCsv('Name\nA\n', {
    type: 'contact_types',
    require_external_id: true
  })
  t.match(external.body, { code: 'invalid_option', detail: /not found by an external id/ })
  t.same(await kept(s), nothing)
})

t.test('what is not said is as the record type has it', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv(csv)
  t.same(body.options, {
    blank: 'keep',
    clear_marker: '__CLEAR__',
    repeats: 'reject',
    similar: 'warn',
    update: {},
    separators: {},
    on_missing: {},
    default_country: null,
    require_external_id: false,
    notify_emails: [],
    push: 'none'
  })
})

t.test('the same content sent again names the earlier import', async (t) => {
  const s = await setup(t)
  const first = await s.uploadCsv(csv)
  const second = await s.uploadCsv(csv, { name: 'other.csv' })
  t.equal(second.status, 202)
  t.equal(second.body.earlier_import, first.body.id)
  const other = await s.makeAccount()
  const theirs = await s.uploadCsv(csv, { key: other.key })
  t.equal(theirs.body.earlier_import, null, 'another account is not told')
  const another = await s.uploadCsv(csv, { start: false, type: 'organizations' })
  t.equal(another.body.earlier_import, null, 'another type is another import')
})

t.test('one organization for the whole file is found by id or exact name', async (t) => {
  const s = await setup(t, { worker: true })
  await s.runCsv('Name\nHappy Frog\n17\n', { type: 'organizations' })
  const { body: page } = await s.get('/records?type=organizations')
  const [frog, seventeen] = page.data
  const file = 'First Name\nAnn\n'
  for (const wanted of ['Happy Frog', ' Happy Frog ', String(frog.id)]) {
    const { status, body } = await s.uploadCsv(file, { organization: wanted })
    t.equal(status, 202)
    t.same(body.organization, { id: frog.id, title: 'Happy Frog' }, wanted)
  }
  const number = await s.uploadCsv(file, { organization: '17' })
  t.equal(number.body.organization.id, seventeen.id, 'a name that is a number')
  for (const unknown of ['happy frog', 'Happy', '999999']) {
    const { status, body } = await s.uploadCsv(file, { organization: unknown })
    t.equal(status, 422)
    t.match(body, { code: 'organization_not_found', detail: new RegExp(unknown) })
  }
  const other = await s.makeAccount()
  const foreign = await s.uploadCsv(file, { organization: String(frog.id), key: other.key })
  t.match(foreign.body, { code: 'organization_not_found' }, 'not in another account')
})

t.test(
  'an organization that is the id of one and the name of another is not guessed',
  async (t) => {
    const s = await setup(t, { worker: true })
    await s.runCsv('Name\nHappy Frog\n', { type: 'organizations' })
    const { body: page } = await s.get('/records?type=organizations')
    const id = page.data[0].id
    await s.runCsv(`Name\n${id}\n`, { type: 'organizations' })
    const { status, body } = await s.uploadCsv('First Name\nAnn\n', { organization: String(id) })
    t.equal(status, 422)
    t.match(body, {
      code: 'organization_ambiguous',
      details: { candidates: [{ id, title: 'Happy Frog' }, { title: String(id) }] }
    })
  }
)

const refused: [string, string | Buffer, Record<string, unknown>, number, string][] = [
  ['an empty file', '', {}, 422, 'empty_file'],
  ['a header only', 'Organization,First Name\n', {}, 422, 'no_rows'],
  ['binary content', Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 8]), {}, 422, 'not_csv'],
  ['UTF-32', Buffer.from('\xff\xfe\0\0a\0\0\0', 'latin1'), {}, 422, 'encoding_unsupported'],
  ['an encoding there is not', csv, { encoding: 'klingon' }, 400, 'invalid_option'],
  [
    'bytes that mean nothing',
    'a,b\n\x80\xff,1\n',
    { encoding: 'shift_jis' },
    422,
    'encoding_mismatch'
  ],
  ['a profile there is not', csv, { profile: 'nightly' }, 404, 'profile_not_found'],
  [
    'a header that is not UTF-8',
    Buffer.from('N\xe4me,b\n1,2\n', 'latin1'),
    {},
    422,
    'encoding_invalid'
  ],
  [
    'a header with a name twice, both mapped',
    'Organization,First Name,a,a\n1,2,3,4\n',
    { mapping: { a: 'title' } },
    422,
    'mapping_invalid'
  ],
  [
    '513 columns',
    `${Array.from({ length: 513 }, (_, n) => `c${n}`).join(',')}\n1\n`,
    {},
    422,
    'too_many_columns'
  ],
  ['no required column', 'First Name\nAnn\n', {}, 422, 'required_column_unmapped'],
  [
    'a required column mapped away',
    csv,
    { mapping: { 'First Name': null } },
    422,
    'required_column_unmapped'
  ],
  ['a mapping to an unknown field', csv, { mapping: { Fax: 'fax' } }, 422, 'mapping_invalid'],
  ['a mapping of an unknown column', csv, { mapping: { Fux: null } }, 422, 'mapping_invalid'],
  [
    'a mapping of two columns to one field',
    csv,
    { mapping: { Fax: 'title', 'E-Mail': 'title' } },
    422,
    'mapping_invalid'
  ],
  [
    'an organization for organizations',
    'Name\nA\n',
    { type: 'organizations', organization: 'A' },
    400,
    'invalid_option'
  ]
]

t.test('refuses what can never run, and keeps nothing of it', async (t) => {
  const s = await setup(t)
  for (const [title, content, options, status, code] of refused) {
    const answer = await s.uploadCsv(content, options)
    t.equal(answer.status, status, `${title}: ${JSON.stringify(answer.body)}`)
    t.equal(answer.body.code, code, title)
  }
  t.same(await kept(s), nothing)
})

t.test('an unmapped required field is told with what the mapping has to work with', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv('Vorname,Company\nAnn,Acme\n')
  t.same(body.details, {
    unmapped_required: ['first_name'],
    columns: [
      { header: 'Vorname', field: null },
      { header: 'Company', field: 'organization' }
    ]
  })
})

t.test('an upload that cannot be stored is 503, and leaves no import', async (t) => {
  const s = await setup(t)
  const uploads = join(s.config.dataDir, 'uploads')
  await rm(uploads, { recursive: true, force: true })
  await writeFile(uploads, 'a file in the place of the folder')
  const { status, body } = await s.uploadCsv(csv)
  t.equal(status, 503)
  t.equal(body.code, 'storage_unavailable')
  t.match(await kept(s), { imports: 0, jobs: 0 })
})

t.test('a queue that refuses leaves no import and no file', async (t) => {
  const s = await setup(t)
  s.boss.send = async () => null
  const { status, body } = await s.uploadCsv(csv)
  t.equal(status, 500)
  t.equal(body.code, 'internal_error')
  t.notMatch(JSON.stringify(body), /import\.run|refused/, 'nothing of the cause is told')
  t.same(await kept(s), nothing)
})
