// docs/psa-envelopes.md shows what the code makes: every example and every table.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  autotaskNames,
  connectwiseNames,
  type TypeNames
} from '../../../src/notify/send/crosswalk.ts'
import { builtinTypes } from '../../../src/record-types/registry.ts'
import { brokenLinks, readBlocks } from '../../helpers/doc-blocks.ts'
import { examplesOf, tableOf } from '../../helpers/psa-page.ts'
import { importEvent, recordEvent, sampleSecret } from '../../helpers/sample-events.ts'

const folder = join(import.meta.dirname, '../../../docs')
const page = readFileSync(join(folder, 'psa-envelopes.md'), 'utf8')

t.test('the examples are made by the code', async (t) => {
  const entity = JSON.parse(JSON.parse(examplesOf('connectwise', recordEvent).raw).Entity)
  const expected = [
    examplesOf('standard', recordEvent),
    examplesOf('standard', importEvent),
    examplesOf('connectwise', recordEvent),
    { headers: null, body: `${JSON.stringify(entity, null, 2)}\n` },
    examplesOf('autotask', recordEvent),
    examplesOf('connectwise', importEvent),
    examplesOf('autotask', importEvent)
  ]
  const blocks = readBlocks(page)
  const texts = (language: string) =>
    blocks.filter((one) => one.language === language).map(({ text }) => text)
  t.same(
    texts('json'),
    expected.map(({ body }) => body)
  )
  t.same(
    texts('http'),
    expected.flatMap(({ headers }) => headers ?? [])
  )
  t.ok(page.includes(`\`${sampleSecret}\``))
})

t.test('the tables are the crosswalk, and it names fields that exist', async (t) => {
  t.same(Object.keys(autotaskNames), Object.keys(connectwiseNames))
  for (const type of Object.keys(connectwiseNames)) {
    t.ok(page.includes(`\n${tableOf(type)}`), `the table is\n${tableOf(type)}`)
    const known = builtinTypes.list
      .find(({ name }) => name === type)
      ?.fields.map(({ name }) => name)
    for (const names of [connectwiseNames, autotaskNames]) {
      for (const { field } of (names[type] as TypeNames).fields) t.ok(known?.includes(field), field)
    }
  }
})

t.test('links lead somewhere', async (t) => {
  t.same(brokenLinks(page, folder), [])
})
