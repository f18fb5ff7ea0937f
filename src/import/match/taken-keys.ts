// Identities that a record would get by an update although another record has them: parts of such a
// key come from the row and parts from the record, so matching has not looked it up; or the row has
// several, of which one is the record's and another one belongs to somebody else.
// In: decided rows. Out: the rows that would take somebody else's identity, with those others. One
// statement for each rule concerned, and none for most batches. Called by run-batch.ts.

import { keysOf } from '../../record-types/match-keys.ts'
import type { MatchRule } from '../../record-types/types.ts'
import type { BatchPlace, DecidedRow } from '../batch.ts'
import type { BatchRecords } from '../batch-records.ts'
import type { MatchedRow } from './match-rows.ts'
import { probeKeys } from './probe-keys.ts'

/** Finds the updates by which two records would have one identity. Out: ids of the other records by
 *  row; empty for most batches. */
export async function findTakenKeys(
  place: BatchPlace,
  decided: DecidedRow[],
  records: BatchRecords
): Promise<Map<MatchedRow, number[]>> {
  const taken = new Map<MatchedRow, number[]>()
  const { match_rules } = place.plan.type
  for (const [index, rule] of match_rules.entries()) {
    if (!rule.identity || !place.plan.deciding[index]) continue
    const gaining = decided.filter((one) => one.gained.some((gained) => gained.index === index))
    if (gaining.length > 0) await findUnder(place, { rule, index }, gaining, records, taken)
  }
  return taken
}

async function findUnder(
  { tx, account_id, plan }: BatchPlace,
  { rule, index }: { rule: MatchRule; index: number },
  gaining: DecidedRow[],
  records: BatchRecords,
  taken: Map<MatchedRow, number[]>
): Promise<void> {
  const keysIn = (one: DecidedRow) =>
    one.gained.filter((gained) => gained.index === index).map(({ key }) => key)
  const wanted = [...new Set(gaining.flatMap(keysIn))]
  const type_id = plan.type.type_id
  const stored = await probeKeys(tx, { account_id, type_id, rule: rule.code }, wanted)
  const held = heldInBatch(rule, wanted, records)
  for (const one of gaining) {
    const lost = (key: string) => records.lost[index]?.get(key) ?? []
    const others = keysIn(one).flatMap((key) => [
      ...(stored.get(key) ?? []).filter((id) => !lost(key).includes(id)),
      ...(held.get(key) ?? [])
    ])
    const [first, ...more] = new Set(others.filter((id) => id !== one.record_id))
    if (first !== undefined) taken.set(one, [first, ...more])
  }
}

/** Which records of the batch hold the keys once all its rows are in. */
function heldInBatch(rule: MatchRule, wanted: string[], { all }: BatchRecords) {
  const held = new Map<string, number[]>(wanted.map((key) => [key, []]))
  for (const { now } of all.values()) {
    for (const key of keysOf(rule, now.data, now.organization_id)) held.get(key)?.push(now.id)
  }
  return held
}
