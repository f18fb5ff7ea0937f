// Files that are the body of the request itself: options in the query, the same care as for forms.

import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { openUpload } from '../../../src/platform/files.ts'
import { kept, nothing } from '../../helpers/kept.ts'
import { openPost, rawPost } from '../../helpers/raw-http.ts'
import { until } from '../../helpers/until.ts'
import { type Setup, setup } from '../../setup.ts'

const csv = 'Organization,First Name\nAcme,Ann\n'
const contentType = 'text/csv'

function post(s: Setup, query: string, body: string | Buffer, headers = {}) {
  const all = { 'content-type': contentType, ...headers }
  return s.request('POST', `/imports?${query}`, { body, headers: all })
}

/** What was stored of an import. */
async function stored(s: Setup, id: number): Promise<string> {
  const { rows } = await s.pool.query('SELECT i.file_key FROM imports i WHERE i.id = $1', [id])
  const place = { dataDir: s.config.dataDir, secrets: s.secrets }
  const chunks: Buffer[] = []
  for await (const chunk of openUpload(place, rows[0].file_key)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

t.test('a file as the body, with its options in the query', async (t) => {
  const s = await setup(t, { worker: true })
  const query = new URLSearchParams({ type: 'contacts', mode: 'create_only', file_name: 'a.csv' })
  const { status, headers, body } = await post(s, String(query), csv)
  t.equal(status, 202, JSON.stringify(body))
  t.equal(headers.get('location'), `/imports/${body.id}`)
  t.match(body, { type: 'contacts', mode: 'create_only', file: { name: 'a.csv', bytes: 33 } })
  t.match(await s.waitForImport(body.id), { state: 'completed', counts: { created: 1 } })
})

t.test('every content type of a file is taken, and the name of its header', async (t) => {
  const s = await setup(t)
  for (const type of ['text/plain', 'text/csv; charset=utf-8', 'application/csv; header=present']) {
    const answer = await post(s, 'type=contacts', csv, { 'content-type': type })
    t.equal(answer.status, 202, type)
    t.equal(answer.body.file.name, 'upload.csv')
  }
  const tabs = csv.replaceAll(',', '\t')
  const tsv = await post(s, 'type=contacts', tabs, { 'content-type': 'text/tab-separated-values' })
  t.match(tsv.body, { file: { delimiter: '\t' }, columns: [{ field: 'organization' }, {}] })
  const names: [string, string][] = [
    ['attachment; filename="leute 1.csv"', 'leute 1.csv'],
    ['attachment; filename=../x.csv', 'x.csv'],
    ["attachment; filename=x.csv; filename*=UTF-8''%C3%A4.csv", 'ä.csv'],
    ['inline', 'upload.csv']
  ]
  for (const [disposition, name] of names) {
    const answer = await post(s, 'type=contacts', csv, { 'content-disposition': disposition })
    t.equal(answer.body.file.name, name, disposition)
  }
})

t.test('packed and foreign files are stored as UTF-8', async (t) => {
  const s = await setup(t)
  const text = csv.replace('Ann', 'Änne')
  const western = Buffer.from(text, 'latin1')
  const packed = gzipSync(text)
  const cases: [string, Buffer, string, object][] = [
    ['Content-Encoding', packed, '', { 'content-encoding': 'gzip' }],
    ['its first bytes', packed, '', { 'content-type': 'application/gzip' }],
    ['a charset', western, '', { 'content-type': 'text/csv; charset=ISO-8859-1' }],
    ['an option', western, '&encoding=windows-1252', {}],
    [
      'an option over a charset',
      western,
      '&encoding=latin1',
      { 'content-type': 'text/csv; charset=utf-8' }
    ],
    ['a byte order mark', Buffer.from(`\ufeff${text}`, 'utf16le'), '', {}]
  ]
  for (const [title, body, query, headers] of cases) {
    const answer = await post(s, `type=contacts&file_name=a.csv.gz${query}`, body, headers)
    t.equal(answer.status, 202, `${title}: ${JSON.stringify(answer.body)}`)
    t.equal(await stored(s, answer.body.id), text, title)
    t.equal(answer.body.file.bytes, Buffer.byteLength(text), 'the size of what is stored')
    t.equal(answer.body.file.name, body === packed ? 'a.csv' : 'a.csv.gz', title)
  }
})

t.test('an encoding may be named before and after the file of a form', async (t) => {
  const s = await setup(t)
  const western = new Blob([Buffer.from(csv.replace('Ann', 'Änne'), 'latin1')])
  for (const order of ['before', 'after']) {
    const form = new FormData()
    form.append('type', 'contacts')
    if (order === 'before') form.append('encoding', 'windows-1252')
    form.append('file', western, 'a.csv')
    if (order === 'after') form.append('encoding', 'windows-1252')
    const { status, body } = await s.request('POST', '/imports', { body: form })
    t.equal(status, 202, order)
    t.equal(await stored(s, body.id), csv.replace('Ann', 'Änne'), order)
  }
  t.match(await kept(s), { imports: 2, files: 2, partial: 0 })
})

t.test('refuses what it cannot take, and keeps nothing', async (t) => {
  const s = await setup(t, { config: { maxUploadBytes: 100_000 } })
  const bomb = gzipSync(Buffer.alloc(1e6, 'a'))
  const cases: [string, string, string | Buffer, object, number, string][] = [
    ['no type', '', csv, {}, 400, 'invalid_option'],
    ['an unknown option', 'type=contacts&typo=1', csv, {}, 400, 'unknown_option'],
    ['an option twice', 'type=contacts&type=contacts', csv, {}, 400, 'invalid_option'],
    ['an unknown type', 'type=people', csv, {}, 422, 'unknown_record_type'],
    ['an unknown profile', 'profile=x', csv, {}, 404, 'profile_not_found'],
    ['nothing', 'type=contacts', '', {}, 422, 'empty_file'],
    [
      'brotli',
      'type=contacts',
      csv,
      { 'content-encoding': 'br' },
      415,
      'content_encoding_unsupported'
    ],
    ['no gzip', 'type=contacts', csv, { 'content-encoding': 'gzip' }, 422, 'gzip_invalid'],
    ['damaged gzip', 'type=contacts', gzipSync(csv).subarray(0, 30), {}, 422, 'gzip_invalid'],
    ['a bomb', 'type=contacts', bomb, {}, 413, 'too_large'],
    ['too much', 'type=contacts', csv.padEnd(100_001, 'x'), {}, 413, 'too_large'],
    [
      'an unknown charset',
      'type=contacts',
      csv,
      { 'content-type': 'text/csv; charset=x' },
      400,
      'invalid_option'
    ],
    ['a ZIP archive', 'type=contacts', 'PK\x03\x04\0\0\0\0', {}, 422, 'not_csv'],
    ['packed binary data', 'type=contacts', gzipSync('%PDF-1.4 x'), {}, 422, 'not_csv'],
    ['another type', 'type=contacts', csv, { 'content-type': 'image/png' }, 415, 'not_multipart']
  ]
  for (const [title, query, body, headers, status, code] of cases) {
    const answer = await post(s, query, body, headers)
    t.equal(answer.status, status, `${title}: ${JSON.stringify(answer.body)}`)
    t.equal(answer.body.code, code, title)
  }
  const elsewhere = await s.request('POST', '/import-profiles', {
    body: csv,
    headers: { 'content-type': contentType }
  })
  t.match(elsewhere, { status: 415, body: { code: 'unsupported_media_type' } })
  t.same(await kept(s), nothing)
})

t.test('a body that is cut off leaves nothing, one that stalls is ended with 408', async (t) => {
  const s = await setup(t, { config: { uploadIdleTimeoutMs: 300 } })
  const request = { url: s.url, key: s.key, path: '/imports?type=contacts', contentType }
  const body = csv + 'Acme,Bob\n'.repeat(20_000)
  const { socket } = await openPost({ ...request, body, announced: body.length + 10 })
  await until('a partial file', async () => (await kept(s)).partial === 1)
  socket.destroy()
  await until('nothing left', async () => (await kept(s)).partial === 0)
  for (const head of [csv, gzipSync(body).subarray(0, 100)]) {
    const answer = await rawPost({ ...request, body: head, announced: 500_000 })
    t.equal(answer.status, 408)
    t.equal(JSON.parse(answer.text).code, 'upload_stalled')
  }
  t.same(await kept(s), nothing)
})

t.test('an early answer reaches a client that is still sending its body', async (t) => {
  const s = await setup(t, { config: { maxUploadBytes: 1_000_000 } })
  const { status, body } = await post(s, 'type=nonsense', csv.padEnd(1.9e6, 'x'))
  t.match({ status, code: body.code }, { status: 422, code: 'unknown_record_type' })
  const before = performance.now()
  const large = await post(s, 'type=contacts', csv.padEnd(1_900_000, 'Acme,Bob\n'))
  t.equal(large.body.code, 'too_large', 'in the middle of the body')
  const broken = Buffer.concat([gzipSync('').subarray(0, 10), Buffer.alloc(900_000, 0xff)])
  const damaged = await post(s, 'type=contacts', broken)
  t.equal(damaged.body.code, 'gzip_invalid')
  t.ok(performance.now() - before < 5_000, 'without waiting until the client is cut off')
  t.equal((await post(s, 'type=contacts', csv)).status, 202, 'and the next request is served')
})

t.test('the example of a file is taken as it is', async (t) => {
  const s = await setup(t)
  const example = await readFile(new URL('../../../examples/contacts.csv', import.meta.url))
  t.equal((await post(s, 'type=contacts', example)).status, 202)
})
