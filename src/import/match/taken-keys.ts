// Identities that a record would get by an update although another record has them: parts of such a
// key come from the row and parts from the record, so matching has not looked it up.
// In: decided rows. Out: the same, rows that would take somebody else's identity rejected. One
// statement for each rule concerned, and none for most batches. Called by run-batch.ts.

import { rowProblem } from '../../errors.ts'
import type { MatchRule } from '../../record-types/types.ts'
import type { BatchPlace, DecidedRow } from '../batch.ts'
import { probeKeys } from './probe-keys.ts'

/** Rejects updates by which two records would have one identity. Changes the decisions in place. */
export async function refuseTakenKeys(place: BatchPlace, decided: DecidedRow[]): Promise<void> {
  const rules = place.plan.type.match_rules
  for (const [index, rule] of rules.entries()) {
    if (!rule.identity || !place.plan.deciding[index]) continue
    const gaining = decided.filter((one) => one.gained.some((gained) => gained.index === index))
    if (gaining.length > 0) await refuseUnder(place, rule, index, gaining, decided)
  }
}

async function refuseUnder(
  { tx, account_id, plan }: BatchPlace,
  rule: MatchRule,
  index: number,
  gaining: DecidedRow[],
  decided: DecidedRow[]
): Promise<void> {
  const keysIn = (one: DecidedRow) =>
    one.gained.filter((gained) => gained.index === index).map(({ key }) => key)
  const wanted = [...new Set(gaining.flatMap(keysIn))]
  const type_id = plan.type.type_id
  const held = await probeKeys(tx, { account_id, type_id, rule: rule.code }, wanted)
  // Rows of this batch that make records are not in the database yet.
  const made = new Set(
    decided.flatMap((one) => (one.decision.action === 'create' ? (one.keys[index] ?? []) : []))
  )
  for (const one of gaining) {
    if (one.decision.action !== 'update') continue
    const { id } = one.decision.record
    const others = keysIn(one)
      .flatMap((key) => held.get(key) ?? [])
      .filter((held) => held !== id)
    if (others.length === 0 && !keysIn(one).some((key) => made.has(key))) continue
    const candidates = [id, ...others].map((other) => ({ id: other, title: `#${other}` }))
    one.decision = { action: 'reject', problems: [rowProblem('identity_conflict', { candidates })] }
  }
}
