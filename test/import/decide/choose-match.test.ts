// Which record a row is about: tiers, agreement of identities, never one among several.

import t from 'tap'
import { chooseMatch } from '../../../src/import/decide/choose-match.ts'
import { contacts } from '../../../src/record-types/builtin/contacts.ts'

const rules = {
  rules: contacts.match_rules,
  deciding: contacts.match_rules.map(() => true),
  type: contacts
}

t.test('the first tier that hits decides', async (t) => {
  t.strictSame(chooseMatch(rules, null, false, [[], [5], undefined]), {
    kind: 'one',
    id: 5,
    matched_by: 'email'
  })
  t.strictSame(chooseMatch(rules, null, false, [[], [], [9]]), {
    kind: 'one',
    id: 9,
    matched_by: 'full_name'
  })
  t.strictSame(chooseMatch(rules, null, false, [undefined, [], []]), { kind: 'none' })
})

t.test('an id outranks everything and has to exist', async (t) => {
  t.strictSame(chooseMatch(rules, 3, true, [[], [], []]), { kind: 'one', id: 3, matched_by: 'id' })
  t.strictSame(chooseMatch(rules, 3, false, [[3], [], []]), { kind: 'unknown_id' })
})

t.test('identities that point at different records are a conflict', async (t) => {
  t.strictSame(chooseMatch(rules, null, false, [[1], [2], undefined]), {
    kind: 'conflict',
    ids: [1, 2]
  })
  t.strictSame(chooseMatch(rules, 4, true, [[], [2], undefined]), { kind: 'conflict', ids: [4, 2] })
})

t.test(
  'a later identity that also hits others agrees as long as it hits the same record',
  async (t) => {
    t.match(chooseMatch(rules, null, false, [[1], [1, 2], undefined]), { kind: 'one', id: 1 })
  }
)

t.test('a name that hits another record does not outvote an identity', async (t) => {
  t.match(chooseMatch(rules, null, false, [[1], [], [2]]), { kind: 'one', id: 1 })
})

t.test('several hits of the deciding tier are never narrowed down', async (t) => {
  t.strictSame(chooseMatch(rules, null, false, [[], [1, 2], [1]]), {
    kind: 'several',
    ids: [1, 2],
    matched_by: 'email'
  })
})

t.test('all hits must agree where the type says so', async (t) => {
  const strict = { ...rules, type: { match_policy: 'all_agree' } } as const
  t.match(chooseMatch(strict, null, false, [[1], [1], [1]]), { kind: 'one', id: 1 })
  t.match(chooseMatch(strict, null, false, [[1], [1, 2], undefined]), { kind: 'conflict' })
  t.match(chooseMatch(strict, null, false, [[1], [], [2]]), { kind: 'conflict' })
  t.match(chooseMatch(strict, null, false, [[], [], [2, 3]]), { kind: 'several' })
})

t.test('a rule that does not decide changes nothing', async (t) => {
  const some = { ...rules, deciding: [true, false, true] }
  t.match(chooseMatch(some, null, false, [[1], [2], []]), { kind: 'one', id: 1 })
  t.match(chooseMatch(some, null, false, [[], [2], []]), { kind: 'none' })
})
