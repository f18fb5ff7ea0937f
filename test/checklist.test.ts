// docs/checklist.md answers every number once, and what it answers with is there: folders of cases,
// titles of tests, decision pages; `planned` only where later work has its place. At the end, facts
// that the checklist states and no other test holds.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { builtinTypes } from '../src/record-types/registry.ts'

const root = join(import.meta.dirname, '..')
const docs = join(root, 'docs')

/** How many numbers each group has. */
const groups = { S0: 40, S1: 30, S2: 20, S3: 11, S4: 82 }
const numbers = Object.entries(groups).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, index) => `${group}.${index + 1}`)
)

/** What later work is to show, by its subject. */
const mayBePlanned: Record<string, string[]> = {
  'roles and rights': ['S0.2', 'S0.3', 'S0.23', 'S2.9', 'S4.3', 'S4.4'],
  'finding duplicates': ['S2.1', 'S2.2', 'S2.6', 'S2.10', 'S2.11'],
  'merging, and deleting by hand': ['S2.12', 'S2.17', 'S2.18', 'S2.19', 'S2.20']
}
const plannable = new Set(Object.values(mayBePlanned).flat())

interface Entry {
  number: string
  how: string
  /** `path` or `path: title`. */
  tests: string[]
  isPlanned: boolean
  /** Pages below docs/. */
  pages: string[]
}

function readEntries(page: string): Entry[] {
  return page
    .split('\n')
    .filter((line) => /^\| *S\d/.test(line))
    .map((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))
      const [, number = '', how = '', shown = ''] = cells
      return {
        number,
        how,
        tests: [...shown.matchAll(/`([^`]+)`/g)].map(([, test = '']) => test),
        isPlanned: /\bplanned\b/.test(shown.replaceAll(/`[^`]*`/g, '')),
        pages: [...shown.matchAll(/\]\(([^)]+)\)/g)].map(([, page = '']) => page)
      }
    })
}

/** What is wrong with the name of a test; null: nothing. */
function faultOf(test: string): string | null {
  const [, path = '', title] = /^(test\/[^:]+?)(?:: (.+))?$/.exec(test) ?? []
  const file = join(root, path)
  if (path === '' || !existsSync(file)) return 'is not there'
  if (title === undefined) {
    return existsSync(join(file, 'expected.json')) ? null : 'is no case: it has no expected.json'
  }
  const text = readFileSync(file, 'utf8')
  const quotes = ["'", '"', '`']
  return quotes.some((quote) => text.includes(`${quote}${title}${quote}`))
    ? null
    : 'has no test of that title'
}

const entries = readEntries(readFileSync(join(docs, 'checklist.md'), 'utf8'))

t.test('every number has one entry, in order', async (t) => {
  t.equal(numbers.length, 183)
  t.same(
    entries.map(({ number }) => number),
    numbers
  )
})

t.test('every entry says something and shows it', async (t) => {
  for (const { number, how, tests, isPlanned, pages } of entries) {
    t.match(how, /\w+ \w+/, `${number} says what Muster does`)
    t.ok(tests.length + pages.length > 0 || isPlanned, `${number} has a test, a page or a plan`)
  }
})

t.test('every test and page that is named is there', async (t) => {
  for (const { number, tests, pages } of entries) {
    for (const test of tests) t.equal(faultOf(test), null, `${number}: ${test}`)
    for (const page of pages) {
      t.match(page, /^decisions\/\d{4}-[a-z-]+\.md$/, `${number}: ${page}`)
      t.ok(existsSync(join(docs, page)), `${number}: ${page}`)
    }
  }
})

t.test('only what belongs to later work is planned', async (t) => {
  const planned = entries.filter(({ isPlanned }) => isPlanned).map(({ number }) => number)
  t.same(
    planned.filter((number) => !plannable.has(number)),
    []
  )
})

t.test('a missing folder, file or title is found', async (t) => {
  t.equal(faultOf('test/import/cases/no-such-rule'), 'is not there')
  t.equal(faultOf('src/app.ts'), 'is not there')
  t.equal(faultOf('test/checklist.test.ts'), 'is no case: it has no expected.json')
  t.equal(faultOf('test/docs.test.ts: no such title'), 'has no test of that title')
})

t.test('built-in types have the limits of the checklist', async (t) => {
  const limits = Object.fromEntries(builtinTypes.list.map((type) => [type.name, type.limits]))
  t.same(limits.clients, { max_rows: 5_000 }, 'S1.26')
  const users = { max_bytes: 1024 ** 3, max_row_bytes: 128 * 1024, max_columns: 200 }
  t.same(limits.users, users, 'S4.8, S4.10, S4.11')
})

t.test('customers need the same three fields as members', async (t) => {
  for (const name of ['members', 'customers']) {
    const fields = builtinTypes.list.find((type) => type.name === name)?.fields ?? []
    const required = fields.filter((field) => field.required).map((field) => field.label)
    t.same(required, ['Email', 'First Name', 'Last Name'], name)
  }
})
