// Which record a row is about, once the rows before it in the batch have made and changed records.
// In: what the database holds (match/), and the records of the batch. Pure. Called by decide-rows.ts.

import { type BatchRecords, identitiesNow } from './batch-records.ts'
import type { Hits, Match } from './decide/choose-match.ts'
import type { ExistingRecord } from './decide/existing-record.ts'
import { chooseOne, type MatchedRow, mayMean } from './match/match-rows.ts'
import type { ImportPlan } from './resolve/plan.ts'

/** The match as it is now. Out: null when only the database can tell: the row belongs to the next
 *  batch. */
export function matchAgain(
  plan: ImportPlan,
  one: MatchedRow,
  records: BatchRecords,
  stored: Map<number, ExistingRecord>
): { match: Match; hits: Hits } | null {
  const { row, hits } = one
  if (row.rejected || row.isSample || isApart(one, records)) return { match: one.stored, hits }
  const isThere = (id: number | null) => id !== null && (stored.has(id) || records.all.has(id))
  // In the order of the rules: who is found by an identity matters to those behind it.
  const now: Hits = []
  for (const index of plan.type.match_rules.keys()) {
    now[index] = hitsNow(plan, one, records, { index, sofar: now })
  }
  const isOther = now.some((ids, index) => !sameIds(ids ?? [], hits[index] ?? []))
  // Rules were left out because of what was found: that has to hold still.
  if (one.skipped && (isOther || isChanged(records, row.hash, one))) return null
  // Who was left out by values that a row has changed since may be meant now.
  if (one.dropped.some((id) => records.all.has(id))) return null
  // Or contradicts now, where all must agree.
  if (isOther && one.dropped.length > 0 && plan.type.match_policy === 'all_agree') return null
  if (!isOther) return { match: one.stored, hits }
  const match = chooseOne(plan, one, isThere(row.id), now)
  // Nobody has looked for similar names of a row that was found.
  if (match.kind === 'none' && one.stored.kind !== 'none') return null
  return { match, hits: now }
}

/** Whether nothing that the rows before have made can matter to a row. */
function isApart({ row, hits, dropped }: MatchedRow, { all, hasKeys }: BatchRecords): boolean {
  if (hasKeys) return false
  if (all.size === 0) return true
  if (row.id !== null && all.has(row.id)) return false
  for (const ids of hits) {
    if (ids === undefined) continue
    for (let i = 0; i < ids.length; i++) if (all.has(ids[i] as number)) return false
  }
  return dropped.length === 0 || !dropped.some((id) => all.has(id))
}

/** The records found under one rule: those of the database, less those that lost the key in this
 *  batch, and those that got it. */
function hitsNow(
  plan: ImportPlan,
  one: MatchedRow,
  { all, gained, lost }: BatchRecords,
  { index, sofar }: { index: number; sofar: Hits }
): number[] | undefined {
  const before = one.hits[index]
  const keys = one.keys[index] ?? []
  const rule = plan.type.match_rules[index]
  if (rule?.lookup_only) return before
  const gone = new Set(keys.flatMap((key) => lost[index]?.get(key) ?? []))
  const fresh = keys.flatMap((key) => gained[index]?.get(key) ?? [])
  if (gone.size === 0 && fresh.length === 0 && !before?.some((id) => all.has(id))) return before
  const ids = [...new Set([...(before ?? []).filter((id) => !gone.has(id)), ...fresh])]
  // In the order in which the database gives them.
  ids.sort((a, b) => a - b)
  if (!rule || rule.identity || rule.suggests) return ids
  return ids.filter((id) => {
    const record = all.get(id)
    if (!record) return true
    return mayMean(plan, one, record.now.data, sofar, identitiesNow(plan.type, record))
  })
}

/** Whether the record that a row was taken for has been changed in this batch. */
function isChanged(records: BatchRecords, hash: number, { stored: match }: MatchedRow): boolean {
  if (match.kind !== 'one') return false
  const record = records.all.get(match.id)
  return record !== undefined && record.before?.fingerprint === hash
}

function sameIds(a: number[], b: number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id))
}
