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
