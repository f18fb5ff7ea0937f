// The options of an upload: form fields (text) -> typed choices, each with its default. Pure.
// An option is read as soon as its field arrives, so that a wrong one is refused before the file.

import { appError } from '../../errors.ts'
import { getRecordType, recordTypeNames } from '../../record-types/registry.ts'
import type { RecordType } from '../../record-types/types.ts'
import { type Mode, modes } from '../terms.ts'

/** What the form said, with defaults for what it did not say. */
export interface UploadOptions {
  /** Null: not said (yet). */
  type: RecordType | null
  mode: Mode
  allow_partial: boolean
  /** Id or exact name of the one organization of the file; null: from a column. */
  organization: string | null
  /** Header -> field or null (ignore); null: as suggested. */
  mapping: Record<string, string | null> | null
  /** One ASCII character; null: detected. */
  delimiter: string | null
  /** Whether the import is queued at once; otherwise it stays a draft. */
  start: boolean
}

/** The choices of a form that says nothing. */
export function defaultOptions(): UploadOptions {
  return {
    type: null,
    mode: 'create_and_update',
    allow_partial: true,
    organization: null,
    mapping: null,
    delimiter: null,
    start: true
  }
}

const readers: Record<keyof UploadOptions, (options: UploadOptions, text: string) => void> = {
  type(options, text) {
    options.type = readType(text)
  },
  mode(options, text) {
    const mode = modes.find((one) => one === text)
    if (!mode) throw invalid('mode', text, `Give one of: ${modes.join(', ')}.`)
    options.mode = mode
  },
  allow_partial(options, text) {
    options.allow_partial = readBoolean('allow_partial', text)
  },
  organization(options, text) {
    options.organization = text
  },
  mapping(options, text) {
    options.mapping = readMapping(text)
  },
  delimiter(options, text) {
    options.delimiter = readDelimiter(text)
  },
  start(options, text) {
    options.start = readBoolean('start', text)
  }
}

/** Names of all options, for messages. */
export const optionNames = Object.keys(readers)

/** Puts one form field into `options`. A blank one (as HTML forms send) counts as not given.
 *  Throws unknown_option, invalid_option, unknown_record_type. */
export function readOption(options: UploadOptions, name: string, text: string): void {
  if (!Object.hasOwn(readers, name)) {
    throw appError('unknown_option', { option: shorten(name), known: optionNames.join(', ') })
  }
  if (text !== '') readers[name as keyof UploadOptions](options, text)
}

function readType(text: string): RecordType {
  const type = getRecordType(text)
  if (type) return type
  throw appError('unknown_record_type', {
    type: shorten(text),
    known: recordTypeNames().join(', ')
  })
}

/** The record type of a complete form. Throws invalid_option when it names none. */
export function requireType(options: UploadOptions): RecordType {
  if (options.type) return options.type
  throw invalid('type', '', `It is required; give one of: ${recordTypeNames().join(', ')}.`)
}

function readBoolean(name: string, text: string): boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  throw invalid(name, text, 'Give true or false.')
}

function readMapping(text: string): Record<string, string | null> {
  const expected = 'Give a JSON object: header to field name, or to null to ignore the column.'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('mapping', text, expected)
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const fields = isObject ? Object.values(value as object) : []
  const good = isObject && fields.every((field) => field === null || typeof field === 'string')
  if (!good) throw invalid('mapping', text, expected)
  return value as Record<string, string | null>
}

function readDelimiter(text: string): string {
  const char = text === 'tab' || text === '\\t' ? '\t' : text
  // Letters, digits and quotes stand inside cells; line ends end rows.
  if (/^[\t !#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]$/.test(char)) return char
  throw invalid('delimiter', text, 'Give one ASCII character such as , ; or | (tab: "tab").')
}

function invalid(option: string, value: string, expected: string) {
  return appError('invalid_option', { option, value: shorten(value), expected })
}

const shorten = (text: string) =>
  text.length > 100 ? `${text.slice(0, 99).toWellFormed()}…` : text
