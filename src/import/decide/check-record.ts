// Rules across fields: those the type has as code, and values that must be shared with the records
// referred to. Pure. Called by decide-row.ts for rows that make or change a record.

import { type RowProblemCode, rowProblem } from '../../errors.ts'
import type { RecordData, RowState } from '../../record-types/types.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { Problem } from '../terms.ts'
import type { ExistingRecord } from './existing-record.ts'

/** Records that rows refer to, by id. */
export type RelatedRecords = Map<number, ExistingRecord>

const nothingFound = { problems: [], set: {} }

/** Checks the record that a row would leave. `set`: values to put in although no cell says so. */
export function checkRecord(
  plan: ImportPlan,
  state: RowState,
  related: RelatedRecords
): { problems: Problem[]; set: RecordData } {
  const { check, shared_fields } = plan.type
  if (!check && !shared_fields) return nothingFound
  const problems: Problem[] = []
  const found = check?.(state)
  for (const { code, field, args } of found?.problems ?? []) {
    const column = plan.columns.find((one) => one.field.name === field)?.header ?? null
    problems.push(rowProblem(code as RowProblemCode, { column, field, ...(args && { args }) }))
  }
  if (shared_fields) problems.push(...checkShared(plan, state, related))
  return { problems, set: found?.set ?? {} }
}

function checkShared(plan: ImportPlan, { after }: RowState, related: RelatedRecords): Problem[] {
  const problems: Problem[] = []
  for (const { reference, fields } of plan.type.shared_fields ?? []) {
    const id = after[reference]
    const other = typeof id === 'number' ? related.get(id)?.data : undefined
    if (!other) continue
    for (const [ours, theirs] of Object.entries(fields)) {
      const [left, right] = [after[ours], other[theirs]]
      if (left === undefined || right === undefined || left === right) continue
      const column = plan.columns.find((one) => one.field.name === reference)?.header ?? null
      const args = { shared: ours }
      problems.push(rowProblem('shared_field_differs', { column, field: reference, args }))
    }
  }
  return problems
}
