// cells -> typed values, with all problems of a row at once.

import fc from 'fast-check'
import t from 'tap'
import { rowProblem } from '../../../src/errors.ts'
import { suggestMapping } from '../../../src/import/resolve/map-columns.ts'
import { compilePlan } from '../../../src/import/resolve/plan.ts'
import { resolveRow } from '../../../src/import/resolve/resolve-row.ts'
import { contacts } from '../../../src/record-types/builtin/contacts.ts'

const headers = ['id', 'organization', 'first_name', 'important', 'emails', 'tags', 'notes']

function plan(names = headers, mode: 'create_and_update' | 'update_only' = 'create_and_update') {
  const options = { mode, allow_partial: true, organization_id: null }
  return compilePlan({
    type: contacts,
    mapping: suggestMapping(names, contacts),
    headers: names,
    options
  })
}

function raw(...cells: string[]) {
  return { row: 1, line: 2, offset: 40, cells, problems: null }
}

t.test('types the cells and leaves blank ones out', async (t) => {
  const row = resolveRow(
    plan(),
    raw(' 7 ', 'Acme ', 'Ann', 'Yes', 'a@example.com | b@example.com', '', ' x ')
  )
  t.equal(row.id, 7)
  t.equal(row.rejected, false)
  t.strictSame(row.values, {
    organization: 'Acme',
    first_name: 'Ann',
    important: true,
    emails: ['a@example.com', 'b@example.com'],
    notes: 'x'
  })
})

t.test('reports all problems of a row at once, with column, field, code and value', async (t) => {
  const row = resolveRow(plan(), raw('x', '', '', 'perhaps', 'a@example.com|nope', 'a,,a, b', ''))
  t.equal(row.rejected, true)
  t.match(row.problems, [
    { code: 'required_missing', column: 'organization', field: 'organization', severity: 'error' },
    { code: 'required_missing', column: 'first_name' },
    { code: 'invalid_boolean', column: 'important', value: 'perhaps' },
    { code: 'invalid_email', column: 'emails', field: 'emails', value: 'nope' },
    { code: 'invalid_id', column: 'id', value: 'x' }
  ])
  t.strictSame(row.values.tags, ['a', 'b'])
})

t.test('an import that only updates takes blanks for untouched', async (t) => {
  const row = resolveRow(plan(headers, 'update_only'), raw('7', '', '', '', '', '', ''))
  t.equal(row.problems, null)
})

t.test('warns of letters that an earlier conversion has lost', async (t) => {
  const row = resolveRow(plan(), raw('', 'Acme', 'J\ufffdrg', '', '', '', ''))
  t.equal(row.rejected, false)
  t.match(row.problems, [
    { code: 'replacement_character', severity: 'warning', column: 'first_name' }
  ])
})

t.test('brings letters to one form, so that equal names are equal', async (t) => {
  const row = resolveRow(plan(), raw('', 'Acme', 'Jo\u0308rg', '', '', '', ''))
  t.equal(row.values.first_name, 'J\u00f6rg')
})

t.test('takes the quote off formulas of our own files only', async (t) => {
  const own = [...headers, 'muster_problems']
  const cells = ['', 'Acme', "'=1+1", '', '', '', '']
  t.equal(resolveRow(plan(own), raw(...cells, '')).values.first_name, '=1+1')
  t.equal(resolveRow(plan(), raw(...cells)).values.first_name, "'=1+1")
})

t.test('passes on what the parser found', async (t) => {
  const problems = [rowProblem('column_count', { args: { found: 1, expected: 7 } })]
  const row = resolveRow(plan(), { ...raw('a'), problems })
  t.equal(row.rejected, true)
  t.equal(row.problems, problems)
})

t.test('equal rows have equal hashes, rows that differ in a mapped cell do not', async (t) => {
  const cell = fc.string({ maxLength: 12 })
  fc.assert(
    fc.property(fc.tuple(cell, cell), fc.tuple(cell, cell), ([a, b], [c, d]) => {
      const one = resolveRow(plan(), raw('', a, b, '', '', '', ''))
      const two = resolveRow(plan(), raw('', c, d, '', '', '', ''))
      const same = clean(a) === clean(c) && clean(b) === clean(d)
      return (one.hash === two.hash) === same
    })
  )
  t.pass('for any texts')
})

const clean = (text: string) => text.trim().normalize('NFC')

t.test('the hash changes with what a column means', async (t) => {
  const cells = raw('', 'Acme', 'Ann', '', '', '', '')
  const other = ['id', 'organization', 'first_name', 'important', 'emails', 'notes', 'tags']
  t.not(resolveRow(plan(), cells).hash, resolveRow(plan(other), cells).hash)
})
