// cells -> typed values, with all problems of a row at once.

import fc from 'fast-check'
import t from 'tap'
import { rowProblem } from '../../../src/errors.ts'
import type { ImportOptions } from '../../../src/import/resolve/import-options.ts'
import { missingProblems, resolveRow } from '../../../src/import/resolve/resolve-row.ts'
import { builtinTypes } from '../../../src/record-types/registry.ts'
import { planOf, rawRow } from '../../helpers/plans.ts'

const contacts = builtinTypes.require('contacts')

const headers = ['Muster ID', 'organization', 'first_name', 'important', 'emails', 'tags', 'notes']

const plan = (names = headers, options: Partial<ImportOptions> = {}) =>
  planOf(contacts, names, options)
const raw = rawRow

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
    { code: 'invalid_boolean', column: 'important', value: 'perhaps' },
    { code: 'invalid_email', column: 'emails', field: 'emails', value: 'nope' },
    { code: 'invalid_id', column: 'Muster ID', value: 'x' }
  ])
  t.match(missingProblems(row), [
    { code: 'required_missing', column: 'organization', field: 'organization', severity: 'error' },
    { code: 'required_missing', column: 'first_name' }
  ])
  t.strictSame(row.values.tags, ['a', 'b'])
})

t.test('a blank cell says nothing by itself', async (t) => {
  const row = resolveRow(plan(), raw('7', '', '', '', '', '', ''))
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
  const foreign = plan(headers.with(0, 'Ref'))
  t.equal(resolveRow(foreign, raw(...cells)).values.first_name, "'=1+1")
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
  const other = ['Muster ID', 'organization', 'first_name', 'important', 'emails', 'notes', 'tags']
  t.not(resolveRow(plan(), cells).hash, resolveRow(plan(other), cells).hash)
})

t.test("what a blank cell means is the import's choice", async (t) => {
  const cells = raw('', 'Acme', 'Ann', '', '', '', '')
  t.strictSame(resolveRow(plan(headers, { blank: 'keep' }), cells).values, {
    organization: 'Acme',
    first_name: 'Ann'
  })
  t.match(resolveRow(plan(headers, { blank: 'overwrite' }), cells).values, {
    important: null,
    emails: null,
    notes: null
  })
  const status = ['Name', 'Organization Status', 'Notes']
  const organizations = planOf(builtinTypes.require('organizations'), status, { blank: 'default' })
  t.strictSame(resolveRow(organizations, raw('Acme', '', '')).values, {
    name: 'Acme',
    organization_status: 'Active'
  })
})

t.test('the clear marker clears, but nothing that is required', async (t) => {
  const row = resolveRow(plan(), raw('', 'Acme', 'Ann', '', '__CLEAR__', '', '__CLEAR__'))
  t.match(row.values, { emails: null, notes: null })
  const name = resolveRow(plan(), raw('', 'Acme', '__CLEAR__', '', '', '', ''))
  t.match(name.problems, [{ code: 'required_cleared', field: 'first_name' }])
  const own = plan(headers, { clear_marker: '-' })
  t.match(resolveRow(own, raw('', 'Acme', 'Ann', '', '', '', '-')).values, { notes: null })
  const without = plan(headers, { clear_marker: null })
  t.match(resolveRow(without, raw('', 'Acme', 'Ann', '', '', '', '__CLEAR__')).values, {
    notes: '__CLEAR__'
  })
})

t.test('the clear marker among other values is a fault, as nobody can mean both', async (t) => {
  const row = resolveRow(plan(), raw('', 'Acme', 'Ann', '', '', 'b, __CLEAR__', ''))
  t.match(row.problems, [{ code: 'clear_marker_in_list', column: 'tags', value: '__CLEAR__' }])
  t.equal(row.rejected, true)
})

t.test('a list may be JSON, where its values hold the separator', async (t) => {
  const tags = (cell: string) =>
    resolveRow(plan(), raw('', 'Acme', 'Ann', '', '', cell, '')).values.tags
  t.same(tags('["a, b", "c", "c"]'), ['a, b', 'c'])
  t.same(tags('["a"'), ['["a"'])
  t.same(tags('["a", 1]'), ['["a"', '1]'])
})

t.test('a value that only looks like the clear marker has a quote in our own files', async (t) => {
  const cells = ['', 'Acme', "'__CLEAR__", '', '', '', '']
  t.equal(resolveRow(plan(), raw(...cells)).values.first_name, '__CLEAR__')
  const foreign = plan(headers.with(0, 'Ref'))
  t.equal(resolveRow(foreign, raw(...cells)).values.first_name, "'__CLEAR__")
})

t.test('a secret is in no problem, and its hash tells nothing', async (t) => {
  const passwords = builtinTypes.require('passwords')
  const own = planOf(passwords, ['Organization', 'Name', 'Password'])
  const row = resolveRow(own, raw('Acme', 'Router', 'top\nsecret'))
  t.equal(row.rejected, true)
  t.notMatch(JSON.stringify(row.problems), /top|secret/)
  t.equal(
    resolveRow(own, raw('Acme', 'Router', '  spaces stay ')).values.password,
    '  spaces stay '
  )
})

t.test('formulas and scripts are refused where the type wants plain text', async (t) => {
  const own = planOf(builtinTypes.require('clients'), ['First Name', 'Email', 'Comments'])
  const codes = (text: string) =>
    resolveRow(own, raw('Ann', 'a@example.com', text)).problems?.map(({ code }) => code)
  for (const text of ['=1+1', '@SUM(A1)', '-cmd|x', 'a <script>x', '<img onerror=x>']) {
    t.strictSame(codes(text), ['executable_content'], text)
  }
  for (const text of ['-5', '+49 30 123', 'a = b', 'once = on', '1 < 2']) t.notOk(codes(text), text)
})

t.test('the sample row of the template is recognised, and nothing else is', async (t) => {
  const own = plan(headers.slice(1))
  const sampleOf = (columns: typeof own.columns) => columns.map(({ sample }) => sample.cell)
  const cells = sampleOf(own.columns)
  t.equal(resolveRow(own, raw(...cells)).isSample, true)
  t.equal(resolveRow(own, raw(...cells.with(1, 'Ann'))).isSample, false)
  const withId = plan()
  t.equal(resolveRow(withId, raw('7', ...cells)).isSample, false, 'it says which record it means')
  const narrow = plan(['Important'])
  t.equal(resolveRow(narrow, raw(...sampleOf(narrow.columns))).isSample, false, 'too little')
})
