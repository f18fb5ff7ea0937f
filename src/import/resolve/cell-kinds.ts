// How the text of a cell becomes a typed value, by kind of field. Pure.
// In: one trimmed, non-blank text in NFC. Out: the value in its normal form, or undefined when the
// text is not of that kind. Source of the forms: domain rules section 10.2.

import type { RowProblemCode } from '../../errors.ts'
import type { FieldKind, Json } from '../../record-types/types.ts'

export interface CellKind {
  /** The problem that a text not of this kind gets. */
  fault: RowProblemCode
  read(text: string): Json | undefined
}

// Every pattern is linear: no nested repetition, so no text can make it slow.
const emailPattern =
  /^[^\s@"<>(),:;[\]\\]{1,64}@[a-z0-9\u00a1-\uffff-]+(?:\.[a-z0-9\u00a1-\uffff-]+)+$/i
const phonePattern = /^\+?[0-9 ()./-]{2,40}(?: ?(?:x|ext\.?|#) ?[0-9]{1,8})?$/i
const hostPattern = /^[a-z0-9\u00a1-\uffff_-]+(?:\.[a-z0-9\u00a1-\uffff_-]+)+$/i
const integerPattern = /^[+-]?[0-9]{1,15}$/
const numberPattern = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/
const datePattern = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/
const datetimePattern =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$/i

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

function readPhone(text: string): string | undefined {
  if (!phonePattern.test(text)) return undefined
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 48 && code <= 57) digits++
  }
  return digits >= 3 && digits <= 25 ? text : undefined
}

function readUrl(text: string): string | undefined {
  if (!/^https?:\/\/\S+$/i.test(text) || !URL.canParse(text)) return undefined
  return text
}

/** Host names lose scheme, path, `www.` and a closing dot, and are lower-case. */
function readHost(text: string): string | undefined {
  const host = text
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/[/?#].*$/s, '')
    .replace(/^www\./i, '')
    .replace(/\.$/, '')
    .toLowerCase()
  return host.length <= 253 && hostPattern.test(host) ? host : undefined
}

function readInteger(text: string): number | undefined {
  return integerPattern.test(text) ? Number(text) : undefined
}

function readNumber(text: string): number | undefined {
  const value = numberPattern.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

function readDate(text: string): string | undefined {
  const parts = datePattern.exec(text)
  if (!parts) return undefined
  const date = new Date(`${text}T00:00:00Z`)
  // The constructor rolls 2026-02-30 over to March: a date of the calendar reads back the same.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : undefined
}

/** ISO 8601; without a zone it means UTC. Stored in UTC with milliseconds. */
function readDatetime(text: string): string | undefined {
  const parts = datetimePattern.exec(text)
  if (!parts || readDate(text.slice(0, 10)) === undefined) return undefined
  const date = new Date(parts[1] ? text.replace(' ', 'T') : `${text.replace(' ', 'T')}Z`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

function readLine(text: string): string | undefined {
  return /[\r\n]/.test(text) ? undefined : text
}

export const cellKinds: Record<FieldKind, CellKind> = {
  text: { fault: 'line_break', read: readLine },
  textbox: { fault: 'line_break', read: (text) => text },
  boolean: { fault: 'invalid_boolean', read: readBoolean },
  integer: { fault: 'invalid_number', read: readInteger },
  number: { fault: 'invalid_number', read: readNumber },
  date: { fault: 'invalid_date', read: readDate },
  datetime: { fault: 'invalid_datetime', read: readDatetime },
  email: {
    fault: 'invalid_email',
    read: (text) => (text.length <= 254 && emailPattern.test(text) ? text : undefined)
  },
  phone: { fault: 'invalid_phone', read: readPhone },
  url: { fault: 'invalid_url', read: readUrl },
  host: { fault: 'invalid_host', read: readHost },
  // The options differ by field: the plan checks them.
  select: { fault: 'invalid_enum', read: readLine },
  // The text names a record; match/ looks it up.
  reference: { fault: 'line_break', read: readLine }
}
