// What tells two records apart, whatever else they share: different values of an identity. Pure.

import { keysOf } from '../../record-types/match-keys.ts'
import type { MatchRule, RecordData, RecordType } from '../../record-types/types.ts'

/** Per telling rule of a type, the keys that values have under it. */
export type Identities = string[][]

const rulesOfType = new WeakMap<RecordType, MatchRule[]>()

/** The rules that tell records apart: identities of which a record has one value only; where all
 *  rules must agree, also those of many values: people with other addresses are others. */
function tellingRules(type: RecordType): MatchRule[] {
  const known = rulesOfType.get(type)
  if (known) return known
  const isSingle = (name: string) => type.fields.find((one) => one.name === name)?.many === null
  const rules = type.match_rules.filter(
    (rule) => rule.identity && (type.match_policy === 'all_agree' || rule.fields.every(isSingle))
  )
  rulesOfType.set(type, rules)
  return rules
}

/** The identities of a row or record, without regard to where it belongs. */
export function identitiesOf(type: RecordType, values: RecordData): Identities {
  return tellingRules(type).map((rule) => keysOf(rule, values, 0))
}

/** Whether two sets of identities are those of two records: both have one, and not the same. */
export function contradict(a: Identities, b: Identities): boolean {
  for (let i = 0; i < a.length; i++) {
    const left = a[i] as string[]
    const right = b[i] as string[]
    if (left.length > 0 && right.length > 0 && !left.some((key) => right.includes(key))) return true
  }
  return false
}
