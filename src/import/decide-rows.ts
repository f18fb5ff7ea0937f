// Matched rows of a batch -> decided rows: decide/ for each row, in order, up to the first row that
// has to see what an earlier one makes of its record. That row and all behind it wait for the next
// batch. Called by run-batch.ts; needs no database.

import { keysOf } from '../record-types/match-keys.ts'
import type { RecordData } from '../record-types/types.ts'
import type { BatchMemory, BatchPlace, DecidedRow } from './batch.ts'
import type { RelatedRecords } from './decide/check-record.ts'
import { type Decision, decideRow } from './decide/decide-row.ts'
import type { ExistingRecord } from './decide/existing-record.ts'
import { createKeyFilter } from './match/key-filter.ts'
import type { GainedKey, MatchedRow } from './match/match-rows.ts'
import type { ReferenceNames } from './match/reference-names.ts'
import { defaultReferences, scopedDefaults } from './match/resolve-references.ts'
import type { ImportPlan } from './resolve/plan.ts'

type Update = Extract<Decision, { action: 'update' }>

/** What the updates of a batch change beyond what their rows say. */
interface Effects {
  /** Keys that records get and their rows alone do not have (new first name, old last name). */
  keys: Set<string>
  /** Records that are no longer found under the name they had. */
  renamed: Set<number>
}

const none: number[] = []

/** Decides rows in order. Out: the rows before the first one that has to wait. */
export function decideRows(
  { plan, memory }: BatchPlace,
  matched: MatchedRow[],
  known: { records: Map<number, ExistingRecord>; related: RelatedRecords; now: Date }
): DecidedRow[] {
  const { records, related, now } = known
  const fixed = { ...plainDefaults(plan), ...defaultReferences(memory.references, plan) }
  const scoped = memory.references.filter(
    ({ field, within }) => within !== null && field.default !== undefined
  )
  const titleOf = (id: number) => title(plan, records.get(id)?.data) || `#${id}`
  const ownNames = memory.references.filter((names) => names.type === plan.type)
  const rejects = plan.options.repeats === 'reject'
  const suggesting = plan.type.match_rules.findIndex((rule) => rule.suggests)
  const effects: Effects = { keys: new Set(), renamed: new Set() }
  let count = 0
  for (const one of matched) {
    if (depends(one, effects, ownNames)) break
    const { row, match, existing } = one
    keepOrder(plan, memory, one)
    const isRepeat = rejects && match.kind === 'one' && memory.touched.has(match.id)
    const similar = one.hits[suggesting] ?? none
    const defaults =
      scoped.length === 0 ? fixed : { ...fixed, ...scopedDefaults(scoped, plan, row) }
    const context = { defaults, titleOf, related, isRepeat, similar, now }
    const decision = decideRow(plan, row, match, existing, context)
    one.decision = decision
    if (decision.action === 'update') {
      one.gained = gainedKeys(plan, one, decision)
      if (one.gained.some(({ key }) => effects.keys.has(key))) break
    }
    count++
    if (decision.action !== 'update') continue
    for (const { key } of one.gained) effects.keys.add(key)
    noteRenamed(ownNames, decision, effects.renamed)
  }
  noteMerged(memory, effects.keys)
  return (count < matched.length ? matched.slice(0, count) : matched) as DecidedRow[]
}

/** A row that shares a key with one that waits has to wait as well. */
function keepOrder({ deciding, type }: ImportPlan, memory: BatchMemory, one: MatchedRow): void {
  const { row, keys } = one
  if (row.rejected || row.isSample || (memory.waiting === null && !row.waits)) return
  memory.waiting ??= createKeyFilter(true)
  const { waiting } = memory
  const each = (visit: (rule: number, key: string) => void) => {
    if (row.id !== null) visit(0, String(row.id))
    for (const [index, rule] of type.match_rules.entries()) {
      if (deciding[index]) for (const key of keys[index] ?? []) visit(rule.code, key)
    }
  }
  each((rule, key) => {
    if (waiting.has(rule, key)) row.waits = true
  })
  if (row.waits) each((rule, key) => void waiting.note(rule, key))
}

/** The defaults that name no other record. */
function plainDefaults({ defaults, fields }: ImportPlan): RecordData {
  const isPlain = ([name]: [string, unknown]) => !fields.get(name)?.reference
  return Object.fromEntries(Object.entries(defaults).filter(isPlain))
}

/** Whether a row may be about, or refer to, what an earlier row has changed. */
function depends({ row, keys }: MatchedRow, effects: Effects, ownNames: ReferenceNames[]): boolean {
  const gained = effects.keys
  if (gained.size > 0 && keys.some((some) => some.some((key) => gained.has(key)))) return true
  if (effects.renamed.size === 0) return false
  return ownNames.some(({ field }) => {
    const value = row.values[field.name]
    const ids = Array.isArray(value) ? value : [value]
    if (ids.some((id) => typeof id === 'number' && effects.renamed.has(id))) return true
    if (typeof value === 'number') return false
    // Of several records that had the name, one may have it no more.
    return row.problems?.some((one) => one.field === field.name) === true
  })
}

/** What was read ahead, and the filter, do not know of keys that arise from old and new values. */
function noteMerged(memory: BatchMemory, merged: Set<string>): void {
  if (merged.size === 0) return
  memory.filter?.forget()
  memory.epoch++
}

/** The keys that a record gets and its row alone does not have, so that nobody has looked them up. */
function gainedKeys(plan: ImportPlan, one: MatchedRow, { record, set }: Update): GainedKey[] {
  const { organization_field, match_rules } = plan.type
  const inSet = organization_field !== null && organization_field in set
  const organization_id = inSet
    ? (set[organization_field] as number | null)
    : (one.organization_id ?? record.organization_id)
  // A record that moves takes keys along which its row may not know; one that stays where it is and
  // whose row does not say where, has keys there.
  const elsewhere = one.organization_id !== record.organization_id
  const data = { ...record.data, ...set }
  const gained: GainedKey[] = []
  for (const [index, rule] of match_rules.entries()) {
    const mixes = rule.fields.length > 1 && rule.fields.some((name) => name in set)
    const scoped =
      rule.scope !== 'account' && (elsewhere || rule.fields.some((name) => name in set))
    if (!mixes && !scoped) continue
    const before = keysOf(rule, record.data ?? {}, record.organization_id)
    for (const key of keysOf(rule, data, organization_id)) {
      if (!one.keys[index]?.includes(key) && !before.includes(key)) gained.push({ index, key })
    }
  }
  return gained
}

function noteRenamed(ownNames: ReferenceNames[], { record, set }: Update, renamed: Set<number>) {
  const { data } = record
  const isName = (name: string) => name in set && data?.[name] !== undefined
  if (ownNames.some(({ rule, also }) => [rule, also].some((one) => one?.fields.some(isName)))) {
    renamed.add(record.id)
  }
}

function title(plan: ImportPlan, data: RecordData | null | undefined): string {
  return plan.type.title_fields.flatMap((name) => data?.[name] ?? []).join(' ')
}
