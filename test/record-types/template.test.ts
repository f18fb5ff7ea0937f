// Samples: one cell for each field, which the field itself would take.

import t from 'tap'
import { cellReader } from '../../src/import/resolve/cell-kinds.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import { isSampleCell, sampleRow, templateCsv } from '../../src/record-types/template.ts'
import { type Field, fieldKinds } from '../../src/record-types/types.ts'

const contacts = builtinTypes.require('contacts')
const field = (more: Partial<Field>): Field => ({
  name: 'a',
  label: 'A',
  aliases: [],
  kind: 'text',
  description: '',
  required: false,
  many: null,
  ...more
})
const sampleOf = (more: Partial<Field>) =>
  sampleRow({ ...contacts, fields: [field(more)] })[0]?.cell ?? ''

t.test('the sample of every kind is read as that kind', async (t) => {
  for (const kind of fieldKinds) {
    const one = field({ kind, ...(kind === 'select' && { options: ['S', 'L'] }) })
    const cell = sampleOf(one)
    t.not(cellReader(one, { default_country: null }).read(cell), undefined, `${kind}: ${cell}`)
  }
  const strict = field({ kind: 'phone', strict: true })
  t.not(cellReader(strict, { default_country: null }).read(sampleOf(strict)), undefined)
})

t.test('a sample keeps to what the field says', async (t) => {
  t.equal(sampleOf({ sample: 'Own' }), 'Own')
  t.equal(sampleOf({ generated: 'hex24' }), '')
  t.equal(sampleOf({ label: 'Serial Number', max_length: 9 }), 'Sample Se')
  t.equal(sampleOf({ label: 'This, that', many: { separator: ',' } }), 'Sample This  that')
  t.match(sampleOf({ format: 'hex24' }), /^[0-9a-f]{24}$/)
})

t.test('built-in samples fit their fields', async (t) => {
  for (const type of builtinTypes.list) {
    for (const { field: name, cell } of sampleRow(type)) {
      const one = type.fields.find((known) => known.name === name)
      if (!one || cell === '') continue
      const texts = one.many ? cell.split(one.many.separator) : [cell]
      for (const text of texts) {
        const value = cellReader(one, { default_country: null }).read(text.trim())
        t.not(value, undefined, `${type.name}.${name}: ${text}`)
      }
    }
  }
})

t.test('the sample is recognised as it is in the file', async (t) => {
  const line = (more: Partial<Field>) => {
    const type = { ...contacts, fields: [field(more)] }
    const [sample] = sampleRow(type)
    if (!sample) throw new Error('no sample')
    return { sample, cell: templateCsv(type).split('\r\n')[1] ?? '' }
  }
  const phone = line({ kind: 'phone', strict: true })
  t.equal(phone.cell, phone.sample.cell, 'no quote that would be copied')
  const formula = line({ kind: 'select', options: ['=x'] })
  t.equal(formula.cell, "'=x")
  t.ok(isSampleCell(formula.sample, formula.cell))
  t.ok(isSampleCell(formula.sample, '=x'))
  t.notOk(isSampleCell(formula.sample, 'x'))
})
