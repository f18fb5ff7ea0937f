// One batch: resolved rows -> match -> decide -> write, inside the caller's transaction.
// Called by job.ts. The number of statements is a constant, whatever the batch holds.

import type { Tx } from '../platform/db.ts'
import { keysOf } from '../record-types/match-keys.ts'
import type { RecordData } from '../record-types/types.ts'
import { type Decision, decideRow } from './decide/decide-row.ts'
import { findSelfReference } from './match/find-collision.ts'
import { createKeyFilter, type KeyFilter } from './match/key-filter.ts'
import { isTypeEmpty, lockTypes, readWriteSeqs } from './match/lock-types.ts'
import { type MatchedRow, matchRows } from './match/match-rows.ts'
import { takeRecordIds } from './match/probe-keys.ts'
import {
  defaultReferences,
  findUnknownNames,
  type NewReference,
  prepareReferences,
  type ReferenceNames,
  resolveReferences,
  trimReferences,
  typesToCreateIn,
  type UnknownNames
} from './match/resolve-references.ts'
import type { ImportPlan } from './resolve/plan.ts'
import type { ResolvedRow } from './resolve/resolve-row.ts'
import type { ExistingRecord, Outcome, Problem } from './terms.ts'
import { type RowOutcome, writeOutcomes } from './write/write-outcomes.ts'
import { createRecords, type NewRecord, updateRecords } from './write/write-records.ts'

/** What an import knows from batch to batch; lost with its worker, and then found out again. */
export interface BatchMemory {
  references: ReferenceNames[]
  filter: KeyFilter | null
  /** write_seq of each type as this import left it: another value means somebody else wrote. */
  writeSeqs: Map<number, number>
}

export interface BatchPlace {
  tx: Tx
  account_id: number
  import_id: number
  /** yyyy-mm-dd, partition key of the import's rows. */
  created_on: string
  plan: ImportPlan
  memory: BatchMemory
}

export interface BatchResult {
  /** Rows done: the first so many of those given. The others belong to the next batch. */
  rowCount: number
  counts: Record<Outcome, number>
  warnings: number
  /** Records created because rows named them, by type name. */
  referencesCreated: Record<string, number>
  /** What became of each row done, in order. */
  rows: RowOutcome[]
}

/** Memory of an import that begins or is taken over. */
export function startMemory(plan: ImportPlan): BatchMemory {
  return { references: prepareReferences(plan), filter: null, writeSeqs: new Map() }
}

/** After a rollback nothing remembered is sure any more. */
export function forgetMemory(memory: BatchMemory, plan: ImportPlan): void {
  memory.references = prepareReferences(plan)
  memory.filter?.forget()
  memory.writeSeqs.clear()
}

/** Runs one batch. `rows` are fresh from resolveRow; they are changed in place. */
export async function runBatch(place: BatchPlace, rows: ResolvedRow[]): Promise<BatchResult> {
  const { tx, account_id, plan, memory } = place
  const unknown = await takeTurn(place, rows)
  const cut = findSelfReference(plan.type, memory.references, rows)
  const batch = cut < rows.length ? rows.slice(0, cut) : rows
  const named = await resolveReferences(tx, account_id, unknown, batch)
  const filter = memory.filter ?? createKeyFilter(false)
  const { matched, records } = await matchRows({ tx, account_id, plan, filter }, batch)
  const decided = decideRows(place, matched, records)
  return await writeBatch(place, decided, named)
}

/** Locks the types that may be written and drops what others have made uncertain.
 *  Out: the names that have to be looked up. */
async function takeTurn(place: BatchPlace, rows: ResolvedRow[]): Promise<UnknownNames> {
  const { tx, account_id, plan, memory } = place
  const { references, writeSeqs } = memory
  const own = plan.type.type_id
  trimReferences(references)
  let unknown = findUnknownNames(references, plan, rows)
  const locked = await lockTypes(tx, account_id, [own, ...typesToCreateIn(unknown)])
  const others = references.map((names) => names.type.type_id).filter((id) => !locked.has(id))
  const read = await readWriteSeqs(tx, account_id, [...new Set(others)])
  const stale = references.filter(({ type, ids }) => {
    return ids.size > 0 && wroteElse(writeSeqs, type.type_id, locked, read)
  })
  if (stale.length > 0) {
    for (const { ids } of stale) ids.clear()
    unknown = findUnknownNames(references, plan, rows)
    // Names that have become unknown again may have to be created. Taking a second turn out of
    // order can end in a deadlock, which the database reports and the caller tries again.
    const more = typesToCreateIn(unknown).filter((id) => !locked.has(id))
    if (more.length > 0) {
      for (const [id, seq] of await lockTypes(tx, account_id, more)) locked.set(id, seq)
    }
  }
  if (memory.filter === null) {
    memory.filter = createKeyFilter(await isTypeEmpty(tx, account_id, own))
  } else if (wroteElse(writeSeqs, own, locked, read)) memory.filter.forget()
  for (const [id, seq] of [...read, ...locked]) writeSeqs.set(id, seq)
  return unknown
}

/** Whether anybody else wrote the type since this import last looked. */
function wroteElse(
  known: Map<number, number>,
  type_id: number,
  locked: Map<number, number>,
  read: Map<number, number>
): boolean {
  const before = known.get(type_id)
  const own = locked.get(type_id)
  const now = own === undefined ? read.get(type_id) : own - 1
  return before === undefined || before !== now
}

interface DecidedRow extends MatchedRow {
  decision: Decision
}

function decideRows(
  place: BatchPlace,
  matched: MatchedRow[],
  records: Map<number, ExistingRecord>
): DecidedRow[] {
  const { plan, memory } = place
  const defaults = { ...plan.defaults, ...defaultReferences(memory.references, plan) }
  const titleOf = (id: number) => title(plan, records.get(id)?.data) || `#${id}`
  const decided: DecidedRow[] = []
  const merged = new Set<string>()
  for (const one of matched) {
    // A change can give a record a key that its row alone does not have (new first name, old last
    // name). A row that may be about that record waits for the next batch.
    if (merged.size > 0 && one.keys.some((keys) => keys.some((key) => merged.has(key)))) break
    const decision = decideRow(plan, one.row, one.match, one.existing, { defaults, titleOf })
    if (decision.action === 'update') noteMergedKeys(plan, one, decision, merged)
    decided.push({ ...one, decision })
  }
  return decided
}

function noteMergedKeys(
  plan: ImportPlan,
  one: MatchedRow,
  decision: Extract<Decision, { action: 'update' }>,
  merged: Set<string>
): void {
  for (const [index, rule] of plan.type.match_rules.entries()) {
    if (rule.fields.length < 2 || !rule.fields.some((name) => name in decision.set)) continue
    const data = { ...decision.record.data, ...decision.set }
    for (const key of keysOf(rule, data, one.organization_id)) {
      if (!one.keys[index]?.includes(key)) merged.add(key)
    }
  }
}

function title(plan: ImportPlan, data: RecordData | null | undefined): string {
  return plan.type.title_fields.flatMap((name) => data?.[name] ?? []).join(' ')
}

async function writeBatch(
  place: BatchPlace,
  decided: DecidedRow[],
  named: Map<number, NewReference>
): Promise<BatchResult> {
  const { tx, account_id, import_id, plan, memory } = place
  const creations = decided.filter((one) => one.decision.action === 'create')
  const ids = await takeRecordIds(tx, creations.length)
  const created = creations.map((one, index) => newRecord(plan, one, ids[index] as number))
  const idOf = new Map(creations.map((one, index) => [one, ids[index] as number]))
  const used = usedReferences(decided, named, memory)
  const write = { tx, account_id, import_id, type: plan.type }
  await createRecords(write, [...used.map(newReferenceRecord), ...created])
  await updateRecords(write, decided.flatMap(changedRecord))
  if (memory.filter) noteKeys(memory.filter, plan, created, decided)
  const outcomes = decided.map((one) => rowOutcome(one, idOf.get(one) ?? null))
  await writeOutcomes(place, outcomes)
  const referencesCreated: Record<string, number> = {}
  for (const { type } of used)
    referencesCreated[type.name] = (referencesCreated[type.name] ?? 0) + 1
  return { rowCount: decided.length, ...tally(outcomes), referencesCreated, rows: outcomes }
}

function newRecord(plan: ImportPlan, one: DecidedRow, id: number): NewRecord {
  const data = one.decision.action === 'create' ? one.decision.data : {}
  const { organization_field } = plan.type
  if (organization_field !== null && one.organization_id !== null) {
    data[organization_field] = one.organization_id
  }
  const keys: NewRecord['keys'] = []
  for (const [index, rule] of plan.type.match_rules.entries()) {
    for (const value of one.keys[index] ?? []) keys.push({ rule: rule.code, value })
  }
  return {
    id,
    type_id: plan.type.type_id,
    organization_id: one.organization_id,
    fingerprint: one.row.hash,
    data,
    keys
  }
}

function newReferenceRecord({ id, type, data, keys }: NewReference): NewRecord {
  return { id, type_id: type.type_id, organization_id: null, fingerprint: null, data, keys }
}

/** The named records that a row which is written really refers to. The others are not created,
 *  and forgotten again: a rejected row leaves nothing behind. */
function usedReferences(
  decided: DecidedRow[],
  named: Map<number, NewReference>,
  memory: BatchMemory
): NewReference[] {
  if (named.size === 0) return []
  const used = new Set<number>()
  for (const { decision } of decided) {
    const values =
      decision.action === 'create'
        ? decision.data
        : decision.action === 'update'
          ? decision.set
          : {}
    for (const { field } of memory.references) {
      const id = values[field.name]
      if (typeof id === 'number' && named.has(id)) used.add(id)
    }
  }
  for (const { ids } of memory.references) {
    for (const [text, found] of ids) {
      const id = found[0]
      if (id !== undefined && named.has(id) && !used.has(id)) ids.delete(text)
    }
  }
  return [...named.values()].filter(({ id }) => used.has(id))
}

function changedRecord(one: DecidedRow) {
  const { decision } = one
  if (decision.action !== 'update') return []
  const { record, set, before } = decision
  const organization_id = one.organization_id ?? record.organization_id
  return [
    {
      id: record.id,
      version: record.version,
      organization_id,
      fingerprint: one.row.hash,
      data: record.data ?? {},
      set,
      before
    }
  ]
}

function noteKeys(
  filter: KeyFilter,
  plan: ImportPlan,
  created: NewRecord[],
  decided: DecidedRow[]
) {
  if (!filter.knowsAll()) return
  for (const { keys } of created) for (const { rule, value } of keys) filter.add(rule, value)
  for (const one of decided) {
    if (one.decision.action !== 'update') continue
    const data = { ...one.decision.record.data, ...one.decision.set }
    for (const rule of plan.type.match_rules) {
      for (const key of keysOf(rule, data, one.organization_id)) filter.add(rule.code, key)
    }
  }
}

const outcomeOf: Record<Decision['action'], Outcome> = {
  create: 'created',
  update: 'updated',
  unchanged: 'unchanged',
  skip: 'skipped',
  reject: 'rejected'
}

function rowOutcome(one: DecidedRow, createdId: number | null): RowOutcome {
  const { decision, match, row } = one
  const more = 'problem' in decision && decision.problem ? [decision.problem] : []
  const problems = more.length > 0 ? [...(row.problems ?? []), ...more] : row.problems
  const rejected = decision.action === 'reject'
  return {
    raw: row.raw,
    outcome: outcomeOf[decision.action],
    record_id: rejected ? null : match.kind === 'one' ? match.id : createdId,
    matched_by: match.kind === 'one' && !rejected ? match.matched_by : null,
    changed_fields: decision.action === 'update' ? Object.keys(decision.set) : null,
    problems
  }
}

/** Counts outcomes, and the rows that have a warning but no error. */
export function tally(outcomes: { outcome: Outcome; problems: Problem[] | null }[]) {
  const counts = { created: 0, updated: 0, unchanged: 0, skipped: 0, rejected: 0, failed: 0 }
  let warnings = 0
  for (const { outcome, problems } of outcomes) {
    counts[outcome]++
    if (problems !== null && outcome !== 'rejected' && outcome !== 'failed') warnings++
  }
  return { counts, warnings }
}
