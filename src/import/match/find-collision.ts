// Finds the first row of a batch that may be about the same record as an earlier one, by what the
// rows say themselves. Pure. Such a row waits for the next batch, so that it sees the earlier one's
// result and the order of the file holds for every record.

import { keysOf } from '../../record-types/match-keys.ts'
import type { MatchRule, RecordData, RecordType } from '../../record-types/types.ts'
import type { ResolvedRow } from '../resolve/resolve-row.ts'
import { keyOfName, type ReferenceNames, rulesOf, textsOf } from './reference-names.ts'

interface Keyed {
  row: ResolvedRow
  keys: string[][]
}

/** Index of the first row that shares a key with an earlier one; `rows.length` when none does.
 *  `doubtful`: by position, the rules under which rows can collide at all.
 *  Sharing a key that is no identity (a name) does not count when identities tell the rows apart. */
export function findCollision(type: RecordType, rows: Keyed[], doubtful: boolean[]): number {
  let cut = rows.length
  // With a single telling identity, whoever differs from the first holder and not from a later one
  // shares that identity with it. With more of them, a row has to differ from every holder.
  const telling = type.match_rules.filter((rule) => tells(type, rule)).length
  const compareAll = telling > 1 || type.match_policy === 'all_agree'
  for (const [place, rule] of type.match_rules.entries()) {
    if (!doubtful[place] || rule.lookup_only) continue
    const held = new Map<string, Keyed[]>()
    for (let index = 0; index < cut; index++) {
      const one = rows[index] as Keyed
      for (const key of one.keys[place] ?? []) {
        const others = held.get(key)
        if (others === undefined) held.set(key, [one])
        else if (rule.identity || rule.suggests || !differs(type, one, others)) cut = index
        else if (compareAll) others.push(one)
      }
    }
  }
  return cut
}

// So many rows of one name are compared with each other; the next one waits.
const maxHolders = 50

function differs(type: RecordType, one: Keyed, others: Keyed[]): boolean {
  const { values } = one.row
  return (
    others.length < maxHolders &&
    others.every((other) => contradict(type, values, other.row.values))
  )
}

/** Whether two sets of values hold different identities, such as two external ids: then they are
 *  two records, however alike the rest is. Many-valued identities do not tell records apart, unless
 *  all rules must agree: then people with other addresses are others, whatever number they share. */
export function contradict(type: RecordType, a: RecordData, b: RecordData): boolean {
  return type.match_rules.some((rule) => {
    if (!tells(type, rule) && !(rule.identity && type.match_policy === 'all_agree')) return false
    const left = keysOf(rule, a, 0)
    const right = keysOf(rule, b, 0)
    return left.length > 0 && right.length > 0 && !left.some((key) => right.includes(key))
  })
}

/** Whether a rule tells records apart: an identity of which a record has one value only. */
function tells(type: RecordType, rule: MatchRule): boolean {
  const isSingle = (name: string) => type.fields.find((one) => one.name === name)?.many === null
  return rule.identity && rule.fields.every(isSingle)
}

/** Whether rows of the type may refer to records of the same type. */
export function refersToItself(type: RecordType, references: ReferenceNames[]): boolean {
  return references.some((names) => names.type === type)
}

/** Index of the first row that names, in a reference to its own type, a record which an earlier
 *  row of the batch stands for; `rows.length` when none does. */
export function findSelfReference(
  type: RecordType,
  references: ReferenceNames[],
  rows: ResolvedRow[]
): number {
  const own = references.filter((names) => names.type === type)
  let cut = rows.length
  for (const names of own) {
    const { field } = names
    for (const one of rulesOf(names)) {
      const named = new Set<string>()
      for (let index = 0; index < cut; index++) {
        const { values } = rows[index] as ResolvedRow
        const texts = textsOf(values[field.name])
        const keyOf = (text: string) => keyOfName(names, one, { name: '', text, scope: null })
        if (texts.some((text) => named.has(keyOf(text)))) cut = index
        for (const key of keysOf(one, values, null)) named.add(key)
      }
    }
  }
  return cut
}
