// A decision -> the changes that a dry run shows of it. Pure. Of secrets only that there is one; a
// record that the run makes itself has no id that anybody could look up, but it has a title.
// Called by hold-to.ts for every row of a dry run and of an import that applies one.

import { isSensitive, type Json, type RecordType } from '../../record-types/types.ts'
import { holdsSealed } from '../../records/history/shown-values.ts'
import type { Decision } from '../decide/decide-row.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { Problem } from '../terms.ts'
import type { RowOutcome } from '../write/write-outcomes.ts'
import type { Foresight, ShownChanges } from './terms.ts'

/** What a record of a type is called that the run makes; null: it is none of those. */
export type TitleOfMade = (type: RecordType, id: number) => string | null

/** Out: null where nothing is created or changed. */
export function shownChanges(
  plan: ImportPlan,
  decision: Decision,
  titleOfMade: TitleOfMade
): ShownChanges | null {
  if (decision.action !== 'create' && decision.action !== 'update') return null
  const [before, after] =
    decision.action === 'create' ? [{}, decision.data] : [decision.before, decision.set]
  const show = (name: string, value: Json | undefined): Json => {
    if (value === undefined || value === null) return null
    const field = plan.fields.get(name)
    if ((field && isSensitive(field)) || holdsSealed(value)) return { secret: true }
    if (!field?.reference) return value
    const type = plan.types.require(field.reference.type)
    const one = (id: Json): Json => {
      const title = typeof id === 'number' ? titleOfMade(type, id) : null
      return title === null ? id : { new: title }
    }
    return Array.isArray(value) ? value.map(one) : one(value)
  }
  const changes: ShownChanges = {}
  for (const name in after) {
    changes[name] = { from: show(name, before[name]), to: show(name, after[name]) }
  }
  return changes
}

/** The outcome as a dry run stores it: without ids of records that were never there. */
export function withoutMade(foresight: Foresight | null, row: RowOutcome): RowOutcome {
  if (foresight === null) return row
  const { made } = foresight
  const { record_id, problems } = row
  return {
    ...row,
    record_id: record_id !== null && made.has(record_id) ? null : record_id,
    problems: problems?.map((problem) => unnamed(made, problem)) ?? null
  }
}

function unnamed(made: Foresight['made'], problem: Problem): Problem {
  const { candidates } = problem
  if (!candidates) return problem
  const known = candidates.map((one) => (made.has(one.id ?? 0) ? { ...one, id: null } : one))
  return { ...problem, candidates: known }
}
