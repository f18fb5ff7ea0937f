// Which match keys a record gains and loses by a change. Pure.
// Called wherever records are changed: by imports while they decide and when they write, by restoring.

import { keysOf } from './match-keys.ts'
import type { MatchRule, RecordData, RecordType } from './types.ts'

/** What keys are made of. */
export interface KeyedRecord {
  data: RecordData
  organization_id: number | null
}

export interface Key {
  /** Position of the match rule, and its number. */
  index: number
  rule: number
  value: string
}

/** Compares the keys before and after. `changed`: names of the fields that differ. Keys that stay are
 *  in neither list. */
export function diffKeys(
  type: RecordType,
  before: KeyedRecord,
  after: KeyedRecord,
  changed: string[]
): { gained: Key[]; lost: Key[] } {
  const gained: Key[] = []
  const lost: Key[] = []
  const moved = before.organization_id !== after.organization_id
  for (const [index, rule] of type.match_rules.entries()) {
    if (!mayChangeKeys(rule, changed, moved)) continue
    const was = keysOf(rule, before.data, before.organization_id)
    const now = keysOf(rule, after.data, after.organization_id)
    const keyOf = (value: string) => ({ index, rule: rule.code, value })
    gained.push(...now.filter((value) => !was.includes(value)).map(keyOf))
    lost.push(...was.filter((value) => !now.includes(value)).map(keyOf))
  }
  return { gained, lost }
}

/** Whether a change can touch the keys of a rule: by its fields, by the field that switches it off,
 *  or by the record inside which its keys are unique. */
export function mayChangeKeys(rule: MatchRule, changed: string[], moved: boolean): boolean {
  const { fields, unless, scope } = rule
  if (moved && scope === 'organization') return true
  return changed.some(
    (name) =>
      fields.includes(name) ||
      name === unless ||
      (typeof scope === 'object' && name === scope.field)
  )
}
