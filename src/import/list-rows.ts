// The outcomes of an import's rows: pages, and everything at once as NDJSON or CSV.
// Streams read a few thousand rows at a time, in file order, and stop when nobody reads on.
// Called by routes.ts.

import type { Static } from 'typebox'
import { csvLine } from '../platform/csv-text.ts'
import { readCursor, toPage } from '../platform/cursor.ts'
import type { Db } from '../platform/db.ts'
import type { TypeCatalogue } from '../record-types/registry.ts'
import type { RecordData, RecordType } from '../record-types/types.ts'
import { readDeleted } from '../records/history/store.ts'
import { recordTitle } from '../records/record-json.ts'
import { getRecords } from '../records/store.ts'
import { changesText, type NamedChanges, nameChanges } from './dry-run/name-changes.ts'
import type { ImportRow } from './import-row.ts'
import { type RowFormat, type RowListQuery, rowFormats } from './request-schemas.ts'
import { problemColumnPrefix } from './resolve/map-columns.ts'
import { isOurs } from './resolve/plan.ts'
import { unescapeFormula } from './resolve/resolve-row.ts'
import type { RowSchema } from './schemas.ts'
import { type CellAccess, shownCells } from './shown-cells.ts'
import {
  badOutcomes,
  listBadOutcomes,
  listOutcomes,
  type OutcomeFilter,
  type OutcomeRow
} from './store.ts'
import type { Problem, ShownOutcome } from './terms.ts'

export type RowJson = Static<typeof RowSchema>

/** Which rows of which import. */
export interface RowChoice {
  account_id: number
  import: ImportRow
  /** Null: all. */
  outcomes: ShownOutcome[] | null
  /** The record type of the import; undefined: the account has it no more. */
  type: RecordType | undefined
  types: TypeCatalogue
}

/** An outcome with what its record is called. */
interface NamedOutcome extends Omit<OutcomeRow, 'changes'> {
  type: string | null
  changes: NamedChanges | null
  title: string | null
  external_id: string | null
}

const streamPageRows = 2_000

/** The outcomes named in a query, or null for all. */
export function readOutcomes(outcome: string | undefined): ShownOutcome[] | null {
  return outcome === undefined ? null : (outcome.split(',') as ShownOutcome[])
}

/** A page of outcomes in file order. Throws invalid_cursor. */
export async function pageOfRows(db: Db, choice: RowChoice, query: Static<typeof RowListQuery>) {
  const after = readCursor(query.cursor, 0)
  const rows = await readOutcomePage(db, { ...filterOf(choice), after, limit: query.limit + 1 })
  const { data, next_cursor } = toPage(rows, query.limit, (row) => row.row_number)
  return { data: (await nameRecords(db, choice, data)).map(rowJson), next_cursor }
}

const formats = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8; header=present'
} as const satisfies Record<RowFormat, string>

/** The form to answer in: what the query says, else the one of ours that the Accept header names
 *  first, else JSON. */
export function pickFormat(asked: RowFormat | undefined, accept = '') {
  const places = rowFormats.map((name) => {
    const [mediaType = ''] = formats[name].split(';')
    return { name, at: accept.indexOf(mediaType) }
  })
  const [accepted] = places.filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at)
  const name = asked ?? accepted?.name ?? 'json'
  return { name, type: formats[name] }
}

/** All outcomes as text in one of the streamed forms. */
export function streamRows(db: Db, choice: RowChoice, format: 'ndjson' | 'csv') {
  return format === 'csv' ? csvRows(db, choice) : ndjsonRows(db, choice)
}

/** One JSON object per line. */
async function* ndjsonRows(db: Db, choice: RowChoice): AsyncGenerator<string> {
  for await (const rows of outcomePages(db, choice)) {
    const named = await nameRecords(db, choice, rows)
    yield named.map((row) => `${JSON.stringify(rowJson(row))}\n`).join('')
  }
}

const csvColumns = [
  'row',
  'line',
  'outcome',
  'record_id',
  'title',
  'external_id',
  'matched_by',
  'changed_fields',
  'codes',
  'problems',
  'changes'
]

/** All outcomes as CSV with a header line. */
async function* csvRows(db: Db, choice: RowChoice): AsyncGenerator<string> {
  yield csvLine(csvColumns)
  for await (const rows of outcomePages(db, choice)) {
    const named = await nameRecords(db, choice, rows)
    yield named.map((row) => csvLine(outcomeCells(row))).join('')
  }
}

function outcomeCells(row: NamedOutcome) {
  const problems = row.problems ?? []
  return [
    row.row_number,
    row.line_number,
    row.outcome,
    row.record_id,
    row.title,
    row.external_id,
    row.matched_by,
    row.changed_fields?.join(' '),
    problems.map((problem) => problem.code).join(' '),
    problems.map(sentence).join(' '),
    changesText(row.changes)
  ]
}

/** The rejected and failed rows as a CSV file like the one that was sent, with what is wrong in
 *  extra columns; mended, it can be sent as it is. */
export async function* rejectedRows(
  db: Db,
  choice: RowChoice,
  access: CellAccess
): AsyncGenerator<string> {
  const { headers, delimiter } = choice.import.dialect
  // A file that was mended and sent again has the problem columns of the last time.
  const own = [...headers.keys()].filter((i) => !headers[i]?.startsWith(problemColumnPrefix))
  const added = ['line', 'codes', 'problems'].map((name) => problemColumnPrefix + name)
  // Goes out with the first page, so that what fails there can still be answered as a problem.
  let text = csvLine([...own.map((i) => headers[i]), ...added], delimiter)
  const show = await shownCells(db, choice, access)
  const pages = keysetPages(filterOf({ ...choice, outcomes: ['rejected', 'failed'] }), (filter) =>
    listBadOutcomes(db, filter)
  )
  const hasOurQuotes = headers.some(isOurs)
  for await (const rows of pages) {
    text += rows
      .map(({ cells: kept, ...row }) => {
        const raw = kept && show(kept, row.problems ?? [])
        // Quotes that this file got from us the last time would pile up.
        const cells = hasOurQuotes ? raw?.map(unescapeFormula) : raw
        // Cells beyond the header stay: without them the row would look right and be taken.
        const surplus = cells?.slice(headers.length) ?? []
        return csvLine([...own.map((i) => cells?.[i]), ...problemCells(row), ...surplus], delimiter)
      })
      .join('')
    yield text
    text = ''
  }
  if (text !== '') yield text
}

function problemCells({ line_number, problems }: OutcomeRow) {
  const all = problems ?? []
  return [line_number, all.map(({ code }) => code).join(' '), all.map(sentence).join(' ')]
}

function sentence({ column, message }: Problem): string {
  return column === null ? message : `${column}: ${message}`
}

/** What the records of a page of outcomes, and those that changes refer to, are called now, or were
 *  when they were deleted: a statement for each type, and one for those that are gone. */
async function nameRecords(
  db: Db,
  { account_id, type: own, types, import: { created_on } }: RowChoice,
  rows: OutcomeRow[]
): Promise<NamedOutcome[]> {
  const typeOf = ({ type_id }: OutcomeRow) => (type_id === null ? own : types.getById(type_id))
  const byId = new Map<number, RecordData>()
  const changesOf = new Map<OutcomeRow, NamedChanges | null>()
  for (const [type, those] of Map.groupBy(rows, typeOf)) {
    const ids = new Set(those.flatMap(({ record_id }) => record_id ?? []))
    const found = type ? await getRecords(db, account_id, type.type_id, [...ids]) : []
    for (const { id, data } of found) byId.set(id, data)
    const changes = those.map((row) => row.changes)
    const named = await nameChanges(db, { account_id, types, type }, changes)
    for (const [index, row] of those.entries()) changesOf.set(row, named[index] ?? null)
  }
  const gone = rows.flatMap(({ record_id: id }) => (id !== null && !byId.has(id) ? [id] : []))
  const deleted = await readDeleted(db, account_id, gone, created_on)
  for (const [id, data] of deleted) byId.set(id, data)
  return rows.map((row) => {
    const type = typeOf(row)
    const data = byId.get(row.record_id ?? 0)
    const external_id = data?.external_id
    return {
      ...row,
      type: row.record_id === null ? null : (type?.name ?? null),
      changes: changesOf.get(row) ?? null,
      title: type && data ? recordTitle(type, data) : null,
      external_id: typeof external_id === 'string' ? external_id : null
    }
  })
}

const wrote: ReadonlySet<ShownOutcome> = new Set(['created', 'updated', 'reverted'])

/** Whether there is something to tell of. */
const isTold = ({ outcome, changes }: NamedOutcome) => changes === null && wrote.has(outcome)

function rowJson(row: NamedOutcome): RowJson {
  return {
    row: row.row_number,
    line: row.line_number,
    outcome: row.outcome,
    record_id: row.record_id,
    type: row.type,
    title: row.title,
    external_id: row.external_id,
    matched_by: row.matched_by,
    pushed: isTold(row) ? row.pushed === true : null,
    changed_fields: row.changed_fields,
    changes: row.changes,
    problems: (row.problems ?? []).map(problemJson)
  }
}

// jsonb gives keys back in an order of its own; a line of NDJSON reads better in ours.
function problemJson(problem: Problem) {
  const { severity, code, column, field, message, value, candidates, by } = problem
  const json = { severity, code, column, field, message, value }
  return { ...json, ...(candidates && { candidates }), ...(by && { by }) }
}

function filterOf({ account_id, import: { id, created_on }, outcomes }: RowChoice): OutcomeFilter {
  return { account_id, import_id: id, created_on, outcomes, after: 0, limit: streamPageRows }
}

const outcomePages = (db: Db, choice: RowChoice) =>
  keysetPages(filterOf(choice), (filter) => readOutcomePage(db, filter))

/** Reads by the index of bad rows when only such are wanted. */
function readOutcomePage(db: Db, filter: OutcomeFilter): Promise<OutcomeRow[]> {
  const onlyBad = filter.outcomes?.every((one) => badOutcomes.some((bad) => bad === one))
  return onlyBad ? listBadOutcomes(db, filter) : listOutcomes(db, filter)
}

async function* keysetPages<T extends OutcomeRow>(
  filter: OutcomeFilter,
  read: (filter: OutcomeFilter) => Promise<T[]>
): AsyncGenerator<T[]> {
  let after = 0
  for (;;) {
    const rows = await read({ ...filter, after })
    const last = rows.at(-1)
    if (!last) return
    yield rows
    if (rows.length < filter.limit) return
    after = last.row_number
  }
}
