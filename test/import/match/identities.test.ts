// Which values tell two records apart, and which keys rows of a batch have in common.

import t from 'tap'
import { contradict, identitiesOf } from '../../../src/import/match/identities.ts'
import { findRepeatedKeys } from '../../../src/import/match/repeated-keys.ts'
import { keysOf } from '../../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../../src/record-types/registry.ts'
import type { RecordData } from '../../../src/record-types/types.ts'

const differ = (name: string, a: RecordData, b: RecordData) => {
  const type = builtinTypes.require(name)
  return contradict(identitiesOf(type, a), identitiesOf(type, b))
}

t.test('two values of an identity are two records', async (t) => {
  t.ok(differ('contacts', { external_id: 'a' }, { external_id: 'b' }))
  t.notOk(differ('contacts', { external_id: 'a' }, { external_id: 'A' }), 'in any case')
  t.notOk(differ('contacts', { external_id: 'a' }, {}), 'nothing said is no contradiction')
  t.notOk(differ('contacts', { emails: ['a@x.io'] }, { emails: ['b@x.io'] }), 'addresses change')
  t.ok(differ('configurations', { serial_number: 's1' }, { serial_number: 's2' }))
})

t.test('where all must agree, other addresses are other people', async (t) => {
  t.ok(differ('users', { emails: ['a@x.io'] }, { emails: ['b@x.io'] }))
  t.notOk(differ('users', { emails: ['a@x.io', 'b@x.io'] }, { emails: ['B@x.io'] }))
})

t.test('keys that several rows have are found, by rule', async (t) => {
  const { match_rules } = builtinTypes.require('contacts')
  const rows = ['Ann', 'Bob', 'Ann'].map((first_name, i) => {
    const values = { first_name, external_id: `x${i}` }
    return { keys: match_rules.map((rule) => keysOf(rule, values, 1)) }
  })
  const all = match_rules.map(() => true)
  const [external, email, name] = findRepeatedKeys(match_rules, rows, all)
  t.equal(external, null)
  t.equal(email, null)
  t.equal(name?.size, 1)
  t.strictSame(findRepeatedKeys(match_rules, rows, [true, true, false]), [null, null, null])
})
