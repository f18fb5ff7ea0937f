// Changes of record types that would tear values or references are refused.

import t from 'tap'
import { builtinTypes, catalogueOf, shownNames } from '../../src/record-types/registry.ts'
import type { RecordType } from '../../src/record-types/types.ts'
import { addRecord, asset, post, put } from '../helpers/asset-types.ts'
import { setup } from '../setup.ts'

t.test('what records have cannot be taken out of what a field takes', async (t) => {
  const s = await setup(t)
  const type = (options: string[], max_length: number) =>
    asset({
      fields: [
        { name: 'name', label: 'Name', kind: 'text', max_length },
        { name: 'plan', label: 'Plan', kind: 'select', many: true, options }
      ]
    })
  t.equal((await post(s, type(['a', 'b', 'c'], 50))).status, 201)
  await addRecord(s, 'firewalls')
  await s.pool.query(`UPDATE records SET data = '{"name": "four", "plan": ["a", "b"]}'`)
  const refused = await put(s, 'firewalls', type(['a', 'c'], 3))
  t.match(refused.body, { code: 'type_conflict', details: { faults: { length: 2 } } })
  t.match(refused.body.detail, /longer values in the field name.*would go in the field plan/)
  t.equal((await put(s, 'firewalls', type(['a', 'b', 'd'], 4))).status, 200, 'nobody has these')
})

t.test('a change that tears references of other types is refused', async (t) => {
  const s = await setup(t)
  const name = { name: 'name', label: 'Name', kind: 'text', required: true }
  const reference = (field: string, type: string, more = {}) => ({
    name: field,
    label: field.toUpperCase(),
    kind: 'reference',
    reference: { type, ...more }
  })
  const things = (type: string, fields: object[], more = {}) => ({
    name: type,
    label: type,
    organization: 'none',
    fields: [name, ...fields],
    ...more
  })
  for (const type of ['makers', 'vendors']) t.equal((await post(s, things(type, []))).status, 201)
  const rules = { match_rules: [{ name: 'nm', fields: ['name'], scope: 'maker' }] }
  const models = (maker: string) => things('kits', [reference('maker', maker)], rules)
  t.equal((await post(s, models('makers'))).status, 201)
  const within = { rule: 'nm', within: 'maker', on_missing: 'create' }
  const parts = things('parts', [reference('maker', 'makers'), reference('model', 'kits', within)])
  t.equal((await post(s, parts)).status, 201)

  const other = await put(s, 'kits', models('vendors'))
  t.match(other.body, { code: 'type_conflict', detail: /model of parts finds it by .* nm/ })
  const needy = things(
    'kits',
    [
      reference('maker', 'makers'),
      { name: 'size', label: 'Size', kind: 'integer', required: true }
    ],
    rules
  )
  t.match((await put(s, 'kits', needy)).body, {
    code: 'type_conflict',
    detail: /model of parts makes them: .* they need size/
  })
  t.equal((await put(s, 'kits', { ...models('makers'), label: 'Other' })).status, 200)
})

t.test('a definition that cannot be kept is refused', async (t) => {
  const s = await setup(t)
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const field = `{"name":"j","label":"J","kind":"json","default":${deep}}`
  for (const [method, path] of [
    ['POST', '/record-types'],
    ['PUT', '/record-types/contacts']
  ] as const) {
    const answer = await fetch(`${s.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${s.key}`, 'content-type': 'application/json' },
      body: `{"name":"firewalls","label":"F","fields":[${field}]}`
    })
    t.equal(answer.status, 400, method)
    t.match(await answer.json(), { code: 'validation_failed', errors: [{ path: 'body' }] })
    const nul = await s.request(method, path, { body: asset({ description: 'a\0b' }) })
    t.match(nul.body, { code: 'validation_failed', errors: [{ path: 'body/description' }] })
  }
})

t.test('a message names the first of many types, not hundreds', async (t) => {
  const names = Array.from({ length: 60 }, (_, i) => `type_${i}`)
  const [one] = builtinTypes.list
  const many = catalogueOf(names.map((name) => ({ ...(one as RecordType), name })))
  t.match(shownNames(many), /type_49, and more$/)
  t.equal(shownNames(builtinTypes), builtinTypes.names.join(', '))
})
