// Import profiles: options under a name, what wins over them, and when they no longer fit.

import t from 'tap'
import type { TypeExtension } from '../../src/record-types/compile-types.ts'
import { field } from '../../src/record-types/define-field.ts'
import type { Field } from '../../src/record-types/types.ts'
import { kept, nothing } from '../helpers/kept.ts'
import { type Setup, setup } from '../setup.ts'

const nightly = {
  name: 'nightly',
  type: 'contacts',
  mapping: { Firma: 'organization', Vorname: 'first_name', Fax: null, Mail: 'emails' },
  delimiter: ';',
  encoding: 'windows-1252',
  allow_partial: false,
  blank: 'overwrite',
  update: { tags: 'append' }
}

const save = (s: Setup, body: object) => s.request('POST', '/import-profiles', { body })
const replace = (s: Setup, name: string, body: object) =>
  s.request('PUT', `/import-profiles/${name}`, { body })

/** Adds custom fields and overrides to the contacts of the test's account, or changes them. */
async function extendContacts(s: Setup, extension: Partial<TypeExtension>): Promise<void> {
  const definition = { fields: [], overrides: {}, limits: {}, ...extension }
  await s.pool.query(
    `INSERT INTO record_types AS t (account_id, type_id, name, definition)
    VALUES ($1, 2, 'contacts', $2)
    ON CONFLICT (account_id, type_id)
      DO UPDATE SET definition = excluded.definition, version = t.version + 1`,
    [s.account_id, JSON.stringify(definition)]
  )
}

const custom = (kind: Field['kind'], rest: Partial<Field> = {}) =>
  field('plan', 'Plan', kind, 'Theirs.', { custom: true, ...rest })

t.test('profiles are saved, listed, replaced and deleted', async (t) => {
  const s = await setup(t)
  const saved = await save(s, nightly)
  t.equal(saved.status, 201, JSON.stringify(saved.body))
  t.equal(saved.headers.get('location'), '/import-profiles/nightly')
  t.match(saved.body, { ...nightly, version: 1 })
  t.match((await save(s, nightly)).body, { code: 'profile_conflict' })
  await save(s, { name: 'My weekly', type: 'organizations' })
  t.same((await s.get('/import-profiles/nightly')).body, saved.body)

  const first = await s.get('/import-profiles?limit=1')
  t.same(first.body.data, [saved.body])
  const second = await s.get(`/import-profiles?limit=1&cursor=${first.body.next_cursor}`)
  t.match(second.body, { data: [{ name: 'My weekly', mapping: {} }], next_cursor: null })

  const changed = await replace(s, 'nightly', { type: 'contacts', mode: 'update_only' })
  t.equal(changed.status, 200)
  t.notOk('blank' in changed.body, 'what is absent is not said any more')
  t.match(changed.body, { name: 'nightly', mode: 'update_only', mapping: {}, version: 2 })
  const renamed = await replace(s, 'My%20weekly', { name: 'weekly', type: 'contacts' })
  t.match(renamed.body, { name: 'weekly', type: 'contacts', version: 2 })
  t.match((await replace(s, 'weekly', { name: 'nightly', type: 'contacts' })).body, {
    code: 'profile_conflict'
  })

  t.equal((await s.request('DELETE', '/import-profiles/nightly')).status, 204)
  for (const method of ['GET', 'DELETE'])
    t.match(await s.request(method, '/import-profiles/nightly'), {
      status: 404,
      body: { code: 'profile_not_found' }
    })
  t.equal((await replace(s, 'nightly', { type: 'contacts' })).status, 404)
})

t.test('profiles of another account are not there', async (t) => {
  const s = await setup(t)
  await save(s, nightly)
  const { key } = await s.makeAccount()
  const asOther = (method: string, body?: object) =>
    s.request(method, '/import-profiles/nightly', { key, ...(body && { body }) })
  t.equal((await asOther('GET')).status, 404)
  t.equal((await asOther('DELETE')).status, 404)
  t.equal((await asOther('PUT', { type: 'contacts' })).status, 404)
  t.same((await s.request('GET', '/import-profiles', { key })).body.data, [])
  t.equal((await s.uploadCsv('a\n1\n', { key, profile: 'nightly' })).status, 404)
  t.equal((await s.request('POST', '/import-profiles', { key, body: nightly })).status, 201)
})

t.test('a profile that makes no sense is refused with every fault', async (t) => {
  const s = await setup(t)
  const cases: [object, number, string][] = [
    [{ type: 'people' }, 422, 'unknown_record_type'],
    [{ mapping: { A: 'nickname', B: 'shoe_size' } }, 422, 'mapping_invalid'],
    [{ update: { first_name: 'append' } }, 400, 'invalid_option'],
    [{ encoding: 'klingon' }, 400, 'invalid_option'],
    [{ delimiter: 'xx' }, 400, 'invalid_option'],
    [{ default_country: 'QQ' }, 400, 'invalid_option'],
    [{ name: 'a/b' }, 400, 'validation_failed'],
    [{ name: '' }, 400, 'validation_failed'],
    [{ blank: 'clear', colour: 1 }, 400, 'validation_failed']
  ]
  for (const [over, status, code] of cases) {
    const answer = await save(s, { ...nightly, ...over })
    t.equal(answer.status, status, JSON.stringify([over, answer.body]))
    t.equal(answer.body.code, code)
  }
  t.same((await s.get('/import-profiles')).body.data, [])
})

t.test('a clear marker of a profile means what it means in a form', async (t) => {
  const s = await setup(t)
  const { body } = await save(s, { ...nightly, clear_marker: 'none' })
  t.equal(body.clear_marker, null)
  t.equal((await replace(s, 'nightly', { ...nightly, clear_marker: '-' })).body.clear_marker, '-')
})

const file = Buffer.from('Firma;Vorname;Nachname;Mail\nAcme;Änne;Lee;a@example.com\n', 'latin1')
const formOf = (options: Record<string, string>, fileFirst = false) => {
  const form = new FormData()
  if (fileFirst) form.append('file', new Blob([file]), 'a.csv')
  for (const [name, value] of Object.entries(options)) form.append(name, value)
  if (!fileFirst) form.append('file', new Blob([file]), 'a.csv')
  return form
}

t.test('an import says what its profile says, wherever the profile is named', async (t) => {
  const s = await setup(t, { worker: true })
  await save(s, { ...nightly, mapping: { ...nightly.mapping, Nachname: 'last_name' } })
  const bodies = [
    await s.request('POST', '/imports', { body: formOf({ profile: 'nightly' }) }),
    await s.request('POST', '/imports', { body: formOf({ profile: 'nightly' }, true) }),
    await s.request('POST', '/imports?profile=nightly&type=contacts', {
      body: file,
      headers: { 'content-type': 'text/csv' }
    })
  ]
  for (const { status, body } of bodies) {
    t.equal(status, 202, JSON.stringify(body))
    t.match(body, {
      type: 'contacts',
      profile: 'nightly',
      allow_partial: false,
      options: { blank: 'overwrite', update: { tags: 'append' }, repeats: 'reject' },
      columns: [
        { field: 'organization' },
        { field: 'first_name' },
        { field: 'last_name' },
        { field: 'emails' }
      ]
    })
    t.match(await s.waitForImport(body.id), { state: 'completed' })
  }
  const { body } = await s.get('/records?type=contacts')
  t.match(body.data, [{ data: { first_name: 'Änne', last_name: 'Lee' } }])
})

t.test('what an upload says itself wins', async (t) => {
  const s = await setup(t)
  await save(s, nightly)
  const options = {
    profile: 'nightly',
    allow_partial: 'true',
    blank: 'keep',
    update: '{"notes":"append"}',
    mapping: '{"Nachname":"first_name"}',
    start: 'false'
  }
  const { status, body } = await s.request('POST', '/imports', { body: formOf(options) })
  t.equal(status, 201, JSON.stringify(body))
  t.match(body, {
    allow_partial: true,
    options: { blank: 'keep', update: { tags: 'append', notes: 'append' } },
    columns: [
      { field: 'organization' },
      { field: null },
      { field: 'first_name' },
      { field: 'emails' }
    ]
  })
  const other = await s.request('POST', '/imports', {
    body: formOf({ profile: 'nightly', type: 'organizations' })
  })
  t.match(other, { status: 400, body: { code: 'invalid_option', detail: /is for contacts/ } })
})

t.test('a profile whose fields have changed is refused with all changes', async (t) => {
  const s = await setup(t)
  await extendContacts(s, { fields: [custom('text', { many: { separator: ',' } })] })
  const profile = { ...nightly, mapping: { ...nightly.mapping, Plan: 'plan' } }
  await save(s, { ...profile, separators: { plan: ';' } })
  const send = () => s.request('POST', '/imports', { body: formOf({ profile: 'nightly' }) })
  t.equal((await send()).status, 202)

  const cases: [Partial<TypeExtension>, object[]][] = [
    [{ fields: [] }, [{ field: 'plan', change: 'there is no such field any more' }]],
    [
      { fields: [custom('integer')] },
      [
        { field: 'plan', change: 'it was of kind text and is integer' },
        { field: 'plan', change: 'it is no list any more' }
      ]
    ]
  ]
  for (const [extension, changes] of cases) {
    await extendContacts(s, extension)
    const { status, body } = await send()
    t.equal(status, 409, JSON.stringify(body))
    t.equal(body.code, 'profile_stale')
    t.match(body.detail, /"nightly" no longer fits contacts: plan: /)
    t.same(body.details.changes, changes)
  }
  t.match(await kept(s), { imports: 1, files: 1, partial: 0 })
})

t.test('a field that is newly required makes a profile stale unless it is fed', async (t) => {
  const s = await setup(t)
  await save(s, nightly)
  const send = (more = {}) =>
    s.request('POST', '/imports', { body: formOf({ profile: 'nightly', ...more }) })
  await extendContacts(s, { overrides: { last_name: { required: true } } })
  const { status, body } = await send()
  t.equal(status, 409, JSON.stringify(body))
  t.same(body.details.changes, [
    { field: 'last_name', change: 'it is required now and no column is mapped to it' }
  ])
  t.equal((await send({ mapping: '{"Nachname":"last_name"}' })).status, 202)
  await extendContacts(s, { overrides: { last_name: { required: true, default: '-' } } })
  t.equal((await send()).status, 202, 'a default is enough')
  await extendContacts(s, { fields: [custom('text')] })
  t.equal((await send()).status, 202, 'what the profile does not use may change')
})

t.test('a column of the profile that a file lacks matters only when it is required', async (t) => {
  const s = await setup(t)
  await save(s, { ...nightly, delimiter: ',' })
  const fine = await s.uploadCsv('Firma,Vorname\nAcme,Ann\n', { profile: 'nightly' })
  t.equal(fine.status, 202, JSON.stringify(fine.body))
  const lost = await s.uploadCsv('Firma,Mail\nAcme,a@example.com\n', { profile: 'nightly' })
  t.match(lost, {
    status: 422,
    body: {
      code: 'required_column_unmapped',
      details: { unmapped_required: ['first_name'] }
    }
  })
  t.match(await kept(s), { imports: 1 })
  t.same({ ...nothing, partial: (await kept(s)).partial }, nothing)
})
