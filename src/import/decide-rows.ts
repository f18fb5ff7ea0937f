// Matched rows of a batch -> decided rows: decide/ for each row, in order. A row sees what the rows
// before it made of their records (batch-records.ts), as if each had been written by itself. Where
// that cannot be told without the database, the batch ends before the row.
// Called by run-batch.ts; needs no database.

import { rowProblem } from '../errors.ts'
import { mayChangeKeys } from '../record-types/changed-keys.ts'
import { keysOf } from '../record-types/match-keys.ts'
import type { RecordData } from '../record-types/types.ts'
import type { BatchPlace, DecidedRow } from './batch.ts'
import { addChange, addMade, type BatchRecords, noRecords } from './batch-records.ts'
import type { RelatedRecords } from './decide/check-record.ts'
import { type Decision, decideRow } from './decide/decide-row.ts'
import type { ExistingRecord } from './decide/existing-record.ts'
import type { Foreseen } from './dry-run/foresee.ts'
import { generatedBefore, holdTo } from './dry-run/hold-to.ts'
import { keepOrder } from './keep-order.ts'
import type { MatchedRow } from './match/match-rows.ts'
import type { ReferenceNames } from './match/reference-names.ts'
import { defaultReferences, scopedDefaults } from './match/resolve-references.ts'
import { matchAgain } from './match-again.ts'
import type { ImportPlan } from './resolve/plan.ts'
import type { ResolvedRow } from './resolve/resolve-row.ts'

type Update = Extract<Decision, { action: 'update' }>

export interface DecideInput {
  matched: MatchedRow[]
  /** Per match rule, the keys that several rows have. */
  shared: (Set<string> | null)[]
  /** What the database holds of the records found. */
  records: Map<number, ExistingRecord>
  related: RelatedRecords
  /** Of a dry run, and where one is applied. */
  foreseen: Foreseen | null
  now: Date
  /** Rows that would take an identity of another record, and those others. */
  refused: Map<MatchedRow, number[]>
}

export interface DecidedBatch {
  /** The first rows, as far as they can be decided. */
  rows: DecidedRow[]
  /** The records that they make or change. */
  made: BatchRecords
  /** How many of the ids at hand were given to new records. */
  idCount: number
}

const none: never[] = []

/** What the rows of one batch share while they are decided. */
interface Deciding extends DecideInput, DecidedBatch {
  place: BatchPlace
  defaultsFor(row: ResolvedRow): RecordData
  /** A record as the rows so far leave it. */
  stateOf(id: number): ExistingRecord | undefined
  titleOf(id: number): string
  ownNames: ReferenceNames[]
  /** Position of the rule that tells of similar names; -1: none. */
  suggesting: number
  /** Records that rows of this batch were about, and those they gave another name. */
  touched: Set<number>
  renamed: Set<number>
  /** Records about which a row of this batch is not as its dry run showed it. */
  drifted: Set<number>
}

/** Decides rows in order. May be called again with more rows refused. */
export function decideRows(place: BatchPlace, input: DecideInput): DecidedBatch {
  const { plan, memory } = place
  const { type } = plan
  const fixed = { ...plainDefaults(plan), ...defaultReferences(memory.references, plan) }
  const scoped = memory.references.filter(
    ({ field, within }) => within !== null && field.default !== undefined
  )
  const made = noRecords(type)
  const stateOf = (id: number) => made.all.get(id)?.now ?? input.records.get(id)
  const deciding: Deciding = {
    ...input,
    stateOf,
    titleOf: (id) => title(plan, stateOf(id)?.data) || `#${id}`,
    place,
    defaultsFor: (row) =>
      scoped.length === 0 ? fixed : { ...fixed, ...scopedDefaults(scoped, plan, row) },
    ownNames: memory.references.filter((names) => names.type === type),
    suggesting: type.match_rules.findIndex((rule) => rule.suggests),
    touched: new Set(),
    renamed: new Set(),
    drifted: new Set(),
    rows: [],
    made,
    idCount: 0
  }
  for (const one of input.matched) {
    if (!decideOne(deciding, one)) break
    deciding.rows.push(one as DecidedRow)
  }
  const { rows, idCount } = deciding
  return { rows, made, idCount }
}

/** Decides one row after those before it. Out: false when it belongs to the next batch. */
function decideOne(deciding: Deciding, one: MatchedRow): boolean {
  const { place, made, ownNames, renamed, touched } = deciding
  const { plan, memory } = place
  if (refersToRenamed(one, renamed, ownNames)) return false
  const found = matchAgain(plan, one, made, deciding.records)
  if (found === null) return false
  one.match = found.match
  const { row, match } = one
  const existing = match.kind === 'one' ? deciding.stateOf(match.id) : undefined
  // What is found among this batch's records may have values that were not asked for.
  if (existing?.data === null && existing.fingerprint !== row.hash) return false
  keepOrder(plan, memory, one, existing)
  const isRepeat =
    plan.options.repeats === 'reject' &&
    match.kind === 'one' &&
    (touched.has(match.id) || memory.touched.has(match.id))
  const { titleOf } = deciding
  const decision = decideRow(plan, row, match, existing, {
    defaults: deciding.defaultsFor(row),
    titleOf,
    related: deciding.related,
    isRepeat,
    similar: found.hits[deciding.suggesting] ?? none,
    generated: generatedBefore(plan, deciding.foreseen, row.raw.row),
    now: deciding.now
  })
  const others = deciding.refused.get(one)
  const settled =
    others && decision.action === 'update' ? takenKeys(decision, others, titleOf) : decision
  const { drifted, foreseen } = deciding
  one.decision =
    foreseen === null ? settled : holdTo({ plan, foreseen, made, drifted, titleOf }, one, settled)
  one.record_id = match.kind === 'one' ? match.id : null
  return note(deciding, one, one.decision)
}

/** Puts what the row makes or changes where later rows see it. Out: false when there is no id for a
 *  new record. */
function note(deciding: Deciding, one: MatchedRow, decision: Decision): boolean {
  const { place, made, shared, touched } = deciding
  const { plan, memory } = place
  if (decision.action === 'create') {
    const id = memory.ids[deciding.idCount]
    if (id === undefined) return false
    deciding.idCount++
    one.record_id = id
    addMade(made, newRecord(one, id, decision.data), keysOfNew(plan, one, decision.data), shared)
  } else if (decision.action === 'update') {
    const { record, set, before } = decision
    const organization_id = organizationAfter(plan, one, decision)
    one.gained = gainedKeys(plan, one, decision, organization_id).map(({ index, key }) => ({
      index,
      key,
      held: [...(made.gained[index]?.get(key) ?? none)],
      lost: [...(made.lost[index]?.get(key) ?? none)]
    }))
    const change = { set, before, organization_id, fingerprint: one.row.hash }
    addChange(made, plan.type, record, change)
    noteRenamed(deciding.ownNames, decision, deciding.renamed)
  }
  const isAbout = decision.action !== 'skip' && decision.action !== 'reject'
  if (one.record_id !== null && isAbout) touched.add(one.record_id)
  return true
}

function newRecord({ row, organization_id }: MatchedRow, id: number, data: RecordData) {
  return { id, version: 1, organization_id, fingerprint: row.hash, data }
}

/** The keys of a new record: those of its row, unless more than the row says is in them. */
function keysOfNew(plan: ImportPlan, one: MatchedRow, data: RecordData): string[][] {
  if (!plan.rekeys) return one.keys
  return plan.type.match_rules.map((rule) => keysOf(rule, data, one.organization_id))
}

function takenKeys(
  { record }: Update,
  others: number[],
  titleOf: (id: number) => string
): Decision {
  const candidates = [record.id, ...others].map((id) => ({ id, title: titleOf(id) }))
  return { action: 'reject', problems: [rowProblem('identity_conflict', { candidates })] }
}

/** The defaults that name no other record. */
function plainDefaults({ defaults, fields }: ImportPlan): RecordData {
  const isPlain = ([name]: [string, unknown]) => !fields.get(name)?.reference
  return Object.fromEntries(Object.entries(defaults).filter(isPlain))
}

/** The organization a record belongs to once the row is in: it may be taken away. */
function organizationAfter({ type }: ImportPlan, one: MatchedRow, { record, set }: Update) {
  const { organization_field } = type
  if (organization_field !== null && organization_field in set) {
    return set[organization_field] as number | null
  }
  return one.organization_id ?? record.organization_id
}

/** Whether a row refers to a record of its own type that an earlier row has renamed. */
function refersToRenamed(
  { row }: MatchedRow,
  renamed: Set<number>,
  ownNames: ReferenceNames[]
): boolean {
  if (renamed.size === 0) return false
  return ownNames.some(({ field }) => {
    const value = row.values[field.name]
    const ids = Array.isArray(value) ? value : [value]
    if (ids.some((id) => typeof id === 'number' && renamed.has(id))) return true
    if (typeof value === 'number') return false
    // Of several records that had the name, one may have it no more.
    return row.problems?.some((one) => one.field === field.name) === true
  })
}

/** The keys that a record gets and of which nobody knows whether others have them: its row alone does
 *  not have them, or it has several of them and one may have found the record, another one another. */
function gainedKeys(
  { type }: ImportPlan,
  one: MatchedRow,
  { record, set }: Update,
  organization_id: number | null
) {
  const { match_rules } = type
  // A record that moves takes keys along which its row may not know; one that stays where it is and
  // whose row does not say where, has keys there.
  const elsewhere = one.organization_id !== record.organization_id
  const changed = Object.keys(set)
  if (!elsewhere && !match_rules.some((rule) => mayChangeKeys(rule, changed, false))) return none
  const data = { ...record.data, ...set }
  return match_rules.flatMap((rule, index) => {
    const changes = rule.fields.some((name) => name in set)
    const mixes = rule.fields.length > 1 && changes
    const inside = typeof rule.scope === 'object' && (changes || rule.scope.field in set)
    const scoped = inside || (rule.scope === 'organization' && (elsewhere || changes))
    const opens = rule.unless !== undefined && rule.unless in set
    const known = one.keys[index] ?? []
    const several = rule.identity && changes && known.length > 1
    if (!mixes && !scoped && !opens && !several) return []
    const before = keysOf(rule, record.data ?? {}, record.organization_id)
    return keysOf(rule, data, organization_id)
      .filter((key) => (several || !known.includes(key)) && !before.includes(key))
      .map((key) => ({ index, key }))
  })
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
