// (row, match, existing record, policies) -> what happens to the row. Pure.
// In: a resolved row whose references are ids, the match and the record it found. Out: a Decision.
// Called by run-batch.ts for every row; knows no database.

import { rowProblem } from '../../errors.ts'
import type { Json, RecordData } from '../../record-types/types.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { ResolvedRow } from '../resolve/resolve-row.ts'
import type { Candidate, Problem } from '../terms.ts'
import type { Match } from './choose-match.ts'
import type { ExistingRecord } from './existing-record.ts'
import { sameJson } from './same-json.ts'

export type Decision =
  | { action: 'create'; data: RecordData }
  | { action: 'update'; record: ExistingRecord; set: RecordData; before: RecordData }
  | { action: 'unchanged'; record_id: number }
  | { action: 'skip'; record_id: number | null; problem: Problem }
  | { action: 'reject'; problem: Problem | null }

/** Decides the fate of one row.
 *  `existing` is the record of a `one` match; `titleOf` names candidates to people. */
export function decideRow(
  plan: ImportPlan,
  row: ResolvedRow,
  match: Match,
  existing: ExistingRecord | undefined,
  context: { defaults: RecordData; titleOf: (id: number) => string }
): Decision {
  if (row.rejected) return { action: 'reject', problem: null }
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
      if (plan.options.mode === 'update_only') {
        return { action: 'skip', record_id: null, problem: rowProblem('not_found_for_update') }
      }
      return { action: 'create', data: { ...context.defaults, ...row.values } }
    case 'one':
      if (!existing) throw new Error(`record ${match.id} was matched but not fetched`)
      return decideExisting(plan, row, existing)
  }
}

function decideExisting(plan: ImportPlan, row: ResolvedRow, record: ExistingRecord): Decision {
  if (plan.options.mode === 'create_only') {
    return { action: 'skip', record_id: record.id, problem: rowProblem('exists_already') }
  }
  if (record.data === null) return { action: 'unchanged', record_id: record.id }
  const set: RecordData = {}
  const before: RecordData = {}
  let changed = false
  for (const name in row.values) {
    const now = row.values[name] as Json
    const was = record.data[name]
    if (sameJson(was, now)) continue
    set[name] = now
    before[name] = was ?? null
    changed = true
  }
  if (!changed) return { action: 'unchanged', record_id: record.id }
  return { action: 'update', record, set, before }
}

function reject(...args: Parameters<typeof rowProblem>): Decision {
  return { action: 'reject', problem: rowProblem(...args) }
}

const maxCandidates = 5

function candidates(ids: number[], titleOf: (id: number) => string): Candidate[] {
  const distinct = [...new Set(ids)].slice(0, maxCandidates)
  return distinct.map((id) => ({ id, title: titleOf(id) }))
}
