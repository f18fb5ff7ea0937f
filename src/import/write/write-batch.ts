// Decided rows -> everything a batch leaves in the database, and what the import counts of it.
// The order keeps the server at work: while it stores the records, the rest is made ready here.

import { rowProblem } from '../../errors.ts'
import { copyAll } from '../../platform/copy-in.ts'
import { keysOf } from '../../record-types/match-keys.ts'
import type { Json } from '../../record-types/types.ts'
import type { BatchMemory, BatchPlace, DecidedRow } from '../batch.ts'
import type { BatchRecord } from '../batch-records.ts'
import type { Decision } from '../decide/decide-row.ts'
import { keptCells } from '../decide/secret-values.ts'
import type { DecidedBatch } from '../decide-rows.ts'
import { withoutMade } from '../dry-run/shown-changes.ts'
import type { NewReference } from '../match/create-references.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import { warn } from '../resolve/resolve-row.ts'
import type { Outcome, Problem } from '../terms.ts'
import { copyWaiting, dropWaiting } from './waiting-rows.ts'
import { type NamedLink, takeLinks, writeLinks } from './write-links.ts'
import { copyForeseen, copyOutcomes, type RowOutcome } from './write-outcomes.ts'
import {
  type ChangedRecord,
  copyChanges,
  copyKeys,
  copyRecords,
  copyReferences,
  type NewRecord,
  type RecordStep,
  updateRecords
} from './write-records.ts'

export interface BatchResult {
  /** Rows done: the first so many of those given. The others belong to the next batch. */
  rowCount: number
  counts: Record<Outcome, number>
  warnings: number
  /** Records created because rows named them, by type name. */
  referencesCreated: Record<string, number>
  /** Rows done that have no outcome yet: they wait for the end of the file. */
  waiting: number
  /** What became of each row done, in order; without those that wait. */
  rows: RowOutcome[]
  /** Records about which a row was not as its dry run showed it. */
  drifted: number[]
}

/** Writes the batch. `named` are the records that rows may have brought into being by naming them. */
export async function writeBatch(
  place: BatchPlace,
  { rows: decided, made, idCount }: DecidedBatch,
  named: Map<number, NewReference>
): Promise<BatchResult> {
  const { tx, out, account_id, import_id, plan, memory } = place
  memory.ids.splice(0, idCount)
  const used = usedReferences(decided, named, memory)
  const created = used.map(newReferenceRecord)
  const changed: ChangedRecord[] = []
  const steps: RecordStep[] = []
  const links: NamedLink[] = []
  for (const each of made.all.values()) {
    const record = takeLinks(plan, each, links)
    if (record.before === null) created.push(newRecord(plan, record))
    else changed.push({ ...record, before: record.before })
    for (const step of record.steps) steps.push({ id: record.now.id, ...step })
  }
  noteSimilar(decided, used, memory)
  const { whileBusy } = place
  const write = { tx, account_id, import_id, type: plan.storedType }
  const gained = await updateRecords(write, changed, whileBusy)
  const outcomes: RowOutcome[] = []
  // Made when they are sent: by then the server is at work on what was sent before.
  function* makeOutcomes() {
    for (const one of decided) {
      if (one.decision.action === 'wait') continue
      const outcome = rowOutcome(plan, one)
      outcomes.push(outcome)
      yield outcome
    }
  }
  const waiting = decided.filter((one) => one.decision.action === 'wait')
  const parts = out === tx ? [copyOutcomes(place, makeOutcomes())] : []
  if (place.waited) await dropWaiting(place, decided)
  else if (waiting.length > 0) parts.push(copyWaiting(place, waiting))
  if (steps.length > 0) parts.unshift(copyChanges(write, steps))
  if (created.length + gained.length > 0) parts.unshift(copyKeys(account_id, created, gained))
  if (used.length > 0) parts.push(copyReferences(write, used))
  if (created.length > 0) parts.unshift(copyRecords(write, created))
  if (parts.length > 0) await copyAll(tx, parts, whileBusy)
  await writeLinks(place, links)
  if (out !== tx) await writeForeseen(place, [...makeOutcomes()])
  const referencesCreated: Record<string, number> = {}
  for (const { type } of used) {
    referencesCreated[type.name] = (referencesCreated[type.name] ?? 0) + 1
  }
  return {
    rowCount: decided.length,
    ...tally(outcomes),
    referencesCreated,
    waiting: waiting.length,
    rows: outcomes,
    drifted: memory.foresight === null ? [] : decided.flatMap((one) => one.drifted ?? [])
  }
}

/** The outcomes of a dry run: apart from what it did, which is taken back. */
async function writeForeseen(place: BatchPlace, rows: RowOutcome[]): Promise<void> {
  const { out, memory } = place
  const shown = rows.map((row) => withoutMade(memory.foresight, row))
  if (shown.length > 0) await copyAll(out, [copyForeseen(place, shown)], () => {})
}

function newRecord({ storedType: type }: ImportPlan, { now, keys: known }: BatchRecord): NewRecord {
  const keys = known ?? type.match_rules.map((rule) => keysOf(rule, now.data, now.organization_id))
  return { ...now, type, keys }
}

function newReferenceRecord({ id, type, organization_id, data, keys }: NewReference): NewRecord {
  return { id, type, version: 1, organization_id, fingerprint: null, data, keys }
}

/** Tells the first row that names a new record of records that are called nearly the same. */
function noteSimilar(decided: DecidedRow[], used: NewReference[], memory: BatchMemory): void {
  for (const { id, text, similar } of used) {
    if (similar === null) continue
    for (const { row, decision } of decided) {
      const names = memory.references.find(({ field }) =>
        idsIn(writtenValues(decision)[field.name]).includes(id)
      )
      if (!names) continue
      const place = { column: names.header, field: names.field.name, value: text }
      warn(row, rowProblem('similar_exists', { ...place, candidates: similar }))
      break
    }
  }
}

const idsIn = (value: Json | undefined) => (Array.isArray(value) ? value : [value])

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
    const values = writtenValues(decision)
    for (const { field } of memory.references) {
      for (const id of idsIn(values[field.name])) {
        if (typeof id === 'number' && named.has(id)) used.add(id)
      }
    }
  }
  if (used.size < named.size) memory.epoch++
  for (const { ids, similar } of memory.references) {
    for (const [name, found] of ids) {
      const id = found[0]
      if (id === undefined || !named.has(id) || used.has(id)) continue
      ids.delete(name)
      similar.delete(name)
    }
  }
  return [...named.values()].filter(({ id }) => used.has(id))
}

function writtenValues(decision: Decision) {
  if (decision.action === 'create') return decision.data
  return decision.action === 'update' ? decision.set : {}
}

const outcomeOf: Record<Exclude<Decision['action'], 'wait'>, Outcome> = {
  create: 'created',
  update: 'updated',
  unchanged: 'unchanged',
  skip: 'skipped',
  reject: 'rejected'
}

function rowOutcome(plan: ImportPlan, one: DecidedRow): RowOutcome {
  const { decision, match, row } = one
  if (decision.action === 'wait') throw new Error(`row ${row.raw.row} has no outcome yet`)
  const more = problemsOf(decision)
  const problems = more.length > 0 ? [...(row.problems ?? []), ...more] : row.problems
  const rejected = decision.action === 'reject'
  const outcome = {
    raw:
      rejected && plan.sealsCells ? { ...row.raw, cells: keptCells(plan, row.raw.cells) } : row.raw,
    outcome: outcomeOf[decision.action],
    record_id: rejected ? null : one.record_id,
    matched_by: match.kind === 'one' && !rejected ? match.matched_by : null,
    changed_fields: decision.action === 'update' ? Object.keys(decision.set) : null,
    problems
  }
  if (!one.changes || rejected) return outcome
  const record_version = decision.action === 'update' ? decision.record.version : null
  return { ...outcome, changes: one.changes, record_version }
}

function problemsOf(decision: Decision): Problem[] {
  if ('problems' in decision) return decision.problems
  if ('problem' in decision) return [decision.problem]
  return 'warnings' in decision ? decision.warnings : []
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
