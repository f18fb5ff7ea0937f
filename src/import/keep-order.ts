// Rows that wait for the end of the file make those wait that are about the same record, so that the
// order of the file holds. Called by decide-rows.ts for every row.

import { keysOf } from '../record-types/match-keys.ts'
import type { BatchMemory } from './batch.ts'
import type { ExistingRecord } from './decide/existing-record.ts'
import { createKeyFilter } from './match/key-filter.ts'
import { idsOfMatch, type MatchedRow } from './match/match-rows.ts'
import { keyOfName, type ReferenceNames, rulesOf, textsOf } from './match/reference-names.ts'
import type { ImportPlan } from './resolve/plan.ts'

// 1 MiB. A wrong "maybe" lets a row wait that need not.
const waitingBits = 2 ** 23

/** A row that shares a key or a record with one that waits has to wait as well. */
export function keepOrder(
  plan: ImportPlan,
  memory: BatchMemory,
  one: MatchedRow,
  existing: ExistingRecord | undefined
): void {
  const { row } = one
  if (row.rejected || row.isSample || (memory.waiting === null && !row.waits)) return
  memory.waiting ??= createKeyFilter(true, waitingBits)
  const { waiting } = memory
  const marks = marksOf(plan, memory, one)
  const own = memory.references.filter((names) => names.type === plan.type)
  const all = existing?.data ? [...marks, ...namesNow(own, existing)] : marks
  if (all.some(([rule, key]) => waiting.has(rule, key))) row.waits = true
  if (!row.waits) return
  for (const [rule, key] of [...marks, ...namesWanted(own, one)]) waiting.note(rule, key)
}

type Mark = [rule: number, key: string]

// Names that rows wait for are told from names that rows have: whoever makes the record must go on.
const wanted = 1_000_000

/** The names by which a row that waits refers to records of its own type. */
function namesWanted(own: ReferenceNames[], { row }: MatchedRow): Mark[] {
  return own.flatMap((names) =>
    textsOf(row.values[names.field.name]).flatMap((text) =>
      rulesOf(names).map((rule): Mark => {
        return [wanted + rule.code, keyOfName(names, rule, { name: '', text, scope: null })]
      })
    )
  )
}

/** The names that a record has now: its row must not take them away from a row that waits. */
function namesNow(own: ReferenceNames[], { data }: ExistingRecord): Mark[] {
  return own.flatMap((names) =>
    rulesOf(names).flatMap((rule) =>
      keysOf(rule, data ?? {}, null).map((key): Mark => [wanted + rule.code, key])
    )
  )
}

/** Everything by which two rows may be about one record, or one refer to that of the other. */
function marksOf({ deciding, type }: ImportPlan, memory: BatchMemory, one: MatchedRow) {
  const { row, keys, match } = one
  const marks: Mark[] = idsOfMatch(match).map((id) => [0, String(id)])
  if (row.id !== null) marks.push([0, String(row.id)])
  for (const names of memory.references) {
    if (names.type !== type) continue
    const value = row.values[names.field.name]
    for (const id of Array.isArray(value) ? value : [value]) {
      if (typeof id === 'number') marks.push([0, String(id)])
    }
  }
  for (const [index, rule] of type.match_rules.entries()) {
    if (!deciding[index] && !rule.suggests) continue
    for (const key of keys[index] ?? []) marks.push([rule.code, key])
  }
  return marks
}
