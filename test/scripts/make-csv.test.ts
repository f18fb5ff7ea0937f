// The generated files of the benchmark: deterministic, and as they say they are.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { locationNames, neededFiles } from '../../scripts/bench/configuration-needs.ts'
import { createRecipe } from '../../scripts/bench/recipe.ts'
import { rowTypes, type TypeName, typeNames } from '../../scripts/bench/row-types.ts'
import { recipeOf, writeCsv } from '../../scripts/make-csv.ts'
import { keysOf } from '../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import type { RecordData } from '../../src/record-types/types.ts'

// Columns that differ between base and changed, and a text of the variant bad alone.
const touchable = {
  contacts: ['notes', 'phones', 'title'],
  configurations: ['configuration_status', 'location', 'notes', 'primary_ip']
}
const broken = { contacts: 'perhaps', configurations: 'someday' }

/** A row as the fields that match rules compare, filled cells only. */
function dataOf(type: TypeName, cells: string[]): RecordData {
  const { fields } = builtinTypes.require(type)
  const data: RecordData = {}
  for (const [index, column] of rowTypes[type].columns.entries()) {
    const cell = cells[index] ?? ''
    const separator = fields.find(({ name }) => name === column)?.many?.separator
    if (cell !== '') data[column] = separator ? cell.split(separator) : cell
  }
  if (typeof data.mac_address === 'string') {
    data.mac_address = data.mac_address.toUpperCase().replaceAll('-', ':')
  }
  return data
}

for (const type of typeNames) {
  const { columns, row: makeRow } = rowTypes[type]

  t.test(`writes the same bytes of ${type} every time`, async (t) => {
    const dir = t.testdir()
    const options = { type, rows: 500, variant: 'base' } as const
    const first = await writeCsv({ ...options, out: join(dir, 'first.csv') })
    const second = await writeCsv({ ...options, out: join(dir, 'second.csv') })
    const bytes = await readFile(first.path)
    t.ok(bytes.equals(await readFile(second.path)))
    t.equal(first.bytes, bytes.length)
    t.match(first, { rows: 500, badRows: 0, changedRows: 0, organizations: 3 })
  })

  t.test(`has columns that are fields of ${type}`, async (t) => {
    const names = builtinTypes.require(type).fields.map(({ name }) => name)
    t.strictSame(
      columns.filter((column) => !names.includes(column)),
      []
    )
    const cells = makeRow(createRecipe(200, 'base', 1), 1)
    t.equal(cells.length, columns.length)
  })

  t.test(`gives every row of ${type} keys that no other row has`, async (t) => {
    const recipe = createRecipe(20_000, 'base', 1)
    const keys = new Set<string>()
    let keyCount = 0
    let without = 0
    for (let row = 1; row <= 20_000; row++) {
      const data = dataOf(type, makeRow(recipe, row))
      const organization = recipe.organizations.indexOf(String(data.organization))
      for (const rule of builtinTypes.require(type).match_rules) {
        const found = keysOf(rule, data, organization)
        if (found.length === 0) without++
        keyCount += found.length
        for (const key of found) keys.add(`${rule.name}\n${key}`)
      }
    }
    t.equal(keys.size, keyCount)
    t.equal(without, 0)
  })

  t.test(`changes every second row of ${type}, but no key and nothing to blank`, async (t) => {
    const base = createRecipe(2_000, 'base', 1)
    const changed = createRecipe(2_000, 'changed', 1)
    const touched = new Set<string>()
    let rows = 0
    let blanked = 0
    for (let row = 1; row <= 2_000; row++) {
      const before = makeRow(base, row)
      const after = makeRow(changed, row)
      const different = columns.filter((_, index) => before[index] !== after[index])
      for (const column of different) touched.add(column)
      if (different.length > 0) rows++
      if (different.some((column) => after[columns.indexOf(column)] === '')) blanked++
    }
    t.equal(rows, 1_000)
    t.equal(blanked, 0)
    t.same([...touched].sort(), touchable[type])
  })

  t.test(`breaks one row of ${type} in a hundred`, async (t) => {
    const out = join(t.testdir(), 'bad.csv')
    const facts = await writeCsv({ type, rows: 1_000, variant: 'bad', out })
    const text = await readFile(out, 'utf8')
    t.equal(facts.badRows, 10)
    for (const sign of ['not-an-address', 'one cell too many', broken[type]]) t.match(text, sign)
  })

  t.test(`stops at the size it was given of ${type}`, async (t) => {
    const out = join(t.testdir(), 'sized.csv')
    const facts = await writeCsv({ type, bytes: 1_000_000, variant: 'base', out })
    t.ok(facts.bytes >= 1_000_000 && facts.bytes < 1_010_000, String(facts.bytes))
    t.equal(
      facts.organizations,
      recipeOf({ type, bytes: 1_000_000, variant: 'base' }).organizations.length
    )
  })
}

t.test('tells how many records of other types the rows name', async (t) => {
  const dir = t.testdir()
  const file = await writeCsv({
    type: 'configurations',
    rows: 6_000,
    variant: 'base',
    out: join(dir, 'x.csv')
  })
  t.strictSame(file.creates, {
    configuration_types: 12,
    configuration_statuses: 4,
    manufacturers: 20,
    // 15 names, each a model of every maker.
    models: 300,
    operating_systems: 10
  })
})

t.test('names only sites and people that are imported before', async (t) => {
  const rows = 2_000
  const recipe = createRecipe(rows, 'changed', 1)
  const [locations, contacts] = neededFiles(recipe)
  const known = new Set(
    (contacts?.csv ?? '').split('\n').flatMap((line) => {
      // Names of organizations may hold a comma, those of people do not.
      const [email, last, first] = line.split(',').reverse()
      return [email, `${first} ${last}`]
    })
  )
  t.equal(locations?.csv.split('\n').length, 10 * locationNames.length + 2)
  t.equal(contacts?.csv.split('\n').length, 10 * 20 + 2)
  let blank = 0
  for (let row = 1; row <= rows; row++) {
    const data = dataOf('configurations', rowTypes.configurations.row(recipe, row))
    if (!locationNames.includes(String(data.location))) t.fail(`location of row ${row}`)
    if (data.contact === undefined) blank++
    else if (!known.has(String(data.contact))) t.fail(`contact of row ${row}`)
  }
  t.ok(blank > 100 && blank < 300, String(blank))
})
