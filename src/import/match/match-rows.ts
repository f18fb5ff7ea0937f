// rows -> the records they are about, for a whole batch.
// In: resolved rows whose references are ids. Out: per row its keys, its match and the record found.
//
// Rules are looked up in tiers and only as far as needed: a row whose record was last written from
// exactly these values is done after the first hit. What is found is what the database holds; rows
// that are about one record see each other's work in decide-rows.ts.

import { keysOf } from '../../record-types/match-keys.ts'
import type { MatchRule, RecordData } from '../../record-types/types.ts'
import { chooseMatch, type Hits, type Match } from '../decide/choose-match.ts'
import type { Decision } from '../decide/decide-row.ts'
import type { ExistingRecord } from '../decide/existing-record.ts'
import type { ShownChanges } from '../dry-run/terms.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { ResolvedRow } from '../resolve/resolve-row.ts'
import { contradict, type Identities, identitiesOf } from './identities.ts'
import type { KeyFilter } from './key-filter.ts'
import { fetchMatched, type MatchPlace, probeRuleKeys } from './linked-records.ts'
import { findRepeatedKeys } from './repeated-keys.ts'

export interface MatchedRow {
  row: ResolvedRow
  /** The organization the row's record belongs to; null for types that stand alone. */
  organization_id: number | null
  /** Key texts by position of the match rule. */
  keys: string[][]
  match: Match
  /** The match by what the database holds, before the rows of the batch. */
  stored: Match
  /** The record of a match of one. */
  existing: ExistingRecord | undefined
  hits: Hits
  /** Nothing more has to be looked up for this row. */
  settled: boolean
  /** Some deciding rules were not looked up, because what was found made them needless. */
  skipped: boolean
  /** Records that were found and cannot be meant, by their identities. */
  dropped: number[]
  /** What tells the row's record from others; null: not asked yet. */
  identities: Identities | null
  decision: Decision | null
  /** The record that the row is about, made or found; null: none (yet). */
  record_id: number | null
  /** Keys that the record gets by the decision, and that others may have. */
  gained: GainedKey[]
  /** Only in a dry run, and where one is applied: what is to be shown of the row, and the record
   *  about which it drifted. */
  changes?: ShownChanges | null
  drifted?: number | null
}

/** A key, by position of its match rule. */
export interface GainedKey {
  index: number
  key: string
  /** Records that rows before this one, of the same batch, gave the key, or took it from. */
  held: number[]
  lost: number[]
}

/** Rows with their keys, and what they have in common. */
export interface PreparedRows {
  rows: MatchedRow[]
  /** Per match rule, the keys that several of the rows have; null: none. */
  shared: (Set<string> | null)[]
}

/** Keys of the rows: what matching can do without the database. */
export function prepareRows(
  plan: ImportPlan,
  filter: KeyFilter | null,
  rows: ResolvedRow[]
): PreparedRows {
  const rules = plan.type.match_rules
  const all = rows.map((row) => prepare(plan, rules, row))
  // Rows can only share keys under rules of which a key may have been there before.
  const doubtful = filter?.knowsAll() ? noteAll(filter, rules, all) : rules.map(() => true)
  return { rows: all, shared: findRepeatedKeys(rules, all, doubtful) }
}

/** Matches a batch with what the database holds. Out: the records looked at. */
export async function matchRows(
  place: MatchPlace,
  batch: MatchedRow[]
): Promise<Map<number, ExistingRecord>> {
  const { type } = place.plan
  const records = new Map<number, ExistingRecord>()
  if (batch.every((one) => one.settled)) return records
  const hashes = batch.map((one) => one.row.hash)
  await fetchInto(place, records, idsOfCells(batch), hashes)
  for (const [index, rule] of type.match_rules.entries()) {
    await probeRule(place, records, batch, index, rule, hashes)
  }
  chooseAll(place.plan, batch, records)
  // Values are left out for a record whose fingerprint is that of any row in the batch. Where it
  // is not that of its own row, they are needed after all; and for the titles of candidates.
  const bare = batch.flatMap((one) => (isUntouched(one) ? [] : idsOfMatch(one.match)))
  await fetchInto(
    place,
    records,
    bare.filter((id) => records.get(id)?.data === null),
    []
  )
  for (const one of batch) if (one.existing) one.existing = records.get(one.existing.id)
  return records
}

const isUntouched = (one: MatchedRow) => one.existing?.fingerprint === one.row.hash

/** Chooses the record of every row. */
function chooseAll(
  plan: ImportPlan,
  batch: MatchedRow[],
  records: Map<number, ExistingRecord>
): void {
  for (const one of batch) {
    if (isOut(one.row)) continue
    one.match = chooseOne(plan, one, records.has(one.row.id ?? -1), one.hits)
    one.stored = one.match
    if (one.match.kind === 'one') one.existing = records.get(one.match.id)
  }
}

/** The record that one row is about, by what was found for it. */
export function chooseOne(plan: ImportPlan, one: MatchedRow, idExists: boolean, hits: Hits): Match {
  return chooseMatch({ rules: plan.type.match_rules, ...plan }, one.row.id, idExists, hits)
}

const nothing: never[] = []
const noMatch: Match = { kind: 'none' }

/** Rows that are about no record. One that waits is about one: others must not get ahead of it. */
const isOut = (row: ResolvedRow) => row.rejected || row.isSample

/** The records that a match is about. */
export function idsOfMatch(match: Match): number[] {
  if (match.kind === 'one') return [match.id]
  return match.kind === 'several' || match.kind === 'conflict' ? match.ids : nothing
}

function prepare(plan: ImportPlan, rules: MatchRule[], row: ResolvedRow): MatchedRow {
  const organization_id = organizationOf(plan, row)
  // One organization for the whole file: each row says so, also about a record found elsewhere.
  if (plan.type.organization_field !== null && organization_id !== null) {
    row.values[plan.type.organization_field] = organization_id
  }
  const out = isOut(row)
  const values = plan.keyDefaults === null ? row.values : withDefaults(plan.keyDefaults, row.values)
  const keys = out ? [] : rules.map((rule) => keysOf(rule, values, organization_id))
  return {
    row,
    organization_id,
    keys,
    match: noMatch,
    stored: noMatch,
    existing: undefined,
    hits: nothing,
    settled: out,
    skipped: false,
    dropped: nothing,
    identities: null,
    decision: null,
    record_id: null,
    gained: nothing
  }
}

function withDefaults(defaults: RecordData, values: RecordData): RecordData {
  const all = { ...defaults }
  for (const name in values) {
    const value = values[name]
    if (value !== null && value !== undefined) all[name] = value
  }
  return all
}

/** Notes the keys of all rows; rows whose keys are all new match nothing and are settled.
 *  Out: by position of the rule, whether any of its keys may have been there before. */
function noteAll(filter: KeyFilter, rules: MatchRule[], batch: MatchedRow[]): boolean[] {
  const doubtful = rules.map(() => false)
  for (const one of batch) {
    let isNew = one.row.id === null
    for (let place = 0; place < one.keys.length; place++) {
      const { code, lookup_only } = rules[place] as MatchRule
      if (lookup_only) continue
      for (const key of one.keys[place] as string[]) {
        if (!filter.note(code, key)) continue
        isNew = false
        doubtful[place] = true
      }
    }
    if (isNew) one.settled = true
  }
  return doubtful
}

function organizationOf(plan: ImportPlan, row: ResolvedRow): number | null {
  const { organization_field } = plan.type
  if (organization_field === null) return null
  const id = row.values[organization_field]
  return typeof id === 'number' ? id : plan.options.organization_id
}

function idsOfCells(batch: MatchedRow[]): number[] {
  return batch.flatMap(({ row }) => (row.id === null || isOut(row) ? [] : [row.id]))
}

/** Looks up one rule for the rows that still need it, then fetches what it found. */
async function probeRule(
  place: MatchPlace,
  records: Map<number, ExistingRecord>,
  batch: MatchedRow[],
  index: number,
  rule: MatchRule,
  hashes: number[]
): Promise<void> {
  const { plan } = place
  const all_agree = plan.type.match_policy === 'all_agree'
  const decides = plan.deciding[index] === true
  if (!decides && (!rule.suggests || plan.options.similar === 'ignore')) return
  const needed = (one: MatchedRow) =>
    (decides && (rule.identity || all_agree)) || !isFound(plan, one)
  const open = batch.filter((one) => {
    if (one.settled) return false
    const isNeeded = needed(one)
    if (decides && !isNeeded) one.skipped = true
    return isNeeded
  })
  const keys = open.flatMap((one) => one.keys[index] ?? [])
  if (keys.length === 0) return
  const found = await probeRuleKeys(place, rule, keys)
  if (found.size === 0) return
  const hitRows = open.filter((one) => {
    const ids = (one.keys[index] ?? []).flatMap((key) => found.get(key) ?? [])
    if (one.hits === nothing) one.hits = []
    one.hits[index] = ids.length > 1 ? [...new Set(ids)].sort((a, b) => a - b) : ids
    return ids.length > 0
  })
  const ids = hitRows.flatMap((one) => one.hits[index] ?? [])
  // Without an identity the values decide whether it can be the record at all.
  await fetchInto(place, records, ids, rule.identity ? hashes : [])
  for (const one of hitRows) settle(plan, records, one, index, rule)
}

function isFound({ deciding }: ImportPlan, one: MatchedRow): boolean {
  return (
    one.row.id !== null || one.hits.some((ids, index) => deciding[index] && ids && ids.length > 0)
  )
}

/** Drops records that contradict the row, and closes rows that say what their record is. */
function settle(
  plan: ImportPlan,
  records: Map<number, ExistingRecord>,
  one: MatchedRow,
  index: number,
  rule: MatchRule
): void {
  const hits = one.hits[index] ?? []
  if (rule.suggests) return
  if (!rule.identity) {
    const kept = hits.filter((id) => mayMean(plan, one, records.get(id)?.data ?? {}, one.hits))
    if (kept.length < hits.length) {
      one.dropped = [...one.dropped, ...hits.filter((id) => !kept.includes(id))]
    }
    one.hits[index] = kept
  }
  const [first] = hits
  if (one.row.id !== null || hits.length !== 1 || first === undefined) return
  if (records.get(first)?.fingerprint !== one.row.hash) return
  one.settled = true
  one.skipped = true
}

/** Whether a row found without an identity may be about a record: nothing tells the two apart. */
export function mayMean(
  { type }: ImportPlan,
  one: MatchedRow,
  data: RecordData,
  hits: Hits,
  identities = identitiesOf(type, data)
): boolean {
  // Where all must agree, an identity that names somebody else is a conflict, and is kept as one.
  const isKnown = () => type.match_rules.some((rule, i) => rule.identity && hits[i]?.length)
  if (type.match_policy === 'all_agree' && isKnown()) return true
  one.identities ??= identitiesOf(type, one.row.values)
  return !contradict(one.identities, identities)
}

/** Fetches the records not fetched yet, or fetched without values although all are wanted now. */
async function fetchInto(
  place: MatchPlace,
  records: Map<number, ExistingRecord>,
  ids: number[],
  hashes: number[]
): Promise<void> {
  const missing = [...new Set(ids)].filter((id) => {
    const record = records.get(id)
    return record === undefined || (record.data === null && hashes.length === 0)
  })
  for (const record of await fetchMatched(place, missing, hashes)) records.set(record.id, record)
}
