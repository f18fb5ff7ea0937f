// The records that rows refer to, where something about them has to be known: a rule of the type
// compares values with them (`shared_fields`: a desk must belong to the project), or a field keeps
// them in the order of their names. One statement per such field and batch.

import type { Json } from '../../record-types/types.ts'
import type { BatchPlace } from '../batch.ts'
import type { RelatedRecords } from '../decide/check-record.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { NewReference } from './create-references.ts'
import type { MatchedRow } from './match-rows.ts'
import { fetchRecords } from './probe-keys.ts'
import { defaultReferences } from './resolve-references.ts'

/** Names of the reference fields whose records are needed. */
function fieldsToKnow({ type, columns }: ImportPlan): string[] {
  const shared = type.shared_fields?.map(({ reference }) => reference) ?? []
  const sorted = columns.filter(({ field }) => field.many?.sorted && field.reference)
  return [...new Set([...shared, ...sorted.map(({ field }) => field.name)])]
}

const listOf = (value: Json | undefined): (Json | undefined)[] =>
  Array.isArray(value) ? value : [value]

/** Fetches what the rows, the records they are about and the defaults refer to. */
export async function fetchRelated(
  { tx, account_id, plan, memory }: BatchPlace,
  matched: MatchedRow[],
  created: Map<number, NewReference>
): Promise<RelatedRecords> {
  const related: RelatedRecords = new Map()
  const fields = fieldsToKnow(plan)
  if (fields.length === 0) return related
  const defaults = defaultReferences(memory.references, plan)
  for (const { id, organization_id, data } of created.values()) {
    related.set(id, { id, version: 1, organization_id, fingerprint: null, data })
  }
  for (const reference of fields) {
    const type = plan.types.require(plan.fields.get(reference)?.reference?.type ?? '')
    const ids = matched.flatMap(({ row, existing }) => [
      ...listOf(row.values[reference]),
      ...listOf(existing?.data?.[reference])
    ])
    ids.push(...listOf(defaults[reference]))
    const wanted = new Set(ids.filter((id) => typeof id === 'number'))
    const place = { account_id, type_id: type.type_id }
    for (const record of await fetchRecords(tx, place, [...wanted], [])) {
      related.set(record.id, record)
    }
  }
  return related
}
