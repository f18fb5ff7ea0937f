// The versions of a record: what made each, who, and what changed; secrets are not in it.

import t from 'tap'
import { makeRecord } from '../../helpers/vault-type.ts'
import { type Setup, setup } from '../../setup.ts'

const header = 'External ID,Organization,First Name,Last Name,Emails,Notes\n'

async function onlyId(s: Setup, type: string): Promise<number> {
  const { body } = await s.get(`/records?type=${type}`)
  if (body.data.length !== 1) throw new Error(JSON.stringify(body))
  return body.data[0].id
}

/** Three imports about one contact. */
async function setupAnn(t: Parameters<typeof setup>[0]) {
  const s = await setup(t, { worker: true })
  await s.runCsv(`${header}c-1,Happy Frog,Ann,Lee,ann@x.io,hi\n`, { name: 'one.csv' })
  const id = await onlyId(s, 'contacts')
  const more = `Muster ID,${header}`
  await s.runCsv(`${more}${id},c-1,Happy Frog,Ann,Poe,ann@x.io|poe@x.io,hi\n`, { name: 'two.csv' })
  await s.runCsv(`${more}${id},c-1,Sad Frog,Ann,Poe,poe@x.io,\n`, {
    name: 'three.csv',
    clear_marker: '-',
    blank: 'overwrite'
  })
  return { ...s, id }
}

t.test('every version says what made it, who, and what changed', async (t) => {
  const s = await setupAnn(t)
  const { status, body } = await s.get(`/records/${s.id}/history`)
  t.equal(status, 200, JSON.stringify(body))
  t.equal(body.next_cursor, null)
  t.match(
    body.data.map(({ version, action, import: made, key }: Record<string, unknown>) => {
      return { version, action, made, key }
    }),
    [
      [3, 'update', 'three.csv'],
      [2, 'update', 'two.csv'],
      [1, 'create', 'one.csv']
    ].map(([version, action, file_name]) => {
      return { version, action, made: { id: version, file_name }, key: { name: 'test key' } }
    })
  )
  const frog = (title: string) => ({ id: Number, title })
  t.match(body.data[0].changes, [
    { field: 'organization', before: frog('Happy Frog'), after: frog('Sad Frog') },
    { field: 'emails', before: ['ann@x.io', 'poe@x.io'], after: ['poe@x.io'] },
    { field: 'notes', before: 'hi', after: null }
  ])
  t.same(body.data[1].changes, [
    { field: 'last_name', before: 'Lee', after: 'Poe' },
    { field: 'emails', before: ['ann@x.io'], after: ['ann@x.io', 'poe@x.io'] }
  ])
  t.match(body.data[2].changes, [
    { field: 'external_id', before: null, after: 'c-1' },
    { field: 'organization', before: null, after: frog('Happy Frog') },
    { field: 'first_name', before: null, after: 'Ann' },
    { field: 'last_name', before: null, after: 'Lee' },
    { field: 'emails', before: null, after: ['ann@x.io'] },
    { field: 'notes', before: null, after: 'hi' }
  ])
  t.ok(body.data.every(({ at }: { at: string }) => Date.now() - Date.parse(at) < 60_000))
})

t.test('pages of any size are the same list', async (t) => {
  const s = await setupAnn(t)
  const whole = (await s.get(`/records/${s.id}/history`)).body.data
  for (const limit of [1, 2, 3]) {
    const found = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { body } = await s.get(`/records/${s.id}/history?limit=${limit}${more}`)
      t.ok(body.data.length > 0)
      found.push(...body.data)
      cursor = body.next_cursor
    }
    t.same(found, whole, `${limit} a page`)
  }
  t.match(await s.get(`/records/${s.id}/history?cursor=x`), {
    status: 400,
    body: { code: 'invalid_cursor' }
  })
})

t.test('a record that no import made has one version', async (t) => {
  const s = await setup(t)
  const id = await makeRecord(s, 'organizations', { name: 'Acme' })
  const { body } = await s.get(`/records/${id}/history`)
  t.match(body.data, [{ version: 1, action: 'create', import: null, key: null }])
  t.same(body.data[0].changes, [{ field: 'name', before: null, after: 'Acme' }])
})

t.test('a record referred to that is gone has no title', async (t) => {
  const s = await setupAnn(t)
  await s.pool.query(`DELETE FROM records r WHERE r.data ->> 'name' = 'Happy Frog'`)
  const { body } = await s.get(`/records/${s.id}/history`)
  t.match(body.data[0].changes[0], { before: { id: Number, title: null } })
})

t.test('where history was dropped, the oldest version that is left says so', async (t) => {
  const s = await setupAnn(t)
  await s.pool.query('DELETE FROM record_changes c WHERE c.version = 1')
  const { body } = await s.get(`/records/${s.id}/history`)
  t.match(body.data, [
    { version: 3, action: 'update' },
    { version: 2, action: 'not_kept', at: null, import: null, key: null, changes: [] }
  ])
  t.equal(body.data.length, 2)
  t.match(await s.request('POST', `/records/${s.id}/restore`, { body: { version: 1 } }), {
    status: 404,
    body: { code: 'version_not_found' }
  })
  const two = await s.request('POST', `/records/${s.id}/restore`, { body: { version: 2 } })
  t.match(two, { status: 200, body: { record: { version: 4, data: { notes: 'hi' } } } })
})

t.test('secrets are only said to be there, also those of fields that are gone', async (t) => {
  const s = await setup(t, { worker: true })
  const field = (name: string, more: object) => ({ name, label: name, kind: 'text', ...more })
  const names = [
    field('name', { required: true, unique: true }),
    field('pin', { kind: 'password' })
  ]
  const more = [field('code', { kind: 'password' }), field('hint', {})]
  const definition = { name: 'safes', label: 'Safes', description: 'x', organization: 'none' }
  const made = await s.request('POST', '/record-types', {
    body: { ...definition, fields: [...names, ...more] }
  })
  t.equal(made.status, 201, JSON.stringify(made.body))
  const run = (row: string) => s.runCsv(`name,pin,code,hint\n${row}\n`, { type: 'safes' })
  await run('Box,canary-1,canary-2,h1')
  await run('Box,canary-3,canary-4,h2')
  const id = await onlyId(s, 'safes')
  const hidden = { secret: true }
  const history = async () => (await s.get(`/records/${id}/history`)).body
  t.same((await history()).data[0].changes, [
    { field: 'pin', before: hidden, after: hidden },
    { field: 'code', before: hidden, after: hidden },
    { field: 'hint', before: 'h1', after: 'h2' }
  ])
  // As it is where a value was stored before its field became a secret.
  await s.pool.query(`UPDATE record_changes SET before = before || '{"pin": "canary-5"}'`)
  const put = await s.request('PUT', '/record-types/safes', {
    body: { ...definition, fields: names.slice(0, 1) }
  })
  t.equal(put.status, 200, JSON.stringify(put.body))
  const body = await history()
  t.same(
    body.data[0].changes.map(({ field, before }: { field: string; before: unknown }) => {
      return [field, before]
    }),
    [
      ['code', hidden],
      ['hint', 'h1'],
      ['pin', hidden]
    ]
  )
  t.notMatch(JSON.stringify(body), /canary|enc:1:/)
})

t.test('the history of another account is not there', async (t) => {
  const s = await setupAnn(t)
  const { key } = await s.makeAccount('other')
  t.match(await s.request('GET', `/records/${s.id}/history`, { key }), {
    status: 404,
    body: { code: 'record_not_found' }
  })
})
