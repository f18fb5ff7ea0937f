// (row, match, existing record, policies) -> what happens to the row. Pure but for made-up values.
// In: a resolved row whose references are ids, the match and the record it found. Out: a Decision.
// Called by decide-rows.ts for every row; knows no database.

import { rowProblem } from '../../errors.ts'
import type { Json, RecordData } from '../../record-types/types.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import { missingProblems, type ResolvedRow } from '../resolve/resolve-row.ts'
import type { Candidate, Problem } from '../terms.ts'
import { changesOf, inOrder } from './changes-of.ts'
import { checkRecord, type RelatedRecords } from './check-record.ts'
import type { Match } from './choose-match.ts'
import type { ExistingRecord } from './existing-record.ts'
import { generateValues } from './generate.ts'
import { sealValues } from './secret-values.ts'

/** `warnings`: what is noteworthy about a row that goes in. */
export type Decision =
  | { action: 'create'; data: RecordData; warnings: Problem[] }
  | {
      action: 'update'
      record: ExistingRecord
      /** New values; null: the field is cleared. */
      set: RecordData
      before: RecordData
      warnings: Problem[]
    }
  | { action: 'unchanged'; record_id: number; warnings: Problem[] }
  | { action: 'skip'; record_id: number | null; problem: Problem }
  | { action: 'reject'; problems: Problem[] }
  | { action: 'wait' }

export interface DecideContext {
  /** Values of a new record that its row does not give; references are ids. */
  defaults: RecordData
  titleOf: (id: number) => string
  /** Records that rows refer to, where rules compare values with them. */
  related: RelatedRecords
  /** Whether an earlier row of the file was about the record. */
  isRepeat: boolean
  /** Existing records whose name is nearly that of the row. */
  similar: number[]
  /** Values that stand where one would be made up. */
  generated?: RecordData | undefined
  now: Date
}

/** Decides the fate of one row. `existing` is the record of a `one` match. */
export function decideRow(
  plan: ImportPlan,
  row: ResolvedRow,
  match: Match,
  existing: ExistingRecord | undefined,
  context: DecideContext
): Decision {
  // Whether blank cells are faults depends on the match; a row that is to be mended is told all.
  if (row.rejected) return { action: 'reject', problems: mayCreate(plan, row) }
  if (row.isSample) return { action: 'skip', record_id: null, problem: rowProblem('sample_row') }
  if (row.waits) return { action: 'wait' }
  switch (match.kind) {
    case 'unknown_id':
      return reject('unknown_id', { column: plan.idHeader, field: 'id', value: String(row.id) })
    case 'several':
      return reject('ambiguous_match', {
        args: { rule: match.matched_by },
        candidates: candidates(match.ids, context.titleOf)
      })
    case 'conflict':
      return reject('identity_conflict', { candidates: candidates(match.ids, context.titleOf) })
    case 'none':
      return decideNew(plan, row, context)
    case 'one':
      if (!existing) throw new Error(`record ${match.id} was matched but not fetched`)
      return decideExisting(plan, row, { record: existing, rule: match.matched_by }, context)
  }
}

function mayCreate(plan: ImportPlan, row: ResolvedRow): Problem[] {
  return plan.options.mode === 'update_only' || row.id !== null ? [] : missingProblems(row)
}

const nothing: ReadonlySet<string> = new Set()
// Of nearly all rows; never written to.
const noProblems: Problem[] = []

function decideNew(plan: ImportPlan, row: ResolvedRow, context: DecideContext): Decision {
  if (plan.options.mode === 'update_only') {
    return { action: 'skip', record_id: null, problem: rowProblem('not_found_for_update') }
  }
  const given = plan.type.check ? new Set<string>() : null
  const data: RecordData = { ...context.defaults }
  for (const name in row.values) {
    const value = row.values[name]
    if (value === null || value === undefined) continue
    data[name] = inOrder(plan, name, value, context.related)
    given?.add(name)
  }
  const missing = row.missing === null ? noProblems : missingProblems(row)
  const found = checkRecord(
    plan,
    { after: data, given: given ?? nothing, isNew: true },
    context.related
  )
  const similar = similarProblem(plan, row, context)
  const isGood = missing.length === 0 && found.problems.length === 0 && similar === null
  const problems = isGood
    ? noProblems
    : [...missing, ...found.problems, ...(similar ? [similar] : [])]
  if (problems.some(isError)) return { action: 'reject', problems }
  assign(data, found.set)
  if (plan.generates) Object.assign(data, generateValues(plan.type, data, context))
  return { action: 'create', data: sealValues(plan, data), warnings: problems }
}

/** Puts derived values in place; null takes one away. */
function assign(data: RecordData, set: RecordData): void {
  for (const name in set) {
    const value = set[name] as Json
    if (value === null) delete data[name]
    else data[name] = value
  }
}

function similarProblem(
  { type, options }: ImportPlan,
  row: ResolvedRow,
  context: DecideContext
): Problem | null {
  if (context.similar.length === 0 || options.similar === 'ignore') return null
  const field = type.match_rules.find((rule) => rule.suggests)?.fields[0] ?? null
  const value = field === null ? null : row.values[field]
  return rowProblem(options.similar === 'error' ? 'similar_refused' : 'similar_exists', {
    field,
    value: typeof value === 'string' ? value : null,
    candidates: candidates(context.similar, context.titleOf)
  })
}

function decideExisting(
  plan: ImportPlan,
  row: ResolvedRow,
  { record, rule }: { record: ExistingRecord; rule: string },
  context: DecideContext
): Decision {
  const folds = context.isRepeat && rule === 'external_id'
  if (context.isRepeat && !folds) return reject('duplicate_in_file', { args: { rule } })
  if (plan.options.mode === 'create_only' && !folds) {
    return { action: 'skip', record_id: record.id, problem: rowProblem('exists_already') }
  }
  const warnings = folds ? [rowProblem('folded_into_record')] : noProblems
  if (record.data === null) return { action: 'unchanged', record_id: record.id, warnings }
  const changes = changesOf(plan, row, record.data, { folds, related: context.related })
  const { set, before, given, after } = changes
  if (folds) {
    const differing = Object.keys(set).filter((name) => !plan.fields.get(name)?.many)
    if (differing.length > 0) {
      return reject('conflicting_duplicate_rows', { args: { fields: differing.join(', ') } })
    }
  }
  const found = checkRecord(plan, { after, given, isNew: false }, context.related)
  const more = changes.problems.length + found.problems.length
  const problems = more === 0 ? noProblems : [...changes.problems, ...found.problems]
  if (problems.some(isError)) {
    return { action: 'reject', problems: problems.map((one) => named(one, record.id, context)) }
  }
  for (const name in found.set) {
    const value = found.set[name] as Json
    if ((record.data[name] ?? null) === value) continue
    set[name] = value
    before[name] = record.data[name] ?? null
  }
  const all = more === 0 ? warnings : [...warnings, ...problems]
  for (const _ in set) {
    return { action: 'update', record, set: sealValues(plan, set), before, warnings: all }
  }
  return { action: 'unchanged', record_id: record.id, warnings: all }
}

/** Whose link has to be changed is not in the row. */
function named(problem: Problem, id: number, { titleOf }: DecideContext): Problem {
  if (problem.code !== 'linked_elsewhere') return problem
  return { ...problem, candidates: candidates([id], titleOf) }
}

const isError = (problem: Problem) => problem.severity === 'error'

function reject(...args: Parameters<typeof rowProblem>): Decision {
  return { action: 'reject', problems: [rowProblem(...args)] }
}

const maxCandidates = 5

function candidates(ids: number[], titleOf: (id: number) => string): Candidate[] {
  const distinct = [...new Set(ids)].slice(0, maxCandidates)
  return distinct.map((id) => ({ id, title: titleOf(id) }))
}
