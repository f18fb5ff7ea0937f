// Random rows for any record type: cells as people write them, and as no one would.

import fc from 'fast-check'
import type { Field, RecordType } from '../../src/record-types/types.ts'

// What has gone wrong in other importers: formulas, ids that are names, quotes, separators.
const oddTexts = [
  '=1+1',
  '-5',
  '+49 30 1234567',
  "'quoted",
  "O'Brien",
  '2024',
  'id:5',
  'a, b; c',
  'a|b',
  'say "yes"',
  '<b>',
  'Zoë Ünal',
  'null',
  'N/A',
  '@here',
  'e\u0301',
  'trailing.',
  '0042'
]

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ]{0,12}[A-Za-z0-9]$/)
const text = fc.oneof(word, fc.constantFrom(...oddTexts))
const number = fc.integer({ min: -99_999, max: 99_999 })
const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((one) => /[a-f]/.test(one))
const host = fc.stringMatching(/^[a-z]{3,8}$/).map((name) => `${name}.example`)
const date = fc
  .integer({ min: 0, max: 20_000 })
  .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))

/** One value of a field, as the text of a cell. `names`: what its references can name. */
function value(field: Field, names: string[]): fc.Arbitrary<string> {
  if (field.format === 'hex24') return hex(24)
  if (field.format === 'base32') return fc.constantFrom('JBSWY3DPEHPK3PXP', 'GEZDGNBVGY3TQOJQ')
  switch (field.kind) {
    case 'reference':
      return fc.constantFrom('', ...names)
    case 'boolean':
      return fc.constantFrom('true', 'False', 'Yes', 'no', '1', '0')
    case 'integer':
      return number.map(String)
    case 'number':
      return number.map((one) => String(one / 8))
    case 'percent':
      return fc.integer({ min: 0, max: 100 }).map((one) => `${one}%`)
    case 'date':
      return date
    case 'datetime':
      return date.map((day) => `${day}T09:30:00+02:00`)
    case 'email':
      return fc.stringMatching(/^[a-zA-Z]{3,8}$/).map((name) => `${name}@Example.com`)
    case 'phone':
      return fc.integer({ min: 1_000_000, max: 9_999_999 }).map((one) => `+49 (30) ${one}`)
    case 'url':
      return host.map((name) => `https://${name}/a?b=c`)
    case 'host':
      return host
    case 'ip':
      return fc.constantFrom('192.0.2.7', '2001:DB8::1', '10.0.0.1')
    case 'mac':
      return hex(12)
    case 'select':
      return fc.constantFrom(...(field.options ?? []))
    case 'json':
      return fc.constantFrom('[{"name": "eth0"}]', '"text"', '7', '{"a":[1,"x"]}', 'false')
    case 'textbox':
      return fc.oneof(
        text,
        word.map((one) => `${one}\n\n"quoted", ${one}`)
      )
    default:
      return text
  }
}

/** A cell: blank now and then, several values where the field takes them. */
function cell(field: Field, names: string[]): fc.Arbitrary<string> {
  const one = value(field, names)
  const { many } = field
  const filled = many
    ? fc
        .uniqueArray(
          one.filter((text) => !text.includes(many.separator)),
          { minLength: 1, maxLength: 3 }
        )
        .map((texts) => texts.filter((text) => text !== '').join(many.separator))
    : one
  return field.required ? filled : fc.oneof(filled, filled, fc.constant(''))
}

/** Rows of a type, one cell for each of its fields; `names` by field. */
export function rowsOf(type: RecordType, names: Map<string, string[]>): fc.Arbitrary<string[][]> {
  const cells = type.fields.map((field) => cell(field, names.get(field.name) ?? []))
  return fc.array(fc.tuple(...cells), { minLength: 4, maxLength: 7 })
}
