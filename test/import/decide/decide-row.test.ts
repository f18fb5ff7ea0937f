// What happens to a row, from plain data.

import t from 'tap'
import type { Match } from '../../../src/import/decide/choose-match.ts'
import { type DecideContext, decideRow } from '../../../src/import/decide/decide-row.ts'
import { sameJson } from '../../../src/import/decide/same-json.ts'
import type { ImportOptions } from '../../../src/import/resolve/import-options.ts'
import type { ResolvedRow } from '../../../src/import/resolve/resolve-row.ts'
import { builtinTypes } from '../../../src/record-types/registry.ts'
import type { RecordData } from '../../../src/record-types/types.ts'
import { planOf, rowOf } from '../../helpers/plans.ts'

const contacts = builtinTypes.require('contacts')
const found: Match = { kind: 'one', id: 5, matched_by: 'email' }
const none: Match = { kind: 'none' }

interface Given {
  options?: Partial<ImportOptions>
  type?: string
  row?: Partial<ResolvedRow>
  context?: Partial<DecideContext>
  headers?: string[]
}

function decide(values: RecordData, match: Match, data: RecordData | null, given: Given = {}) {
  const type = builtinTypes.require(given.type ?? 'contacts')
  const plan = planOf(type, given.headers ?? ['Muster ID'], given.options)
  const row = rowOf(values, { id: 5, ...given.row })
  const existing = { id: 5, version: 3, organization_id: 1, fingerprint: 2, data }
  const context: DecideContext = {
    defaults: { important: false },
    titleOf: (id) => `Contact ${id}`,
    related: new Map(),
    isRepeat: false,
    similar: [],
    now: new Date('2026-01-31T09:30:00Z'),
    ...given.context
  }
  return decideRow(plan, row, match, existing, context)
}

t.test('no record: created, the defaults below the values of the row', async (t) => {
  t.match(decide({ first_name: 'Ann' }, none, {}), {
    action: 'create',
    data: { important: false, first_name: 'Ann' }
  })
  t.match(decide({ important: true, title: null }, none, {}), {
    action: 'create',
    data: { important: true, title: undefined }
  })
})

t.test('a record: only the fields that differ are changed, with what they were', async (t) => {
  const data = { first_name: 'Ann', title: 'CEO', emails: ['a@example.com'] }
  const values = { first_name: 'Ann', title: 'CTO', notes: 'new', emails: ['a@example.com'] }
  t.match(decide(values, found, data), {
    action: 'update',
    set: { title: 'CTO', notes: 'new' },
    before: { title: 'CEO', notes: null }
  })
})

t.test('a value to be cleared is cleared once', async (t) => {
  t.match(decide({ title: null }, found, { title: 'CEO' }), {
    action: 'update',
    set: { title: null },
    before: { title: 'CEO' }
  })
  t.match(decide({ title: null }, found, {}), { action: 'unchanged' })
})

t.test('nothing differs: unchanged', async (t) => {
  const same = { action: 'unchanged', record_id: 5, warnings: [] }
  t.strictSame(decide({ title: 'CEO' }, found, { title: 'CEO', notes: 'x' }), same)
  t.strictSame(decide({ title: 'CEO' }, found, null), same)
})

t.test('modes: what a mode does not do is skipped and says so', async (t) => {
  const only = (mode: ImportOptions['mode']) => ({ options: { mode } })
  t.match(decide({ title: 'CTO' }, found, { title: 'CEO' }, only('create_only')), {
    action: 'skip',
    record_id: 5,
    problem: { code: 'exists_already', severity: 'warning' }
  })
  t.match(decide({ title: 'CTO' }, none, {}, only('update_only')), {
    action: 'skip',
    record_id: null,
    problem: { code: 'not_found_for_update' }
  })
  t.match(decide({ title: 'CTO' }, found, { title: 'CEO' }, only('update_only')), {
    action: 'update'
  })
})

t.test('several records: rejected with the candidates', async (t) => {
  t.match(decide({}, { kind: 'several', ids: [7, 8], matched_by: 'email' }, {}), {
    action: 'reject',
    problems: [
      {
        code: 'ambiguous_match',
        message: /match by email/,
        candidates: [
          { id: 7, title: 'Contact 7' },
          { id: 8, title: 'Contact 8' }
        ]
      }
    ]
  })
  t.match(decide({}, { kind: 'conflict', ids: [7, 8] }, {}), {
    problems: [{ code: 'identity_conflict' }]
  })
  t.match(decide({}, { kind: 'unknown_id' }, {}), {
    problems: [{ code: 'unknown_id', value: '5', column: 'Muster ID' }]
  })
})

t.test('a row with errors is rejected whatever it matches', async (t) => {
  const row = { rejected: true }
  t.match(decide({}, found, {}, { row }), { action: 'reject', problems: [] })
})

t.test('a blank required cell is a fault of a new record, not of one that exists', async (t) => {
  const plan = planOf(contacts, ['First Name'])
  const row = { missing: plan.columns }
  t.match(decide({}, none, {}, { row }), {
    action: 'reject',
    problems: [{ code: 'required_missing', column: 'First Name', field: 'first_name' }]
  })
  const data = { first_name: 'Ann' }
  t.match(decide({}, found, data, { row }), { action: 'unchanged' })
  t.match(decide({}, found, data, { row, options: { blank: 'overwrite' } }), {
    action: 'reject',
    problems: [{ code: 'required_cleared' }]
  })
  t.match(decide({}, none, {}, { row: { ...row, id: null, rejected: true } }), {
    action: 'reject',
    problems: [{ code: 'required_missing' }]
  })
})

t.test('values join those of an appending field, each once', async (t) => {
  const options = { update: { tags: 'append', notes: 'append' } } as const
  const data = { tags: ['a', 'b'], notes: 'first' }
  t.match(decide({ tags: ['b', 'c'], notes: 'second' }, found, data, { options }), {
    set: { tags: ['a', 'b', 'c'], notes: 'first\nsecond' }
  })
  t.match(decide({ tags: ['b'], notes: 'first' }, found, data, { options }), {
    action: 'unchanged'
  })
  t.match(decide({ tags: ['b'] }, found, data), { set: { tags: ['b'] } })
})

t.test('a second row about a record is a repeat', async (t) => {
  const context = { isRepeat: true }
  t.match(decide({ title: 'CTO' }, found, { title: 'CEO' }, { context }), {
    action: 'reject',
    problems: [{ code: 'duplicate_in_file', message: /found by email/ }]
  })
})

t.test('rows of one external id are folded when they agree', async (t) => {
  const context = { isRepeat: true }
  const match: Match = { kind: 'one', id: 5, matched_by: 'external_id' }
  const data = { title: 'CEO', phones: ['+491'] }
  t.match(decide({ title: 'CEO', phones: ['+492'] }, match, data, { context }), {
    action: 'update',
    set: { phones: ['+491', '+492'] },
    warnings: [{ code: 'folded_into_record', severity: 'warning' }]
  })
  t.match(decide({ title: 'CTO', phones: ['+492'] }, match, data, { context }), {
    action: 'reject',
    problems: [{ code: 'conflicting_duplicate_rows', message: /title/ }]
  })
})

t.test('an immutable field stays what it is', async (t) => {
  const match: Match = { kind: 'one', id: 5, matched_by: 'email' }
  const change = (type: string) =>
    decide({ type }, match, { type: 'Personal' }, { type: 'clients', context: { defaults: {} } })
  t.match(change('Business'), {
    action: 'reject',
    problems: [{ code: 'immutable_field', field: 'type', message: /it is "Personal"/ }]
  })
  t.match(change('Personal'), { action: 'unchanged' })
})

t.test('a secret is sealed, and left alone while it is the same', async (t) => {
  const given = { type: 'passwords', context: { defaults: {} } }
  t.match(decide({ password: 'pw' }, none, {}, given), { data: { password: 'enc:1:glass:pw' } })
  const data = { password: 'enc:1:glass:pw' }
  t.match(decide({ password: 'pw' }, found, data, given), { action: 'unchanged' })
  t.match(decide({ password: 'other' }, found, data, given), {
    set: { password: 'enc:1:glass:other' },
    before: { password: 'enc:1:glass:pw' }
  })
})

t.test('a text that is added to a secret is sealed with it', async (t) => {
  const given = {
    type: 'passwords',
    options: { update: { notes: 'append' as const } },
    context: { defaults: {} }
  }
  const data = { notes: 'enc:1:glass:first' }
  t.match(decide({ notes: 'second' }, found, data, given), {
    set: { notes: 'enc:1:glass:first\nsecond' }
  })
  t.match(decide({ notes: 'first' }, found, data, given), { action: 'unchanged' })
})

t.test('a record that must share a value with the one it refers to', async (t) => {
  const desk = { id: 9, version: 1, organization_id: null, fingerprint: null, data: { project: 3 } }
  const given = { type: 'clients', context: { defaults: {}, related: new Map([[9, desk]]) } }
  const values = { email: 'a@example.com', project: 3, desk: 9 }
  t.match(decide(values, none, {}, given), { action: 'create' })
  t.match(decide({ ...values, project: 4 }, none, {}, given), {
    action: 'reject',
    problems: [{ code: 'shared_field_differs', field: 'desk' }]
  })
})

t.test('something very like it exists: a warning, or an error', async (t) => {
  const given = (similar: ImportOptions['similar']) => ({
    type: 'organizations',
    options: { similar },
    context: { defaults: {}, similar: [7] }
  })
  const candidates = [{ id: 7, title: 'Contact 7' }]
  t.match(decide({ name: 'Acme' }, none, {}, given('warn')), {
    action: 'create',
    warnings: [{ code: 'similar_exists', value: 'Acme', candidates }]
  })
  t.match(decide({ name: 'Acme' }, none, {}, given('error')), {
    action: 'reject',
    problems: [{ code: 'similar_refused', candidates }]
  })
  t.match(decide({ name: 'Acme' }, none, {}, given('ignore')), { action: 'create', warnings: [] })
})

t.test('values that a new record lacks are made up', async (t) => {
  const given = { type: 'clients', context: { defaults: {} } }
  const made = decide({ email: 'Ann.Lee@example.com' }, none, {}, given)
  t.match(made, {
    data: {
      client_id: /^[0-9a-f]{24}$/,
      username: /^ann\.lee-[0-9a-f]{4}$/,
      created: '2026-01-31T09:30:00.000Z'
    }
  })
})

t.test('rows that have no outcome of their own', async (t) => {
  t.match(decide({}, none, {}, { row: { waits: true } }), { action: 'wait' })
  t.match(decide({}, none, {}, { row: { isSample: true } }), {
    action: 'skip',
    problem: { code: 'sample_row' }
  })
})

t.test('values are compared by content', async (t) => {
  t.ok(sameJson([1, { a: 'x' }], [1, { a: 'x' }]))
  t.notOk(sameJson(['a', 'b'], ['b', 'a']), 'order inside a list counts')
  t.notOk(sameJson({ a: 1 }, { a: 1, b: 2 }))
  t.notOk(sameJson(null, {}))
  t.notOk(sameJson([], {}))
  t.notOk(sameJson('1', 1))
})
