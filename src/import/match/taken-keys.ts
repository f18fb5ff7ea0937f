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
    await findUnder(place, { rule, index }, decided, records, taken)
  }
  return taken
}

async function findUnder(
  { tx, account_id, plan }: BatchPlace,
  { rule, index }: { rule: MatchRule; index: number },
  decided: DecidedRow[],
  records: BatchRecords,
  taken: Map<MatchedRow, number[]>
): Promise<void> {
  const gainedBy = (one: DecidedRow) => one.gained.filter((gained) => gained.index === index)
  const wanted = [...new Set(decided.flatMap(gainedBy).map(({ key }) => key))]
  if (wanted.length === 0) return
  const type_id = plan.type.type_id
  const stored = await probeKeys(tx, { account_id, type_id, rule: rule.code }, wanted)
  const made = heldByMade(rule, wanted, records)
  // As each row found it: what later rows do is their conflict.
  const seen = new Set<number>()
  for (const one of decided) {
    const others = gainedBy(one).flatMap(({ key, held, lost }) => [
      ...(stored.get(key) ?? []).filter((id) => !lost.includes(id)),
      ...held,
      ...(made.get(key) ?? []).filter((id) => seen.has(id) && !lost.includes(id))
    ])
    const [first, ...more] = new Set(others.filter((id) => id !== one.record_id))
    if (first !== undefined) taken.set(one, [first, ...more])
    if (one.decision.action === 'create' && one.record_id !== null) seen.add(one.record_id)
  }
}

/** Which records that the batch makes hold the keys. */
function heldByMade(rule: MatchRule, wanted: string[], { all }: BatchRecords) {
  const held = new Map<string, number[]>(wanted.map((key) => [key, []]))
  for (const { now, before } of all.values()) {
    if (before !== null) continue
    for (const key of keysOf(rule, now.data, now.organization_id)) held.get(key)?.push(now.id)
  }
  return held
}
