// How the text of a cell becomes a typed value, by kind of field. Pure.
// In: one trimmed, non-blank text in NFC. Out: the value in its normal form, or undefined when the
// text is not of that kind. Compiled once per column by plan.ts, then called for every cell.
// Source of the forms: domain rules section 10.2.

import type { Args, RowProblemCode } from '../../errors.ts'
import type { Field, FieldKind, Json, TextFormat } from '../../record-types/types.ts'
import { readEmail, readHost, readIp, readMac, readUrl } from './cell-kinds/addresses.ts'
import { readJson } from './cell-kinds/json.ts'
import { phoneReader } from './cell-kinds/phones.ts'
import { readDate, readDatetime, readShortDate } from './cell-kinds/times.ts'

/** Reads the cells of one field. */
export interface CellReader {
  /** The value in its normal form; undefined when the text cannot be one. */
  read(text: string): Json | undefined
  /** What is wrong with a text that could not be read. */
  problem(text: string): { code: RowProblemCode; args?: Args }
}

/** What an import says about all cells. `default_country`: ISO 3166 code, or null. */
export interface CellSettings {
  default_country: string | null
}

/** The reader of a field's cells. How long a value may be is for the caller to check. */
export function cellReader(field: Field, settings: CellSettings): CellReader {
  if (field.kind === 'select') return selectReader(field)
  if (field.format) return formatReader(field.kind, field.format)
  if (field.kind === 'phone') {
    return { read: phoneReader(field.strict === true, settings.default_country), problem: badPhone }
  }
  if (field.kind === 'date' && field.short_dates) {
    return { read: readShortDate, problem: kindReaders.date.problem }
  }
  return kindReaders[field.kind]
}

const badPhone = () => ({ code: 'invalid_phone' }) as const

/** One of the options, to the letter. A label in place of its option is told what to write. */
function selectReader(field: Field): CellReader {
  const options = new Set(field.options)
  const tags = new Map<string, string>()
  for (const [option, label] of Object.entries(field.option_labels ?? {})) {
    tags.set(label.toLowerCase(), option)
  }
  const list = [...options].join(', ')
  return {
    read: (text) => (options.has(text) ? text : undefined),
    problem(text) {
      const tag = tags.get(text.toLowerCase())
      if (tag !== undefined) return { code: 'label_instead_of_tag', args: { tag } }
      return { code: 'invalid_enum', args: { options: list } }
    }
  }
}

const hex24Pattern = /^[0-9a-f]{24}$/i
const base32Pattern = /^[A-Z2-7]{8,}={0,6}$/

const formats: Record<
  TextFormat,
  { expected: string; normalise(text: string): string | undefined }
> = {
  hex24: {
    expected: '24 hexadecimal digits',
    normalise: (text) => (hex24Pattern.test(text) ? text.toLowerCase() : undefined)
  },
  // Apps show such secrets in groups of four and in lower case.
  base32: {
    expected: 'letters A to Z and digits 2 to 7 (base32)',
    normalise(text) {
      const bare = text.replace(/[ -]/g, '').toUpperCase()
      return base32Pattern.test(bare) ? bare.replace(/=/g, '') : undefined
    }
  }
}

/** A text with a form of its own. A secret has to have it too, but is kept as it was typed. */
function formatReader(kind: FieldKind, format: TextFormat): CellReader {
  const { expected, normalise } = formats[format]
  const asTyped = kind === 'password'
  return {
    read(text) {
      const value = normalise(text)
      return asTyped && value !== undefined ? text : value
    },
    problem: () => ({ code: 'invalid_format', args: { expected } })
  }
}

const booleans = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false]
])

function readBoolean(text: string): boolean | undefined {
  return booleans.get(text) ?? booleans.get(text.toLowerCase())
}

// Every pattern is linear: no nested repetition, so no text can make it slow.
const integerPattern = /^[+-]?[0-9]{1,15}$/
const numberPattern = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/

// Adding 0 makes 0 of -0, which JSON does not know.
function readInteger(text: string): number | undefined {
  return integerPattern.test(text) ? Number(text) + 0 : undefined
}

function readNumber(text: string): number | undefined {
  const value = numberPattern.test(text) ? Number(text) + 0 : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

/** `50%`, `50 %` and `50` are all 50. */
function readPercent(text: string): number | undefined {
  return readNumber(text.endsWith('%') ? text.slice(0, -1).trimEnd() : text)
}

function readLine(text: string): string | undefined {
  return text.includes('\n') || text.includes('\r') ? undefined : text
}

function reader(code: RowProblemCode, read: (text: string) => Json | undefined): CellReader {
  const problem = { code }
  return { read, problem: () => problem }
}

/** What kinds alone say: a select takes any line here, for its options are the field's. */
const kindReaders: Record<FieldKind, CellReader> = {
  text: reader('line_break', readLine),
  textbox: reader('line_break', (text) => text),
  boolean: reader('invalid_boolean', readBoolean),
  integer: reader('invalid_number', readInteger),
  number: reader('invalid_number', readNumber),
  percent: reader('invalid_percent', readPercent),
  date: reader('invalid_date', readDate),
  datetime: reader('invalid_datetime', readDatetime),
  email: reader('invalid_email', readEmail),
  phone: reader('invalid_phone', phoneReader(false, null)),
  url: reader('invalid_url', readUrl),
  host: reader('invalid_host', readHost),
  ip: reader('invalid_ip', readIp),
  mac: reader('invalid_mac', readMac),
  select: reader('invalid_enum', readLine),
  // A secret is kept to the letter.
  password: reader('line_break', readLine),
  // The text names a record; match/ looks it up.
  reference: reader('line_break', readLine),
  json: reader('invalid_json', readJson)
}
