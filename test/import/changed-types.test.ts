// Record types change after a file was sent: what it was meant to do is not done halfway, and kept
// rows come out as they were kept.

import t from 'tap'
import { createApiKey } from '../../src/access/store.ts'
import { type Setup, setup } from '../setup.ts'

type Field = { name: string; label: string; kind: string } & Record<string, unknown>

const name = { name: 'name', label: 'Name', kind: 'text', required: true }
const of = (kind: string, more = {}): Field => ({ name: 'x', label: 'X', kind, ...more })
const things = (...fields: Field[]) => ({
  label: 'Things',
  organization: 'none',
  fields: [name, ...fields]
})

const define = (s: Setup, ...fields: Field[]) =>
  s.request('POST', '/record-types', { body: { name: 'things', ...things(...fields) } })
const redefine = (s: Setup, ...fields: Field[]) =>
  s.request('PUT', '/record-types/things', { body: things(...fields) })
const start = (s: Setup, id: number) => s.request('POST', `/imports/${id}/start`)

t.test('a draft whose fields changed is not started until it is mapped anew', async (t) => {
  const s = await setup(t, { worker: true })
  t.equal((await define(s, of('text'))).status, 201)
  const options = { type: 'things', start: false }
  const { body: draft } = await s.uploadCsv('Name,X\na,1\n', options)
  t.equal((await redefine(s)).status, 200)

  const refused = await start(s, draft.id)
  t.equal(refused.status, 409)
  t.match(refused.body, {
    code: 'record_type_changed',
    details: { changes: [{ field: 'x', change: 'there is no such field any more' }] }
  })
  // Another choice says nothing about the columns.
  await s.request('PATCH', `/imports/${draft.id}`, { body: { mode: 'create_only' } })
  t.equal((await start(s, draft.id)).status, 409)

  const mapped = await s.request('PATCH', `/imports/${draft.id}`, { body: { mapping: {} } })
  t.equal(mapped.body.columns[1].field, null, 'the column of the field that is gone is ignored')
  t.equal((await start(s, draft.id)).status, 202)
  t.match(await s.waitForImport(draft.id), { state: 'completed', counts: { created: 1 } })
})

t.test('options for a field that became something else are noticed as well', async (t) => {
  const s = await setup(t)
  await define(s, of('text', { many: { separator: '|' } }))
  const separators = { separators: { x: ';' } }
  const options = { type: 'things', start: false, ...separators }
  const { body: draft } = await s.uploadCsv('Name\na\n', options)
  t.match(draft.options, separators)
  await redefine(s, of('text'))
  t.match((await start(s, draft.id)).body, { code: 'record_type_changed', detail: /no list/ })
  const patch = (body: object) => s.request('PATCH', `/imports/${draft.id}`, { body })
  t.match((await patch({ mapping: null })).body, { code: 'invalid_option', detail: /separators/ })
  t.equal((await patch({ mapping: null, separators: {} })).status, 200)
  t.equal((await start(s, draft.id)).status, 202)
})

t.test('a queued import whose fields changed fails and says why', async (t) => {
  const s = await setup(t)
  await define(s, of('text'))
  const { body: lost } = await s.uploadCsv('Name,X\na,1\n', { type: 'things' })
  const { body: fits } = await s.uploadCsv('Name\na\n', { type: 'things' })
  t.equal((await redefine(s, of('integer'))).status, 200)
  await s.startWorker()
  t.match(await s.waitForImport(lost.id), {
    state: 'failed',
    error: { code: 'record_type_changed', message: /x: it was of kind text and is integer/ },
    counts: { created: 0 }
  })
  t.match(await s.waitForImport(fits.id), { state: 'completed', counts: { created: 1 } })
})

t.test('rejected rows from before a type had secrets stay as they are', async (t) => {
  const s = await setup(t, { worker: true })
  await define(s, of('integer'))
  const options = { type: 'things' }
  const { id } = await s.runCsv('Name,X,Other\na,1,\nb,two,\nenc:1:k:abc,two,\n', options)
  const before = await s.get(`/imports/${id}/rejects.csv`)
  t.match(before.body, /\r\nb,two,,3,invalid_number,/)
  const pin = { name: 'pin', label: 'Pin', kind: 'password' }
  t.equal((await redefine(s, of('integer'), pin)).status, 200)
  const after = await s.get(`/imports/${id}/rejects.csv`)
  t.equal(after.status, 200)
  t.equal(after.body, before.body)
})

t.test('rejected rows with secrets stay readable, and hidden, when these are gone', async (t) => {
  const s = await setup(t, { worker: true })
  await define(s, of('integer'), { name: 'pin', label: 'Pin', kind: 'password' })
  const { id } = await s.runCsv('Name,X,Pin\na,two,s3cret\n', { type: 'things' })
  const { key } = await createApiKey(s.pool, s.account_id, 'audit', { reads_secrets: true })
  const check = async (state: string, row: string) => {
    const { body } = await s.get(`/imports/${id}/rejects.csv`)
    t.equal(body.split('\r\n')[1]?.split(',2,')[0], row, state)
    t.notMatch(body, /s3cret|enc:1/, state)
    const full = await s.request('GET', `/imports/${id}/rejects.csv`, {
      headers: { authorization: `Bearer ${key}` }
    })
    t.match(full.body, /\r\na,two,s3cret,2,invalid_number,/, state)
  }
  await check('as imported', 'a,two,')
  await redefine(s, of('integer'))
  await check('without the field', 'a,two,')
  // No records: the field may come back as another one, and is remembered as a secret.
  t.equal((await redefine(s, of('integer'), { ...name, name: 'pin', label: 'Pin' })).status, 200)
  await check('with the field as a text', 'a,two,')
  t.equal((await s.request('DELETE', '/record-types/things')).status, 204)
  await check('without the type', ',,')
})

t.test('waiting rows are read as they were kept', async (t) => {
  const { openCells } = await import('../../src/import/decide/secret-values.ts')
  const s = await setup(t)
  const sealed = ['a', '', 's3cret'].map((cell) => cell && s.secrets.seal(cell))
  const typed = ['enc:1:k:abc', '']
  for (const sealsCells of [true, false]) {
    const plan = { sealsCells, secrets: s.secrets }
    t.same(openCells(plan, sealed), ['a', '', 's3cret'])
    t.same(openCells(plan, ['a', '', 'b']), ['a', '', 'b'])
  }
  t.same(openCells({ sealsCells: false, secrets: s.secrets }, typed), typed)
  t.throws(() => openCells({ sealsCells: true, secrets: s.secrets }, typed), {
    code: 'secret_key_missing'
  })
})
