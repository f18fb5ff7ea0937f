// The one catalogue of everything that can go wrong, by code.
//
// Two kinds, never mixed: an *operation error* is thrown (`throw appError(...)`) and becomes an
// RFC 9457 problem document; a *row problem* is a value (`rowProblem(...)`) and is stored with the
// outcome of its row. docs/errors.md lists both and is held to this file by a test.

import { operationErrors } from './error-catalogue.ts'
import { rowProblems } from './row-problem-catalogue.ts'

export type OperationErrorCode = keyof typeof operationErrors
export type RowProblemCode = keyof typeof rowProblems
/** Values that a message may name, e.g. `{ id: 7, limit: 200 }`. */
export type Args = Record<string, string | number | null | undefined>

/** A record that a problem or an ambiguous match points at. */
export interface Candidate {
  /** null: only a dry run would have made it. */
  id: number | null
  title: string
}

/** One thing that is wrong (error) or noteworthy (warning) about one row. Stored, never thrown. */
export interface Problem {
  severity: 'error' | 'warning'
  code: RowProblemCode
  /** Header of the column as written in the file; null when the whole row is meant. */
  column: string | null
  /** Name of the record type's field; null when the cell belongs to no field. */
  field: string | null
  /** A sentence for people: what is wrong and how to mend it. */
  message: string
  /** The offending cell, cut to 200 characters; null when there is none or it is sensitive. */
  value: string | null
  candidates?: Candidate[]
  /** Of an undo: who made the change that stands in its way. */
  by?: Maker
}

/** Who or what made a change; as far as it is known. */
export interface Maker {
  import: { id: number; file_name: string } | null
  key: { id: number; name: string } | null
}

/** An operation error: `code` from the catalogue, `status` of the HTTP answer, `details` as JSON. */
export class AppError extends Error {
  readonly code: OperationErrorCode
  readonly status: number
  readonly title: string
  readonly details: unknown

  constructor(code: OperationErrorCode, args: Args, details: unknown, cause: unknown) {
    const entry = operationErrors[code]
    super(fill(entry.message, args), { cause })
    this.name = 'AppError'
    this.code = code
    this.status = entry.status
    this.title = entry.title
    this.details = details
  }
}

/** Builds the error to throw. `details` is sent to the caller as is; `cause` is only logged. */
export function appError(
  code: OperationErrorCode,
  args: Args = {},
  more: { details?: unknown; cause?: unknown } = {}
): AppError {
  return new AppError(code, args, more.details, more.cause)
}

/** Where a row problem sits and what it names. `value` is cut to 200 characters. */
export interface ProblemPlace {
  column?: string | null
  field?: string | null
  value?: string | null
  candidates?: Candidate[]
  by?: Maker
  args?: Args
}

/** Builds the stored form of a row problem. Severity and text come from the catalogue. */
export function rowProblem(code: RowProblemCode, place: ProblemPlace = {}): Problem {
  const entry = rowProblems[code]
  const problem: Problem = {
    severity: entry.severity,
    code,
    column: place.column ?? null,
    field: place.field ?? null,
    message: fill(entry.message, {
      column: place.column,
      field: place.field,
      value: place.value === undefined ? null : cut(place.value),
      ...place.args
    }),
    value: place.value === undefined ? null : cut(place.value)
  }
  if (place.candidates) problem.candidates = place.candidates
  if (place.by) problem.by = place.by
  return problem
}

const maxValueChars = 200

function cut(value: string | null): string | null {
  if (value === null || value.length <= maxValueChars) return value
  return `${value.slice(0, maxValueChars - 1).toWellFormed()}…`
}

/** Replaces each `{name}` of a catalogue text; a name without a value stays visible as `?`. */
function fill(text: string, args: Args): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? '?'))
}
