// The template of a type: a file with its headers and one sample row, and the same explained. Pure.
// Called by routes.ts; import/ asks for the sample row to recognise one that was left in a file.

import { csvLine, escapeFormula } from '../platform/csv-text.ts'
import type { TemplateJson } from './schemas.ts'
import type { Field, FieldKind, RecordType, TextFormat } from './types.ts'

/** One cell of the sample row. */
export interface SampleCell {
  field: string
  /** Header of its column. */
  label: string
  /** Text as people write it. In template.csv a cell that begins like a formula (an option of the
   *  account may) has a quote in front, see `isSampleCell`. */
  cell: string
}

/** The sample row of a type: one cell for each field, without our own id. */
export function sampleRow(type: RecordType): SampleCell[] {
  return type.fields.map((field) => ({
    field: field.name,
    label: field.label,
    cell: sampleCell(field)
  }))
}

/** Whether a cell of a file is the sample, as written here or as it is in template.csv. */
export function isSampleCell(sample: SampleCell, cell: string): boolean {
  return cell === sample.cell || cell === escapeFormula(sample.cell)
}

/** The template as CSV: the header and the sample row. */
export function templateCsv(type: RecordType): string {
  const row = sampleRow(type)
  return `${csvLine(row.map((one) => one.label))}${row.map(csvCell).join(',')}\r\n`
}

// Digits alone are no formula, and a quote in front of a sample would be copied into real rows.
const phoneNumber = /^\+[0-9 ]+$/

const csvCell = ({ cell }: SampleCell) =>
  phoneNumber.test(cell) ? cell : csvLine([cell]).slice(0, -'\r\n'.length)

/** The template explained, column by column. */
export function templateJson(type: RecordType): TemplateJson {
  const columns = type.fields.map((field) => ({
    header: field.label,
    field: field.name,
    required: field.required,
    kind: field.kind,
    description: field.description,
    hint: field.hint ?? null,
    options: field.options ?? null,
    separator: field.many?.separator ?? null,
    example: sampleCell(field)
  }))
  return { type: type.name, columns }
}

// Addresses and numbers that are set aside for examples: they belong to nobody.
const samples: Partial<Record<FieldKind, string>> = {
  boolean: 'true',
  integer: '1',
  number: '1.5',
  percent: '50%',
  date: '2026-01-31',
  datetime: '2026-01-31T09:30:00Z',
  email: 'sample@example.com',
  phone: '202-555-0123',
  url: 'https://example.com/sample',
  host: 'sample.example.com',
  ip: '192.0.2.10',
  mac: '00:00:5E:00:53:01',
  json: '[]'
}
/** Whether a separator stands inside the values of a kind, so that no cell could hold one. */
export function splitsValues(kind: string, separator: string): boolean {
  return samples[kind as FieldKind]?.includes(separator) === true
}

const strictPhone = '+1 202 555 0123'
const formats: Record<TextFormat, string> = {
  hex24: '000000000000000000000000',
  base32: 'JBSWY3DPEHPK3PXP'
}

function sampleCell(field: Field): string {
  const { sample, kind, label, options, format, max_length } = field
  if (sample !== undefined) return sample
  // Left blank, it is made up for each record.
  if (field.generated) return ''
  if (options) return options[0] ?? ''
  if (format) return formats[format]
  const text = kind === 'phone' && field.strict ? strictPhone : samples[kind]
  const separator = field.many?.separator
  const own = `Sample ${separator ? label.replaceAll(separator, ' ') : label}`
  return [...(text ?? own)].slice(0, max_length).join('')
}
