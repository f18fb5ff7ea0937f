// The options of an upload: text (form fields, query parameters) -> typed choices. Pure.
// An option is read as soon as it arrives, so that a wrong one is refused before the file; whether
// the fields it names are there is asked later (check-choices.ts), when the record type is known.

import { maxAddresses, readAddresses } from '../../email-address.ts'
import { appError } from '../../errors.ts'
import { readWebhookSecret } from '../../platform/webhook-signature.ts'
import { shownNames, type TypeCatalogue } from '../../record-types/registry.ts'
import {
  blankPolicies,
  onMissingPolicies,
  type RecordType,
  updatePolicies
} from '../../record-types/types.ts'
import type { ImportOptions } from '../resolve/import-options.ts'
import { modes, pushPolicies, repeatPolicies, similarPolicies } from '../terms.ts'

/** What can be said of an import besides its file; what is absent was not said. */
export interface Choices extends Partial<Omit<ImportOptions, 'organization_id'>> {
  /** Id or exact name of the one organization of the file; null: from a column. */
  organization?: string | number | null
  /** Header -> field or null (ignore); other columns are mapped as suggested. */
  mapping?: Record<string, string | null>
  /** One ASCII character; absent: detected. */
  delimiter?: string
  /** What the file is written in; absent: UTF-8, or UTF-16 with a byte order mark. */
  encoding?: string
  /** Address that is told of this import alone. */
  callback_url?: string
}

/** What an upload can say. */
export interface UploadOptions extends Choices {
  type?: RecordType
  /** Name of the import profile whose choices apply where the upload says nothing. */
  profile?: string
  /** false: the import stays a draft. */
  start?: boolean
  /** What is sent to `callback_url` is signed with it; absent: with one that is made for it. */
  callback_secret?: string
}

type Reader<T> = (name: string, text: string, types: TypeCatalogue) => T

const readers: { [K in keyof Required<UploadOptions>]: Reader<UploadOptions[K]> } = {
  type: (_, text, types) => readType(types, text),
  profile: (_, text) => text,
  mode: oneOf(modes),
  dry_run: readBoolean,
  allow_partial: readBoolean,
  organization: (_, text) => text,
  mapping: readMapping,
  delimiter: readDelimiter,
  encoding: readEncoding,
  blank: oneOf(blankPolicies),
  clear_marker: readMarker,
  repeats: oneOf(repeatPolicies),
  similar: oneOf(similarPolicies),
  update: byField(updatePolicies),
  separators: byField(null),
  on_missing: byField(onMissingPolicies),
  default_country: readCountry,
  require_external_id: readBoolean,
  notify_emails: (name, text) => readEmails(name, text === 'none' ? [] : text.split(',')),
  push: oneOf(pushPolicies),
  start: readBoolean,
  callback_url: (_, text) => text,
  callback_secret: readSecret
}

/** Names of all options, for messages. */
export const optionNames = Object.keys(readers)

/** Puts one option, given as text, into `options`. A blank one (as HTML forms send) counts as not
 *  given. Throws unknown_option, invalid_option, unknown_record_type. */
export function readOption(
  options: UploadOptions,
  types: TypeCatalogue,
  name: string,
  text: string
): void {
  if (!Object.hasOwn(readers, name)) {
    throw appError('unknown_option', { option: shorten(name), known: optionNames.join(', ') })
  }
  if (text === '') return
  const value = readers[name as keyof UploadOptions](name, text, types)
  Object.assign(options, { [name]: value })
}

/** The record type of that name. Throws unknown_record_type. */
export function readType(types: TypeCatalogue, name: string): RecordType {
  const type = types.get(name)
  if (type) return type
  throw appError('unknown_record_type', { type: shorten(name), known: shownNames(types) })
}

/** The record type of a complete upload. Throws invalid_option when it names none. */
export function requireType(options: UploadOptions, types: TypeCatalogue): RecordType {
  if (options.type) return options.type
  throw optionFault('type', `It is required; give one of: ${shownNames(types)}.`)
}

/** The error for an option whose value makes no sense; the value is cut before it is repeated. */
export function invalidOption(option: string, value: string, expected: string, details?: unknown) {
  const said = ` is "${shorten(value)}".`
  return appError('invalid_option', { option: shorten(option), said, expected }, { details })
}

/** The same where it is not the value that is wrong. */
export function optionFault(option: string, fault: string) {
  return appError('invalid_option', { option: shorten(option), said: ':', expected: fault })
}

function oneOf<T extends string>(values: readonly T[]): Reader<T> {
  return (name, text) => {
    const value = values.find((one) => one === text)
    if (value) return value
    throw invalidOption(name, text, `Give one of: ${values.join(', ')}.`)
  }
}

function readBoolean(name: string, text: string): boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  throw invalidOption(name, text, 'Give true or false.')
}

function readMapping(name: string, text: string): Record<string, string | null> {
  const value = readObject(text)
  if (value && Object.values(value).every((one) => one === null || typeof one === 'string')) {
    return value as Record<string, string | null>
  }
  const expected = 'Give a JSON object: header to field name, or to null to ignore the column.'
  throw invalidOption(name, text, expected)
}

/** A JSON object: field to one of `values` (null: to any text). */
function byField<T extends string>(values: readonly T[] | null): Reader<Record<string, T>> {
  return (name, text) => {
    const value = readObject(text)
    const isGood = (one: unknown) =>
      typeof one === 'string' && (values === null || values.includes(one as T))
    if (value && Object.values(value).every(isGood)) return value as Record<string, T>
    const wanted = values ? `one of ${values.join(', ')}` : 'a text'
    throw invalidOption(name, text, `Give a JSON object: field name to ${wanted}.`)
  }
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : null
  } catch {
    // Not JSON: the caller says what was expected.
    return null
  }
}

function readDelimiter(name: string, text: string): string {
  const char = text === 'tab' || text === '\\t' ? '\t' : text
  // Letters, digits and quotes stand inside cells; line ends end rows.
  if (/^[\t !#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]$/.test(char)) return char
  throw invalidOption(name, text, 'Give one ASCII character such as , ; or | (tab: "tab").')
}

/** The usual name of an encoding (`windows-1252` for `latin1`). Throws invalid_option. */
export function readEncoding(name: string, text: string): string {
  try {
    return new TextDecoder(text, { fatal: true }).encoding
  } catch {
    const expected = 'Give the name of an encoding, such as utf-8, windows-1252 or shift_jis.'
    throw invalidOption(name, text, expected)
  }
}

function readMarker(name: string, text: string): string | null {
  if (text === 'none') return null
  const marker = text.trim()
  if (marker !== '' && marker.length <= 100) return marker
  throw invalidOption(name, text, 'Give a text of at most 100 characters, or none.')
}

/** The same options from JSON, where form and query say them as text: `none` and country codes mean
 *  what they mean there. Throws invalid_option. */
export function readJsonChoices(said: Choices): Choices {
  const choices = { ...said }
  if (typeof choices.clear_marker === 'string') {
    choices.clear_marker = readMarker('clear_marker', choices.clear_marker)
  }
  if (typeof choices.default_country === 'string') {
    choices.default_country = readCountry('default_country', choices.default_country)
  }
  if (choices.notify_emails) {
    choices.notify_emails = readEmails('notify_emails', choices.notify_emails)
  }
  return choices
}

function readSecret(name: string, text: string): string {
  if (readWebhookSecret(text)) return text
  // What is meant to be one may be most of one: it is not repeated.
  throw optionFault(name, 'It is whsec_ and 24 to 64 bytes in base64.')
}

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
// Known to the list of regions, and no country.
const noCountries = new Set(['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ'])

/** The ISO 3166-1 code in capitals. Throws invalid_option. */
export function readCountry(name: string, text: string): string {
  const code = text.toUpperCase()
  if (/^[A-Z]{2}$/.test(code) && !noCountries.has(code) && regions.of(code)) return code
  throw invalidOption(name, text, 'Give the two letters of a country (ISO 3166-1), such as DE.')
}

function readEmails(name: string, texts: string[]): string[] {
  const { addresses, wrong } = readAddresses(texts.filter((text) => text.trim() !== ''))
  if (wrong[0] !== undefined) {
    throw invalidOption(name, wrong[0], 'Give e-mail addresses such as name@example.com.')
  }
  if (addresses.length <= maxAddresses) return addresses
  throw optionFault(name, `At most ${maxAddresses} addresses can be given.`)
}

const shorten = (text: string) =>
  text.length > 100 ? `${text.slice(0, 99).toWellFormed()}…` : text
