// docs/errors.md and the error catalogue say the same, in both directions; so do docs/jobs.md and the
// states of imports; docs/guarantees.md names only what is there.

import { readFile, stat } from 'node:fs/promises'
import t from 'tap'
import { scenarioNames } from '../scripts/chaos/options.ts'
import { operationErrors } from '../src/error-catalogue.ts'
import { statesPage } from '../src/import/states-page.ts'
import { rowProblems } from '../src/row-problem-catalogue.ts'

interface Entry {
  code: string
  /** Status or severity. */
  kind: string
  text: string
  remedy: string
}

/** The rows of the table under a heading. */
function entriesUnder(page: string, heading: string): Entry[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))
      const [, code = '', kind = '', text = '', remedy = ''] = cells
      return { code: code.replaceAll('`', ''), kind, text, remedy }
    })
}

const page = await readFile(new URL('../docs/errors.md', import.meta.url), 'utf8')
const tables: [string, Record<string, { message: string; status?: number; severity?: string }>][] =
  [
    ['Operation errors', operationErrors],
    ['Row problems', rowProblems]
  ]

for (const [heading, catalogue] of tables) {
  const entries = entriesUnder(page, heading)

  t.test(`${heading}: every code of the catalogue is documented, and no other`, async (t) => {
    const codes = entries.map(({ code }) => code)
    t.same(
      Object.keys(catalogue).filter((code) => !codes.includes(code)),
      [],
      'not documented'
    )
    t.same(
      codes.filter((code) => !(code in catalogue)),
      [],
      'documented, but not in the catalogue'
    )
    t.equal(new Set(codes).size, codes.length, 'no code twice')
  })

  t.test(`${heading}: status, text and remedy are there and right`, async (t) => {
    for (const { code, kind, text, remedy } of entries) {
      const entry = catalogue[code]
      if (!entry) continue
      t.equal(kind, String(entry.status ?? entry.severity), code)
      t.equal(text, entry.message, code)
      t.match(remedy, /\w{3}/, `${code} has a remedy`)
    }
  })
}

t.test('docs/jobs.md has every state and every move, and no other', async (t) => {
  const jobs = await readFile(new URL('../docs/jobs.md', import.meta.url), 'utf8')
  const section = jobs.split(/^## /m).find((part) => part.startsWith('States\n')) ?? ''
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '))
  // Names are code there; texts are as they are.
  const wanted = statesPage.tables.flatMap(({ rows }) =>
    rows.map(({ cells }) => cells.map((cell, at) => (at < cells.length - 1 ? `\`${cell}\`` : cell)))
  )
  t.strictSame(rows, wanted)
})

t.test('guarantees.md: every file and scenario that it names is there', async (t) => {
  const root = new URL('../', import.meta.url)
  const text = await readFile(new URL('docs/guarantees.md', root), 'utf8')
  const named = [...text.matchAll(/`((?:src|test|scripts|docs)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path
  )
  t.ok(named.length > 20)
  for (const path of new Set(named)) await t.resolves(stat(new URL(path, root)), path)
  const scenarios = [...text.matchAll(/--scenario (\w+)/g)].map(([, name]) => name)
  for (const name of scenarios) t.ok(scenarioNames.some((one) => one === name))
  for (const name of scenarioNames) t.match(text, `| \`${name}\` |`)
  const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
  t.ok(scripts.chaos)
  const promises = [...text.matchAll(/^\| P\d+ \| \[.*?\]\(#([\w-]+)\) \|/gm)]
  t.equal(promises.length, 13)
  const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
    title.toLowerCase().replaceAll(' ', '-')
  )
  for (const [, anchor = ''] of promises) t.ok(headings.includes(anchor), anchor)
})
