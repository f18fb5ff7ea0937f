// What the rows of a batch say of each other: keys that several of them have, and names of records
// that earlier rows stand for. Pure; needs no database.

import { keysOf } from '../../record-types/match-keys.ts'
import type { MatchRule, RecordType } from '../../record-types/types.ts'
import type { ResolvedRow } from '../resolve/resolve-row.ts'
import { keyOfName, type ReferenceNames, rulesOf, textsOf } from './reference-names.ts'

/** Per match rule, the keys that more than one row of the batch has; null: none. Rows without such
 *  a key cannot meet in the batch. `doubtful`: by position, the rules under which rows can share a
 *  key at all. */
export function findRepeatedKeys(
  rules: MatchRule[],
  rows: { keys: string[][] }[],
  doubtful: boolean[]
): (Set<string> | null)[] {
  return rules.map((rule, place) => {
    if (!doubtful[place] || rule.lookup_only) return null
    const seen = new Set<string>()
    const repeated = new Set<string>()
    for (const { keys } of rows) {
      for (const key of keys[place] ?? []) {
        if (seen.has(key)) repeated.add(key)
        else seen.add(key)
      }
    }
    return repeated.size === 0 ? null : repeated
  })
}

/** Whether rows of the type may refer to records of the same type. */
export function refersToItself(type: RecordType, references: ReferenceNames[]): boolean {
  return references.some((names) => names.type === type)
}

/** The rows that name, in a reference to their own type, a record which an earlier row of the batch
 *  stands for. */
export function findSelfReferences(
  type: RecordType,
  references: ReferenceNames[],
  rows: ResolvedRow[]
): Set<ResolvedRow> {
  const found = new Set<ResolvedRow>()
  for (const names of references) {
    if (names.type !== type) continue
    for (const rule of rulesOf(names)) {
      const named = new Set<string>()
      for (const row of rows) {
        const texts = textsOf(row.values[names.field.name])
        const keyOf = (text: string) => keyOfName(names, rule, { name: '', text, scope: null })
        if (texts.some((text) => named.has(keyOf(text)))) found.add(row)
        for (const key of keysOf(rule, row.values, null)) named.add(key)
      }
    }
  }
  return found
}
