// What happens to a row, from plain data.

import t from 'tap'
import type { Match } from '../../../src/import/decide/choose-match.ts'
import { decideRow } from '../../../src/import/decide/decide-row.ts'
import { sameJson } from '../../../src/import/decide/same-json.ts'
import { compilePlan } from '../../../src/import/resolve/plan.ts'
import type { Mode } from '../../../src/import/terms.ts'
import { contacts } from '../../../src/record-types/builtin/contacts.ts'
import type { RecordData } from '../../../src/record-types/types.ts'

const found: Match = { kind: 'one', id: 5, matched_by: 'email' }

function decide(
  values: RecordData,
  match: Match,
  data: RecordData | null = {},
  mode: Mode = 'create_and_update',
  rejected = false
) {
  const options = { mode, allow_partial: true, organization_id: null }
  const plan = compilePlan({ type: contacts, mapping: ['id'], headers: ['Id'], options })
  const raw = { row: 1, line: 2, offset: 0, cells: [], problems: null }
  const row = { raw, id: 5, values, problems: null, rejected, hash: 1 }
  const existing = { id: 5, version: 3, organization_id: 1, fingerprint: 2, data }
  const context = { defaults: { important: false }, titleOf: (id: number) => `Contact ${id}` }
  return decideRow(plan, row, match, existing, context)
}

t.test('no record: created, the defaults below the values of the row', async (t) => {
  t.strictSame(decide({ first_name: 'Ann' }, { kind: 'none' }), {
    action: 'create',
    data: { important: false, first_name: 'Ann' }
  })
  t.strictSame(decide({ important: true }, { kind: 'none' }), {
    action: 'create',
    data: { important: true }
  })
})

t.test('a record: only the fields that differ are changed, with what they were', async (t) => {
  const data = { first_name: 'Ann', title: 'CEO', emails: ['a@example.com'] }
  t.match(
    decide(
      { first_name: 'Ann', title: 'CTO', notes: 'new', emails: ['a@example.com'] },
      found,
      data
    ),
    {
      action: 'update',
      set: { title: 'CTO', notes: 'new' },
      before: { title: 'CEO', notes: null }
    }
  )
})

t.test('nothing differs: unchanged', async (t) => {
  t.strictSame(decide({ title: 'CEO' }, found, { title: 'CEO', notes: 'x' }), {
    action: 'unchanged',
    record_id: 5
  })
  t.strictSame(decide({ title: 'CEO' }, found, null), { action: 'unchanged', record_id: 5 })
})

t.test('modes: what a mode does not do is skipped and says so', async (t) => {
  t.match(decide({ title: 'CTO' }, found, { title: 'CEO' }, 'create_only'), {
    action: 'skip',
    record_id: 5,
    problem: { code: 'exists_already', severity: 'warning' }
  })
  t.match(decide({ title: 'CTO' }, { kind: 'none' }, {}, 'update_only'), {
    action: 'skip',
    record_id: null,
    problem: { code: 'not_found_for_update' }
  })
  t.match(decide({ title: 'CTO' }, found, { title: 'CEO' }, 'update_only'), { action: 'update' })
})

t.test('several records: rejected with the candidates', async (t) => {
  t.match(decide({}, { kind: 'several', ids: [7, 8], matched_by: 'email' }), {
    action: 'reject',
    problem: {
      code: 'ambiguous_match',
      message: /match by email/,
      candidates: [
        { id: 7, title: 'Contact 7' },
        { id: 8, title: 'Contact 8' }
      ]
    }
  })
  t.match(decide({}, { kind: 'conflict', ids: [7, 8] }), { problem: { code: 'identity_conflict' } })
  t.match(decide({}, { kind: 'unknown_id' }), {
    problem: { code: 'unknown_id', value: '5', column: 'Id' }
  })
})

t.test('a row with errors is rejected whatever it matches', async (t) => {
  t.match(decide({}, found, {}, 'create_and_update', true), { action: 'reject', problem: null })
})

t.test('values are compared by content', async (t) => {
  t.ok(sameJson([1, { a: 'x' }], [1, { a: 'x' }]))
  t.notOk(sameJson(['a', 'b'], ['b', 'a']), 'order inside a list counts')
  t.notOk(sameJson({ a: 1 }, { a: 1, b: 2 }))
  t.notOk(sameJson(null, {}))
  t.notOk(sameJson([], {}))
  t.notOk(sameJson('1', 1))
})
