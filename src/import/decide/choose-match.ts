// (what the probes found) -> which record a row is about. Pure.
// Tiers in order: the record's own id, then the type's match rules. The first tier that hits
// decides; later identities must agree; nothing is ever picked among several.

import type { MatchPolicy, MatchRule } from '../../record-types/types.ts'

/** The ids that one row's keys hit, by position of the match rule; undefined: not looked up. */
export type Hits = (number[] | undefined)[]

export type Match =
  | { kind: 'none' }
  | { kind: 'one'; id: number; matched_by: string }
  | { kind: 'several'; ids: number[]; matched_by: string }
  | { kind: 'conflict'; ids: number[] }
  | { kind: 'unknown_id' }

export interface MatchRules {
  rules: MatchRule[]
  /** By position of the rule: whether it decides at all. */
  deciding: boolean[]
  type: { match_policy: MatchPolicy }
}

/** Chooses the record. `id` is the row's id cell and `idExists` whether it names a record;
 *  `hits` of non-identity rules must already be without records that contradict the row. */
export function chooseMatch(
  { rules, deciding, type }: MatchRules,
  id: number | null,
  idExists: boolean,
  hits: Hits
): Match {
  if (id !== null && !idExists) return { kind: 'unknown_id' }
  const allAgree = type.match_policy === 'all_agree'
  let chosen: { id: number; matched_by: string } | null =
    id === null ? null : { id, matched_by: 'id' }
  for (const [index, rule] of rules.entries()) {
    const ids = hits[index]
    if (ids === undefined || ids.length === 0 || !deciding[index]) continue
    if (chosen === null) {
      if (ids.length > 1) return { kind: 'several', ids, matched_by: rule.name }
      chosen = { id: ids[0] as number, matched_by: rule.name }
    } else if (allAgree ? !isOnly(ids, chosen.id) : rule.identity && !ids.includes(chosen.id)) {
      return { kind: 'conflict', ids: [chosen.id, ...ids] }
    }
  }
  return chosen === null ? { kind: 'none' } : { kind: 'one', ...chosen }
}

const isOnly = (ids: number[], id: number) => ids.length === 1 && ids[0] === id
