// Match keys: rows and records give the same text for the same thing.

import t from 'tap'
import { keysOf, keyText } from '../../src/record-types/match-keys.ts'
import type { MatchRule } from '../../src/record-types/types.ts'

const rule = (more: Partial<MatchRule>): MatchRule => ({
  name: 'r',
  code: 1,
  fields: ['name'],
  folding: 'exact',
  identity: true,
  scope: 'account',
  ...more
})

t.test('a rule with a blank field gives no key', async (t) => {
  t.strictSame(keysOf(rule({}), {}, null), [])
  t.strictSame(keysOf(rule({ fields: ['a', 'b'] }), { a: 'x' }, null), [])
  t.strictSame(keysOf(rule({}), { name: [] }, null), [])
})

t.test('a field that may be blank is compared as blank', async (t) => {
  const names = rule({ fields: ['first', 'last'], may_be_blank: ['last'] })
  t.equal(keysOf(names, { first: 'Ann' }, null).length, 1)
  t.strictSame(keysOf(names, { last: 'Lee' }, null), [])
  t.not(
    keysOf(names, { first: 'Ann' }, null)[0],
    keysOf(names, { first: 'Ann', last: 'Lee' }, null)[0]
  )
})

t.test('a many-valued field gives one key per distinct value', async (t) => {
  t.strictSame(keysOf(rule({ folding: 'folded' }), { name: ['A', 'b', 'a'] }, null), ['a', 'b'])
})

t.test('exact rules keep case, folded ones do not', async (t) => {
  t.strictSame(keysOf(rule({}), { name: 'Happy Frog' }, null), ['Happy Frog'])
  t.strictSame(keysOf(rule({ folding: 'folded' }), { name: 'Happy Frog' }, null), ['happy frog'])
})

t.test('the organization is part of a key inside it', async (t) => {
  const inside = rule({ scope: 'organization' })
  t.not(keysOf(inside, { name: 'x' }, 1)[0], keysOf(inside, { name: 'x' }, 2)[0])
  t.equal(keysOf(inside, { name: 'x' }, 1)[0], keyText(inside, 'x', 1))
})

t.test('the parts of a composite key cannot run into each other', async (t) => {
  const two = rule({ fields: ['a', 'b'] })
  t.not(keysOf(two, { a: 'xy', b: 'z' }, null)[0], keysOf(two, { a: 'x', b: 'yz' }, null)[0])
})

t.test('a very long key is kept short, and different ones stay different', async (t) => {
  const [one] = keysOf(rule({}), { name: `${'x'.repeat(5000)}1` }, null)
  const [two] = keysOf(rule({}), { name: `${'x'.repeat(5000)}2` }, null)
  t.ok(one && Buffer.byteLength(one) < 100)
  t.not(one, two)
})

t.test('null is blank', async (t) => {
  t.strictSame(keysOf(rule({}), { name: null }, null), [])
  const two = rule({ fields: ['a', 'b'], may_be_blank: ['b'] })
  t.strictSame(keysOf(two, { a: 'x', b: null }, null), keysOf(two, { a: 'x' }, null))
})

t.test('keys of single values and of lists of one are the same', async (t) => {
  const two = rule({ fields: ['a', 'b'], folding: 'folded', scope: 'organization' })
  t.strictSame(keysOf(two, { a: 'X', b: 7 }, 3), keysOf(two, { a: ['X'], b: 7 }, 3))
  t.strictSame(keysOf(rule({}), { name: true }, null), ['true'])
  t.strictSame(keysOf(two, { a: ['x', 'y'], b: ['1', '2'] }, 3).length, 4)
})

t.test('a serial number is folded, and junk is no key', async (t) => {
  const serial = rule({ folding: 'serial' })
  t.strictSame(keysOf(serial, { name: ' SN-1a ' }, null), ['sn-1a'])
  const junk = ['None', 'N/A', 'na', 'UNKNOWN', '0', '00000000', 'Default string', '-', 'XXXX']
  const more = ['To Be Filled By O.E.M.', 'System Serial Number', 'Not Specified']
  for (const name of [...junk, ...more, '00:00:00:00:00:00', 'FF:FF:FF:FF:FF:FF']) {
    t.strictSame(keysOf(serial, { name }, null), [], name)
  }
  t.strictSame(keysOf(serial, { name: '00:1A:2B:3C:4D:5E' }, null), ['00:1a:2b:3c:4d:5e'])
})

t.test('junk in a part that may be blank is blank', async (t) => {
  const host = rule({ fields: ['host', 'serial'], may_be_blank: ['serial'], folding: 'serial' })
  const blank = keysOf(host, { host: 'a.example' }, null)
  t.strictSame(keysOf(host, { host: 'a.example', serial: 'N/A' }, null), blank)
  t.strictSame(keysOf(host, { host: 'N/A', serial: '1' }, null), [])
})

t.test('loose names are the same without case, spacing, punctuation and legal form', async (t) => {
  const loose = rule({ folding: 'loose' })
  const key = (name: string) => keysOf(loose, { name }, null)[0]
  for (const name of [
    'Happy Frog Inc.',
    'happy-frog',
    'HAPPY  FROG, L.L.C.',
    'HappyFrog GmbH & Co. KG'
  ]) {
    t.equal(key(name), 'happyfrog', name)
  }
  t.not(key('Happy Frogs'), key('Happy Frog'))
  t.equal(key('Limited'), 'limited', 'something always stays')
  t.equal(key('Inc. Magazine'), 'incmagazine', 'at the end only')
  t.equal(key('Ｍüller ＡＧ'), 'müller')
  t.equal(key('???'), undefined)
})

t.test('a rule inside another reference has its id as scope', async (t) => {
  const inside = rule({ scope: { field: 'manufacturer' } })
  const [key] = keysOf(inside, { name: 'Rack 100', manufacturer: 7 }, 3)
  t.equal(key, keyText(inside, 'Rack 100', 7))
  t.not(key, keyText(inside, 'Rack 100', 8))
  t.equal(keysOf(inside, { name: 'x' }, 3)[0], keyText(inside, 'x', null))
  t.equal(keysOf(inside, { name: 'x', manufacturer: 'Dell' }, 3)[0], keyText(inside, 'x', null))
})

t.test('a text under a rule of several fields is split at its last spaces', async (t) => {
  const names = rule({
    fields: ['first', 'last'],
    may_be_blank: ['last'],
    scope: 'organization'
  })
  const key = (first: string, last?: string) =>
    keysOf(names, last === undefined ? { first } : { first, last }, 1)[0]
  t.equal(keyText(names, 'Ann Lee', 1), key('Ann', 'Lee'))
  t.equal(keyText(names, 'Mary Ann Lee', 1), key('Mary Ann', 'Lee'))
  t.equal(keyText(names, 'Ann', 1), key('Ann'))
  const three = rule({ fields: ['a', 'b', 'c'] })
  t.equal(keyText(three, 'k l m n', null), keysOf(three, { a: 'k l', b: 'm', c: 'n' }, null)[0])
})

t.test('what is no key finds nothing', async (t) => {
  const serial = rule({ folding: 'serial' })
  t.equal(keyText(serial, 'N/A', null), '')
  t.equal(keyText(rule({ folding: 'loose', scope: 'organization' }), '???', 7), '')
  t.strictSame(keysOf(serial, { name: 'N/A' }, null), [])
})
