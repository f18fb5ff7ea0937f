// cells -> typed values. Pure: no database, no clock.
// In: a RawRow and the plan. Out: a ResolvedRow with all its problems at once. Called for every
// row of every import, and by the preview: the hottest code of the flow besides the parser.

import { type Args, type RowProblemCode, rowProblem } from '../../errors.ts'
import { externalIdField } from '../../record-types/external-ids.ts'
import { isSampleCell } from '../../record-types/template.ts'
import type { Json, RecordData } from '../../record-types/types.ts'
import type { Problem, RawRow } from '../terms.ts'
import { endHash, type HashState, hashText, startHash } from './hash-cells.ts'
import type { ImportPlan, PlanColumn } from './plan.ts'

export interface ResolvedRow {
  raw: RawRow
  /** The id cell; null when blank or not mapped. */
  id: number | null
  /** Typed values of the filled cells by field; null: to be cleared. References still as the text of
   *  the cell, secrets in the clear. */
  values: RecordData
  /** Errors and warnings; null when there are none. */
  problems: Problem[] | null
  /** Whether one of the problems is an error. */
  rejected: boolean
  /** Required columns whose cell is blank: a fault unless the record exists; null: none. */
  missing: PlanColumn[] | null
  /** It is the sample row of the type's template. */
  isSample: boolean
  /** It names a record that a later row of the file may make. */
  waits: boolean
  /** Hash of the mapped cells and the plan; references are mixed in when they are resolved. */
  hash: number
}

const state: HashState = { a: 0, b: 0 }
const nonAscii = /[^\t-~]/
// How our own export writes a value that says what clears a cell; and cells with a JSON list.
const quotedMarker = /^'+__CLEAR__$/
const listStart = /^\["/
const formulaStart = /^'+[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/
// A formula, but not a number or a phone number with a sign in front; or a script.
const executable = /^[=@]|^[+-](?![\d\s.,()/-]*$)|<script|javascript:|<[^>]{0,200}\son[a-z]{3,20}=/i

/** Resolves one row. A blank cell means what the plan says of its column; where it means nothing,
 *  the field is left out. */
export function resolveRow(plan: ImportPlan, raw: RawRow): ResolvedRow {
  const row: ResolvedRow = {
    raw,
    id: null,
    values: {},
    problems: raw.problems,
    rejected: raw.problems !== null,
    missing: null,
    isSample: false,
    waits: false,
    hash: 0
  }
  if (raw.problems !== null) return row
  const { columns } = plan
  startHash(state, plan.seed)
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as PlanColumn
    const text = cleanCell(plan, column, row)
    hashText(state, column.sensitive && text !== '' ? plan.secrets.digest(text) : text)
    if (text === '') {
      leaveBlank(column, row)
      continue
    }
    if (text === plan.options.clear_marker) {
      clear(column, row)
      continue
    }
    const cell = plan.unescapeFormulas && quotedMarker.test(text) ? text.slice(1) : text
    const value =
      column.separator === null
        ? readOne(column, cell, row)
        : readMany(column, partsOf(cell, column.separator), row, plan.options.clear_marker)
    if (value !== undefined) row.values[column.field.name] = value
  }
  if (plan.idIndex >= 0) readId(plan, row)
  row.hash = endHash(state)
  if (plan.needsExternalId && row.id === null && !hasExternalId(plan, row)) {
    reject(row, rowProblem('external_id_missing', { field: 'external_id' }))
  }
  row.isSample = plan.maySample && isSample(plan, row)
  return row
}

/** Whether a row has an external id, ours or that of another system. */
function hasExternalId({ systems }: ImportPlan, { values }: ResolvedRow): boolean {
  const isFilled = (name: string) => typeof values[name] === 'string'
  return isFilled('external_id') || systems.some((one) => isFilled(externalIdField(one)))
}

/** Trims, brings letters to NFC, takes off our own formula quote. Passwords stay as they are. */
function cleanCell(plan: ImportPlan, column: PlanColumn, row: ResolvedRow): string {
  let text = row.raw.cells[column.index] ?? ''
  if (plan.unescapeFormulas) text = unescapeFormula(text)
  const trimmed = text.trim()
  if (column.field.kind === 'password' && trimmed !== '') return text
  text = trimmed
  if (nonAscii.test(text)) {
    text = text.normalize('NFC')
    if (text.includes('\ufffd')) {
      warn(row, problemAt(column, text, 'replacement_character'))
    }
  }
  return text
}

/** Takes the quote off again that our own CSV puts in front of what looks like a formula. */
export function unescapeFormula(text: string): string {
  return formulaStart.test(text) ? text.slice(1) : text
}

/** A problem of one cell; the value of a secret is never in it. */
function problemAt(column: PlanColumn, text: string, code: RowProblemCode, args?: Args): Problem {
  const place = { column: column.header, field: column.field.name }
  if (column.sensitive) return rowProblem(code, { ...place, args: { value: '***', ...args } })
  return rowProblem(code, { ...place, value: text, ...(args && { args }) })
}

/** A blank cell: what it means is the plan's business. */
function leaveBlank(column: PlanColumn, row: ResolvedRow): void {
  if (column.required) row.missing = [...(row.missing ?? []), column]
  else if (column.blank !== undefined) row.values[column.field.name] = column.blank
}

function clear(column: PlanColumn, row: ResolvedRow): void {
  if (column.required) reject(row, problemAt(column, '', 'required_cleared'))
  else row.values[column.field.name] = null
}

function readOne(column: PlanColumn, text: string, row: ResolvedRow): Json | undefined {
  const { field, reader } = column
  const value = reader.read(text)
  if (value === undefined) {
    const { code, args } = reader.problem(text)
    reject(row, problemAt(column, text, code, args))
  } else if (field.max_length !== undefined && text.length > field.max_length) {
    const args = { found: text.length, limit: field.max_length }
    reject(row, problemAt(column, text, 'value_too_long', args))
    return undefined
  } else if (column.plainTextOnly && executable.test(text)) {
    reject(row, problemAt(column, text, 'executable_content'))
  }
  return value
}

/** The values of a cell: between its separators, or those of a JSON list of texts, which may hold the
 *  separator. */
function partsOf(text: string, separator: string): string[] {
  if (listStart.test(text)) {
    try {
      const list: unknown = JSON.parse(text)
      if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
    } catch {
      // Only looks like one.
    }
  }
  return text.includes(separator) ? text.split(separator) : [text]
}

/** Blanks and repeats are dropped. The order of the cell is kept, unless the field has one of its
 *  own. */
function readMany(
  column: PlanColumn,
  parts: string[],
  row: ResolvedRow,
  marker: string | null
): Json[] | undefined {
  const values: Json[] = []
  let isBlank = true
  for (const part of parts) {
    const one = part.trim()
    if (one === '') continue
    isBlank = false
    if (one === marker && parts.length > 1) {
      reject(row, problemAt(column, one, 'clear_marker_in_list'))
      continue
    }
    const value = readOne(column, one, row)
    if (value !== undefined && !values.some((other) => isSameValue(column, other, value))) {
      values.push(value)
    }
  }
  if (column.field.many?.sorted) values.sort(byAlphabet)
  if (isBlank) leaveBlank(column, row)
  return values.length === 0 ? undefined : values
}

/** Whether two values of a cell are one; e-mail addresses are the same in any case. */
function isSameValue({ field }: PlanColumn, a: Json, b: Json): boolean {
  if (a === b) return true
  const isEmail = field.kind === 'email' && typeof a === 'string' && typeof b === 'string'
  return isEmail && a.toLowerCase() === b.toLowerCase()
}

/** The order of an alphabet, the same on every machine. */
export function byAlphabet(a: Json, b: Json): number {
  const [left, right] = [String(a), String(b)]
  return left.localeCompare(right, 'en') || (left < right ? -1 : 1)
}

function readId(plan: ImportPlan, row: ResolvedRow): void {
  const text = (row.raw.cells[plan.idIndex] ?? '').trim()
  hashText(state, text)
  if (text === '') return
  if (/^[1-9][0-9]{0,14}$/.test(text)) row.id = Number(text)
  else reject(row, rowProblem('invalid_id', { column: plan.idHeader, field: 'id', value: text }))
}

/** Whether every cell is that of the template's sample row. */
function isSample({ columns }: ImportPlan, { raw }: ResolvedRow): boolean {
  for (let i = 0; i < columns.length; i++) {
    const { index, sample } = columns[i] as PlanColumn
    if (!isSampleCell(sample, (raw.cells[index] ?? '').trim())) return false
  }
  return columns.length > 0
}

/** Adds an error. */
export function reject(row: ResolvedRow, problem: Problem): void {
  warn(row, problem)
  row.rejected = true
}

/** Adds a problem that is no reason to reject the row. */
export function warn(row: ResolvedRow, problem: Problem): void {
  row.problems = row.problems === null ? [problem] : [...row.problems, problem]
}

/** What the blank required cells of a row are: faults, where it makes a new record. */
export function missingProblems(row: ResolvedRow): Problem[] {
  return (row.missing ?? []).map((column) => problemAt(column, '', 'required_missing'))
}
