// cells -> typed values. Pure: no database, no clock.
// In: a RawRow and the plan. Out: a ResolvedRow with all its problems at once. Called for every
// row of every import, and by the preview: the hottest code of the flow besides the parser.

import { rowProblem } from '../../errors.ts'
import type { Json, RecordData } from '../../record-types/types.ts'
import type { Problem, RawRow } from '../terms.ts'
import { endHash, type HashState, hashText, startHash } from './hash-cells.ts'
import type { ImportPlan, PlanColumn } from './plan.ts'

export interface ResolvedRow {
  raw: RawRow
  /** The id cell; null when blank or not mapped. */
  id: number | null
  /** Typed values of the filled cells by field; references still as the text of the cell. */
  values: RecordData
  /** Errors and warnings; null when there are none. */
  problems: Problem[] | null
  /** Whether one of the problems is an error. */
  rejected: boolean
  /** Hash of the mapped cells and the plan; references are mixed in when they are resolved. */
  hash: number
}

const state: HashState = { a: 0, b: 0 }
const nonAscii = /[^\t-~]/
const formulaStart = /^'+[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

/** Resolves one row. Blank cells are left out: they neither change nor clear anything. */
export function resolveRow(plan: ImportPlan, raw: RawRow): ResolvedRow {
  const row: ResolvedRow = {
    raw,
    id: null,
    values: {},
    problems: raw.problems,
    rejected: raw.problems !== null,
    hash: 0
  }
  if (raw.problems !== null) return row
  const { columns } = plan
  startHash(state, plan.seed)
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as PlanColumn
    const text = cleanCell(plan, column, row)
    hashText(state, text)
    if (text === '') {
      if (column.required) reject(row, requiredMissing(column))
      continue
    }
    const value = column.field.many
      ? readMany(column, column.field.many.separator, text, row)
      : readOne(column, text, row)
    if (value !== undefined) row.values[column.field.name] = value
  }
  if (plan.idIndex >= 0) readId(plan, row)
  row.hash = endHash(state)
  return row
}

/** Trims, brings letters to NFC, takes off our own formula quote. */
function cleanCell(plan: ImportPlan, column: PlanColumn, row: ResolvedRow): string {
  let text = row.raw.cells[column.index] ?? ''
  if (plan.unescapeFormulas) text = unescapeFormula(text)
  text = text.trim()
  if (nonAscii.test(text)) {
    text = text.normalize('NFC')
    if (text.includes('\ufffd')) warn(row, column, text)
  }
  return text
}

/** Takes the quote off again that our own CSV puts in front of what looks like a formula. */
export function unescapeFormula(text: string): string {
  return formulaStart.test(text) ? text.slice(1) : text
}

function warn(row: ResolvedRow, column: PlanColumn, text: string): void {
  const place = { column: column.header, field: column.field.name, value: text }
  row.problems = [...(row.problems ?? []), rowProblem('replacement_character', place)]
}

function readOne(column: PlanColumn, text: string, row: ResolvedRow): Json | undefined {
  const { field } = column
  const value = column.read(text)
  if (value === undefined) {
    reject(
      row,
      rowProblem(column.fault, {
        column: column.header,
        field: field.name,
        value: text,
        args: { options: field.options?.join(', ') }
      })
    )
  } else if (field.max_length !== undefined && text.length > field.max_length) {
    const args = { found: text.length, limit: field.max_length }
    const place = { column: column.header, field: field.name, value: text, args }
    reject(row, rowProblem('value_too_long', place))
    return undefined
  }
  return value
}

/** Splits at the separator; blanks and repeats are dropped, the order is kept. */
function readMany(
  column: PlanColumn,
  separator: string,
  text: string,
  row: ResolvedRow
): Json[] | undefined {
  if (!text.includes(separator)) {
    const value = readOne(column, text, row)
    return value === undefined ? undefined : [value]
  }
  const values: Json[] = []
  for (const part of text.split(separator)) {
    const one = part.trim()
    if (one === '') continue
    const value = readOne(column, one, row)
    if (value !== undefined && !values.includes(value)) values.push(value)
  }
  return values.length === 0 ? undefined : values
}

function readId(plan: ImportPlan, row: ResolvedRow): void {
  const text = (row.raw.cells[plan.idIndex] ?? '').trim()
  hashText(state, text)
  if (text === '') return
  if (/^[1-9][0-9]{0,14}$/.test(text)) row.id = Number(text)
  else reject(row, rowProblem('invalid_id', { column: plan.idHeader, field: 'id', value: text }))
}

function requiredMissing(column: PlanColumn): Problem {
  return rowProblem('required_missing', { column: column.header, field: column.field.name })
}

function reject(row: ResolvedRow, problem: Problem): void {
  row.problems = row.problems === null ? [problem] : [...row.problems, problem]
  row.rejected = true
}
