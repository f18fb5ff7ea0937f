// JSON values that are refused before anything walks them.

import t from 'tap'
import { findFault } from '../../src/platform/json-values.ts'

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)

t.test('depth has an end', async (t) => {
  t.equal(findFault(nested(100)), null)
  t.match(findFault(nested(101)), { path: '', message: /deeper than 100/ })
  t.match(findFault(nested(6_000)), { message: /deeper than 100/ })
})

t.test('texts are whole, and say where they are not', async (t) => {
  t.equal(findFault({ a: ['ä', 1, null, true, ''] }), null)
  t.match(findFault({ a: ['b', { c: 'x\0' }] }), { path: '/a/1/c' })
  t.match(findFault({ 'a\ud800': 1 }), { path: '' })
  t.equal(findFault(undefined), null)
})
