// The records that rows refer to, where a rule of the type compares values with them
// (`shared_fields`: a desk must belong to the project). One statement per such rule and batch.

import type { BatchPlace } from '../batch.ts'
import type { RelatedRecords } from '../decide/check-record.ts'
import type { MatchedRow } from './match-rows.ts'
import { fetchRecords } from './probe-keys.ts'
import { defaultReferences } from './resolve-references.ts'

/** Fetches what the rows, the records they are about and the defaults refer to. */
export async function fetchRelated(
  { tx, account_id, plan, memory }: BatchPlace,
  matched: MatchedRow[]
): Promise<RelatedRecords> {
  const related: RelatedRecords = new Map()
  const { shared_fields } = plan.type
  if (!shared_fields) return related
  const defaults = defaultReferences(memory.references, plan)
  for (const { reference } of shared_fields) {
    const type = plan.types.require(plan.fields.get(reference)?.reference?.type ?? '')
    const ids = matched.flatMap(({ row, existing }) => [
      row.values[reference],
      existing?.data?.[reference]
    ])
    ids.push(defaults[reference])
    const wanted = new Set(ids.filter((id) => typeof id === 'number'))
    const place = { account_id, type_id: type.type_id }
    for (const record of await fetchRecords(tx, place, [...wanted], [])) {
      related.set(record.id, record)
    }
  }
  return related
}
