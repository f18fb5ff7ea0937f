// Bodies of uploads that are broken, hostile or too much: a clear answer, and nothing kept.

import t from 'tap'
import { kept, nothing } from '../../helpers/kept.ts'
import { formBody, formType, openPost, rawPost } from '../../helpers/raw-http.ts'
import { until } from '../../helpers/until.ts'
import { setup } from '../../setup.ts'

const csv = 'Organization,First Name\nAcme,Ann\n'
const file = { name: 'file', content: csv, filename: 'a.csv' }
const type = { name: 'type', content: 'contacts' }

const octets = `Content-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream`
const refused: [string, { body: string | Buffer; contentType?: string }, number, string][] = [
  ['no boundary', { body: 'x', contentType: 'multipart/form-data' }, 400, 'malformed_multipart'],
  [
    'a boundary of 300 characters',
    { body: 'x', contentType: `multipart/form-data; boundary=${'b'.repeat(300)}` },
    400,
    'malformed_multipart'
  ],
  ['no content type at all', { body: 'x', contentType: '' }, 415, 'not_multipart'],
  [
    'bytes as the body',
    { body: csv, contentType: 'application/octet-stream' },
    415,
    'not_multipart'
  ],
  ['JSON as the body', { body: '{}', contentType: 'application/json' }, 415, 'not_multipart'],
  ['an empty body', { body: '' }, 400, 'file_missing'],
  ['an empty form', { body: formBody([]) }, 400, 'file_missing'],
  ['no file', { body: formBody([type]) }, 400, 'file_missing'],
  [
    'a file as plain text',
    { body: formBody([type, { name: 'file', content: csv }]) },
    400,
    'file_missing'
  ],
  [
    'a file under another name',
    { body: formBody([type, { ...file, name: 'upload' }]) },
    400,
    'file_missing'
  ],
  ['two files', { body: formBody([type, file, file]) }, 400, 'too_many_files'],
  ['no last boundary', { body: formBody([type, file], '') }, 400, 'malformed_multipart'],
  ['text without any boundary', { body: 'hello world' }, 400, 'malformed_multipart'],
  [
    'a file and pasted rows',
    { body: formBody([type, file, { name: 'text', content: csv }]) },
    400,
    'too_many_files'
  ],
  [
    'pasted rows twice',
    { body: formBody([type, { name: 'text', content: csv }, { name: 'text', content: csv }]) },
    400,
    'too_many_files'
  ],
  [
    'pasted rows of 2 MB',
    { body: formBody([type, { name: 'text', content: csv.padEnd(2e6, 'Acme,Bob\n') }]) },
    400,
    'invalid_option'
  ],
  [
    'an option of 300 kB',
    { body: formBody([type, { name: 'mapping', content: ' '.repeat(3e5) }, file]) },
    400,
    'invalid_option'
  ],
  ['an option twice', { body: formBody([type, type, file]) }, 400, 'invalid_option'],
  [
    'an unknown option',
    { body: formBody([file, type, { name: 'x', content: '1' }]) },
    400,
    'unknown_option'
  ],
  [
    'an option named __proto__',
    { body: formBody([type, { name: '__proto__', content: '1' }, file]) },
    400,
    'malformed_multipart'
  ],
  [
    'an option of 2 MB',
    { body: formBody([type, { name: 'mapping', content: ' '.repeat(2e6) }, file]) },
    400,
    'invalid_option'
  ],
  [
    'a part header of 100 kB',
    { body: formBody([{ ...type, head: `X-Long: ${'x'.repeat(1e5)}` }]) },
    400,
    'file_missing'
  ],
  [
    '100 fields',
    { body: formBody([...Array(100).keys()].map((n) => ({ name: `f${n}`, content: '' }))) },
    400,
    'unknown_option'
  ],
  ['a file without type', { body: formBody([file]) }, 400, 'invalid_option'],
  [
    'an unknown type',
    { body: formBody([{ name: 'type', content: 'people' }, file]) },
    422,
    'unknown_record_type'
  ],
  [
    'an empty file without a name',
    { body: formBody([type, { name: 'file', content: '', head: octets }]) },
    422,
    'empty_file'
  ]
]

t.test('refuses what is no upload, each with its own code', async (t) => {
  const s = await setup(t)
  for (const [title, post, status, code] of refused) {
    const answer = await rawPost({ url: s.url, key: s.key, ...post })
    t.equal(answer.status, status, `${title}: ${answer.text.slice(0, 300)}`)
    t.match(answer.head, /content-type: application\/problem\+json/i, title)
    t.equal(JSON.parse(answer.text).code, code, title)
  }
  t.same(await kept(s), nothing)
})

t.test('takes the options before, after and around the file', async (t) => {
  const s = await setup(t)
  const mode = { name: 'mode', content: 'create_only' }
  for (const parts of [
    [type, mode, file],
    [file, mode, type],
    [type, file, mode]
  ]) {
    const answer = await rawPost({ url: s.url, key: s.key, body: formBody(parts) })
    t.equal(answer.status, 202, answer.text)
    t.match(JSON.parse(answer.text), { type: 'contacts', mode: 'create_only' })
  }
})

t.test('takes an option that was sent as JSON', async (t) => {
  const s = await setup(t)
  const head = 'Content-Disposition: form-data; name="mapping"\r\nContent-Type: application/json'
  const mapping = { name: 'mapping', content: '{"First Name":"title"}', head }
  const draft = { name: 'start', content: 'false' }
  const body = formBody([type, mapping, draft, file])
  const answer = await rawPost({ url: s.url, key: s.key, body })
  t.equal(answer.status, 201, answer.text)
  t.match(JSON.parse(answer.text).columns, [{ field: 'organization' }, { field: 'title' }])
})

t.test('says of an option what is wrong with it, not with a value that nobody sent', async (t) => {
  const s = await setup(t)
  const head = 'Content-Disposition: form-data; name="mapping"\r\nContent-Type: application/json'
  const deep = { name: 'mapping', content: `${'['.repeat(5_000)}${']'.repeat(5_000)}`, head }
  const cases: [Parameters<typeof formBody>[0], RegExp][] = [
    [[type, deep, file], /^Option "mapping": It is nested deeper than/],
    [[type, type, file], /^Option "type": It was given twice/],
    [[file], /^Option "type": It is required/],
    [
      [type, { name: 'text', content: csv, filename: 'a.csv' }],
      /^Option "text": It came as a file/
    ],
    [
      [type, file, { name: 'separators', content: '{"emails":"."}' }],
      /"\." is part of every value of "emails"/
    ]
  ]
  for (const [parts, detail] of cases) {
    const answer = await rawPost({ url: s.url, key: s.key, body: formBody(parts) })
    t.equal(answer.status, 400, answer.text)
    t.match(JSON.parse(answer.text), { code: 'invalid_option', detail })
  }
  t.same(await kept(s), nothing)
})

t.test('takes pasted rows in the place of a file', async (t) => {
  const s = await setup(t)
  const text = { name: 'text', content: csv.replace('Ann', 'Änn') }
  const unchosen = { name: 'file', content: '', filename: '' }
  for (const parts of [
    [type, text],
    [text, type, { name: 'encoding', content: 'windows-1252' }],
    [type, unchosen, text],
    [{ name: 'file', content: '' }, type, text]
  ]) {
    const answer = await rawPost({ url: s.url, key: s.key, body: formBody(parts) })
    t.equal(answer.status, 202, answer.text)
    const bytes = Buffer.byteLength(text.content)
    t.match(JSON.parse(answer.text), { file: { name: 'pasted.csv', bytes } })
  }
  t.match(await kept(s), { imports: 4, files: 4, partial: 0 })
})

t.test('takes options of the query as well, but none twice', async (t) => {
  const s = await setup(t)
  const post = (path: string) =>
    rawPost({ url: s.url, key: s.key, path, body: formBody([type, file]) })
  const answer = await post('/imports?mode=create_only&update[tags]=append')
  t.equal(answer.status, 202, answer.text)
  t.match(JSON.parse(answer.text), { mode: 'create_only', options: { update: { tags: 'append' } } })
  t.match(JSON.parse((await post('/imports?type=contacts')).text), { code: 'invalid_option' })
  t.match(JSON.parse((await post('/imports?file_name=a.csv')).text), { code: 'unknown_option' })
})

t.test('a hostile file name is made safe to show and never used', async (t) => {
  const s = await setup(t)
  const name = '../../../tmp/\u202Eévil;%00.csv'
  const body = formBody([type, { ...file, filename: name }])
  const answer = await rawPost({ url: s.url, key: s.key, body })
  t.equal(answer.status, 202)
  const json = JSON.parse(Buffer.from(answer.text, 'latin1').toString())
  t.equal(json.file.name, 'évil;%00.csv')
  t.match(await kept(s), { imports: 1, files: 1, partial: 0 })
})

t.test('an upload that is cut off leaves no import and no file', async (t) => {
  const s = await setup(t)
  const big = { ...file, content: csv + 'Acme,Bob\n'.repeat(50_000) }
  const body = formBody([type, big])
  for (const [title, share] of [
    ['before the file', 0.0001],
    ['in the file', 0.5],
    ['after the file', 1 - 10 / body.length]
  ] as const) {
    const part = body.subarray(0, Math.ceil(body.length * share))
    const { socket } = await openPost({
      url: s.url,
      key: s.key,
      body: part,
      announced: body.length
    })
    if (share > 0.01) await until('a partial file', async () => (await kept(s)).partial === 1)
    socket.destroy()
    await until(`nothing left (${title})`, async () => {
      const left = await kept(s)
      return left.partial === 0 && left.files === 0
    })
  }
  t.same(await kept(s), nothing)
})

t.test('an upload on which nothing moves is ended with 408', async (t) => {
  const s = await setup(t, { config: { uploadIdleTimeoutMs: 200 } })
  const body = formBody([type, file])
  const stalled = [
    ['in the file', body.subarray(0, body.length - 40)],
    ['in the first header', body.subarray(0, 30)]
  ] as const
  for (const [title, part] of stalled) {
    const answer = await rawPost({ url: s.url, key: s.key, body: part, announced: body.length })
    t.equal(answer.status, 408, title)
    t.equal(JSON.parse(answer.text).code, 'upload_stalled', title)
  }
  t.same(await kept(s), nothing)
})

t.test('a file over the limit is refused with 413', async (t) => {
  const s = await setup(t, { config: { maxUploadBytes: 10_000 } })
  const sized = (bytes: number) => ({ ...file, content: csv.padEnd(bytes, 'Acme,Bob\n') })
  const exact = await rawPost({ url: s.url, key: s.key, body: formBody([type, sized(10_000)]) })
  t.equal(exact.status, 202, 'the limit itself is allowed')
  const over = await rawPost({ url: s.url, key: s.key, body: formBody([type, sized(10_001)]) })
  t.equal(over.status, 413)
  t.match(JSON.parse(over.text), { code: 'too_large', detail: /10000 bytes/ })

  const announced = await rawPost({ url: s.url, key: s.key, body: 'x', announced: 50_000_000 })
  t.equal(announced.status, 413, 'by what the request announces, before it is sent')

  const endless = formBody([type, sized(1e6)], '')
  const chunked = await rawPost({ url: s.url, key: s.key, body: endless, announced: null })
  t.equal(chunked.status, 413, 'without waiting for the end of the body')
  t.same(await kept(s), { imports: 1, jobs: 1, files: 1, partial: 0 })
})

t.test('an answer given early reaches a client that is still sending', async (t) => {
  const s = await setup(t)
  const body = formBody([
    { name: 'type', content: 'nonsense' },
    { ...file, content: csv.padEnd(5e6, 'x') }
  ])
  for (const key of [s.key, `mk_${'x'.repeat(43)}`]) {
    const response = await fetch(`${s.url}/imports`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': formType },
      body: new Uint8Array(body)
    })
    t.match((await response.json()) as object, { status: key === s.key ? 422 : 401 })
  }
  const again = await s.uploadCsv(csv)
  t.equal(again.status, 202, 'and the next request is served')
})
