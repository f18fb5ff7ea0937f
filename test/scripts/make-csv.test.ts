// The generated files of the benchmark: deterministic, and as they say they are.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { contactColumns, contactRow, createRecipe } from '../../scripts/bench/contact-row.ts'
import { writeContactsCsv } from '../../scripts/make-csv.ts'

t.test('writes the same bytes every time', async (t) => {
  const dir = t.testdir()
  const options = { rows: 500, variant: 'base' } as const
  const first = await writeContactsCsv({ ...options, out: join(dir, 'first.csv') })
  const second = await writeContactsCsv({ ...options, out: join(dir, 'second.csv') })
  const bytes = await readFile(first.path)
  t.ok(bytes.equals(await readFile(second.path)))
  t.equal(first.bytes, bytes.length)
  t.match(first, { rows: 500, badRows: 0, changedRows: 0, organizations: 3 })
})

t.test('gives every row keys that no other row has', async (t) => {
  const recipe = createRecipe(20_000, 'base', 1)
  const keys = new Set<string>()
  let keyCount = 0
  for (let row = 1; row <= 20_000; row++) {
    const [id = '', organization = '', first = '', last = '', , , , emails = ''] = contactRow(
      recipe,
      row
    )
    const texts = [id, `${organization}\n${first}\n${last}`, ...emails.toLowerCase().split('|')]
    keyCount += texts.length
    for (const text of texts) keys.add(text)
  }
  t.equal(keys.size, keyCount)
})

t.test('changes title, phones or notes of every second row and nothing else', async (t) => {
  const base = createRecipe(2_000, 'base', 1)
  const changed = createRecipe(2_000, 'changed', 1)
  const touched = new Set<string>()
  let rows = 0
  let blanked = 0
  for (let row = 1; row <= 2_000; row++) {
    const before = contactRow(base, row)
    const after = contactRow(changed, row)
    const columns = contactColumns.filter((_, index) => before[index] !== after[index])
    for (const column of columns) touched.add(column)
    if (columns.length > 0) rows++
    if (columns.some((column) => after[contactColumns.indexOf(column)] === '')) blanked++
  }
  t.equal(rows, 1_000)
  t.equal(blanked, 0)
  t.same([...touched].sort(), ['notes', 'phones', 'title'])
})

t.test('breaks one row in a hundred', async (t) => {
  const out = join(t.testdir(), 'bad.csv')
  const facts = await writeContactsCsv({ rows: 1_000, variant: 'bad', out })
  const text = await readFile(out, 'utf8')
  t.equal(facts.badRows, 10)
  for (const sign of ['not-an-address', 'one cell too many', 'perhaps']) t.match(text, sign)
})

t.test('stops at the size it was given', async (t) => {
  const out = join(t.testdir(), 'sized.csv')
  const facts = await writeContactsCsv({ bytes: 1_000_000, variant: 'base', out })
  t.ok(facts.bytes >= 1_000_000 && facts.bytes < 1_010_000, String(facts.bytes))
})
