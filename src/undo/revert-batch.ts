// One batch of an undo inside a transaction: turn -> read -> plan -> settle -> write. The number of
// statements is a constant, whatever the batch holds. Called by commit-undo.ts.

import { appError } from '../errors.ts'
import { cellReader } from '../import/resolve/cell-kinds.ts'
import type { ClaimedImport } from '../import/write/import-state.ts'
import { copyAll } from '../platform/copy-in.ts'
import type { Db, Tx } from '../platform/db.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { ReadCell } from '../record-types/read-values.ts'
import { shownNames, type TypeCatalogue } from '../record-types/registry.ts'
import { listPastShapes, loadTypes } from '../record-types/store.ts'
import { isSensitive, type RecordData, type RecordType } from '../record-types/types.ts'
import { holdsSealed, idsOf } from '../records/history/shown-values.ts'
import { type PastFields, pastFields } from '../records/history/unfit-values.ts'
import { recordTitle } from '../records/record-json.ts'
import { keepLinked, planRecord, type RecordPlan, referencesOf } from './plan/plan-record.ts'
import { type Names, namedMakers, namedRecords, problemsOf } from './plan/problems.ts'
import { type Around, isIdentity, keyName, settle } from './plan/settle.ts'
import { findLinked } from './revert/find-linked.ts'
import { holdTypes, noteWrites, withReferrers } from './revert/hold-types.ts'
import type { IdSet } from './revert/id-set.ts'
import {
  findExisting,
  findHolders,
  readChanges,
  readMakers,
  readNamed,
  readRecords
} from './revert/read-batch.ts'
import { findReferrers, type IdRange, type Referrers } from './revert/referrers.ts'
import type { Job } from './revert/targets.ts'
import { copyOutcomes, type RecordOutcome } from './revert/write-outcomes.ts'
import { writePlans } from './revert/write-records.ts'
import type { HeldRecord, MakerId, PastChange, Target } from './terms.ts'

/** What an undo knows from batch to batch; lost with its worker, and then found out again. */
export interface UndoMemory {
  /** Records that have an outcome. */
  done: IdSet
  /** Records that the job wrote; null: nobody had to know yet. */
  written: IdSet | null
  referrers: Referrers | null
  /** write_seq of the types as the undo left them: another value means somebody else wrote. */
  seqs: Map<number, number>
  /** Raised whenever somebody else wrote: what was read before is uncertain. */
  epoch: number
  /** What the fields of types were, by number and version of the type. */
  past: Map<string, PastFields>
  makers: {
    imports: Map<number, { kind: 'import' | 'undo'; file_name: string }>
    keys: Map<number, string>
  }
}

/** An undo that runs. */
export interface UndoRun {
  run: ClaimedImport
  job: Job
  secrets: Secrets
  dry_run: boolean
  /** History is read from this day on. */
  since: string
  /** Between which ids the job may have made records. */
  ranges: IdRange[]
  memory: UndoMemory
  loadWritten(): Promise<IdSet>
}

/** What was read of a batch before its turn. */
export interface ReadAhead {
  /** It stands as long as nobody else writes: the undo has each record in one batch only. */
  epoch: number
  records: Map<number, HeldRecord>
  changesOf: (id: number) => PastChange[]
}

/** Reads the records of a batch, and their history. */
export async function readTargets(
  { run, since, memory }: UndoRun,
  db: Db,
  targets: Target[]
): Promise<ReadAhead> {
  const { epoch } = memory
  const ids = targets.map(({ record_id }) => record_id)
  const type_ids = [...new Set(targets.map(({ type_id }) => type_id))]
  const records = await readRecords(db, run.account_id, type_ids, ids)
  const changesOf = await readChanges(db, run.account_id, ids, since)
  return { epoch, records, changesOf }
}

export interface BatchPlace {
  /** Where records are written, and where outcomes are: another one in a dry run. */
  tx: Tx
  outcomesTx: Tx
  /** Number of outcomes so far. */
  after: number
  /** No record that waits would still change: what waits stays. */
  isLast: boolean
  /** What was read of the batch already; null: nothing. */
  ahead: ReadAhead | null
}

export interface BatchEnd {
  outcomes: RecordOutcome[]
  /** Records that wait for others. */
  waiting: Target[]
  /** To be noted once all is committed: what records refer to now, and the turns as they are left. */
  written: RecordPlan[]
  seqs: Map<number, number>
}

/** The types of the account changed while the undo ran; it begins its batch anew. */
export class TypesChanged extends Error {
  constructor() {
    super('the record types of the account have changed')
    this.name = 'TypesChanged'
  }
}

/** Takes one batch back. Throws TypesChanged, and what the database refuses. */
export async function revertBatch(
  undo: UndoRun,
  types: TypeCatalogue,
  place: BatchPlace,
  targets: Target[]
): Promise<BatchEnd> {
  const { tx } = place
  const { run, job } = undo
  const turn = await takeTurn(undo, types, tx)
  const plans = await keepAllLinked(undo, tx, await planBatch(undo, turn.types, place, targets))
  if (plans.some(({ action }) => action === 'delete')) {
    // Whoever else writes the types that refer makes it uncertain: see takeTurn.
    const { memory, ranges } = undo
    memory.referrers ??= await findReferrers(tx, run.account_id, turn.types, ranges)
  }
  const around = await lookAround(undo, turn.types, place, plans)
  const settled = settle(plans, around)
  const decided = settled.flatMap(({ plan, waits }) => (waits ? [] : [plan]))
  const written = decided.filter(({ action }) => ['set', 'delete', 'recreate'].includes(action))
  const names = await nameReasons(undo, turn.types, tx, decided)
  const outcomes = decided.map((plan) => outcomeOf(plan, names, undo.dry_run))
  const parts = await writePlans({ tx, account_id: run.account_id, undo_id: run.id }, written)
  const wrote = [...new Set(written.map(({ type }) => type.type_id))]
  if (wrote.length > 0) await noteWrites(tx, run.account_id, wrote)
  const rows = copyOutcomes(run, job.type_id, outcomes, place.after)
  if (place.outcomesTx === tx) await copyAll(tx, [...parts, rows], () => {})
  else {
    if (parts.length > 0) await copyAll(tx, parts, () => {})
    await copyAll(place.outcomesTx, [rows], () => {})
  }
  for (const id of wrote) turn.seqs.set(id, (turn.seqs.get(id) ?? 0) + 1)
  const waiting = settled.flatMap(({ plan, waits }) => (waits ? [plan.target] : []))
  return { outcomes, waiting, written, seqs: turn.seqs }
}

/** Remembers what a batch left behind, once it is committed. */
export function noteBatch({ memory }: UndoRun, { outcomes, written, seqs }: BatchEnd): void {
  for (const { record_id } of outcomes) memory.done.add(record_id)
  // Where no record goes, nobody asks who refers to it.
  for (const { target, type, after } of memory.referrers ? written : []) {
    const references = type.fields.flatMap(({ name, reference }) =>
      reference ? idsOf(after.data[name]) : []
    )
    memory.referrers?.note(target.record_id, references)
  }
  memory.seqs = seqs
}

interface Turn {
  types: TypeCatalogue
  seqs: Map<number, number>
}

/** Types that the undo has to hold: where records may go, with all that can refer to them. */
export function typesToHold({ job, ranges }: UndoRun, types: TypeCatalogue): number[] {
  const made = withReferrers(
    types,
    ranges.map(({ type_id }) => type_id)
  )
  return [...new Set([...made, job.type_id])].sort((a, b) => a - b)
}

async function takeTurn(undo: UndoRun, known: TypeCatalogue, tx: Tx): Promise<Turn> {
  const { account_id } = undo.run
  const held = typesToHold(undo, known)
  const seqs = await holdTypes(tx, account_id, held)
  const types = await loadTypes(tx, account_id)
  // A type that refers to these records may have been defined meanwhile.
  if (typesToHold(undo, types).some((id) => !seqs.has(id))) throw new TypesChanged()
  const { memory } = undo
  if ([...seqs].some(([id, seq]) => memory.seqs.get(id) !== seq)) {
    memory.referrers = null
    memory.epoch++
  }
  return { types, seqs }
}

async function planBatch(
  undo: UndoRun,
  types: TypeCatalogue,
  { tx, ahead }: BatchPlace,
  targets: Target[]
): Promise<RecordPlan[]> {
  const { job, secrets, memory } = undo
  const stands = ahead !== null && ahead.epoch === memory.epoch
  const { records, changesOf } = stands ? ahead : await readTargets(undo, tx, targets)
  const own = new Map<number, { type: RecordType; past: PastFields }>()
  for (const type_id of new Set(targets.map((target) => target.type_id))) {
    const type = types.getById(type_id)
    if (!type) throw appError('unknown_record_type', unknown(type_id, types))
    own.set(type_id, { type, past: await readPast(undo, tx, type) })
  }
  return targets.map((target) => {
    const { record_id } = target
    const { type, past } = own.get(target.type_id) as { type: RecordType; past: PastFields }
    const now = records.get(record_id) ?? null
    return planRecord({ job, target, type, secrets, past, now, changes: changesOf(record_id) })
  })
}

/** What was to be deleted and is linked to another system stays. */
async function keepAllLinked({ run }: UndoRun, tx: Tx, plans: RecordPlan[]) {
  const going = plans.filter(({ action }) => action === 'delete')
  const type_ids = [...new Set(going.map(({ type }) => type.type_id))]
  const ids = going.map(({ target }) => target.record_id)
  const linked = await findLinked(tx, run.account_id, type_ids, ids)
  if (linked.size === 0) return plans
  return plans.map((plan) => {
    const system = plan.action === 'delete' ? linked.get(plan.target.record_id) : undefined
    return system === undefined ? plan : keepLinked(plan, system)
  })
}

/** Asked once for a version of a type: changes of it make another one. */
async function readPast({ run, memory }: UndoRun, tx: Tx, type: RecordType): Promise<PastFields> {
  const key = `${type.type_id} ${type.version}`
  const known = memory.past.get(key)
  if (known) return known
  const shapes = await listPastShapes(tx, run.account_id, type.type_id)
  const past = pastFields(type, shapes, readCell)
  memory.past.set(key, past)
  return past
}

const readCell: ReadCell = (field, text) => cellReader(field, { default_country: null }).read(text)

const unknown = (type_id: number, types: TypeCatalogue) => {
  return { type: `no. ${type_id}`, known: shownNames(types) }
}

/** What settling has to know: a statement each for references, identities, and rules that compare. */
async function lookAround(
  undo: UndoRun,
  types: TypeCatalogue,
  { tx, isLast }: BatchPlace,
  plans: RecordPlan[]
): Promise<Around> {
  const { memory, run } = undo
  const { account_id } = run
  const references = new Set(plans.flatMap((plan) => referencesOf(plan).map(({ id }) => id)))
  const own = [...new Set(plans.map(({ type }) => type))]
  const referred = new Set(own.flatMap((type) => targetTypes(types, type)))
  const existing = await findExisting(tx, account_id, [...referred], [...references])
  const gained = plans.flatMap(({ type, gained }) =>
    gained
      .filter(({ index }) => isIdentity(type.match_rules[index] as RecordType['match_rules'][0]))
      .map(({ rule, value }) => ({ type_id: type.type_id, rule, value }))
  )
  const holders = new Map<string, number[]>()
  for (const [type_id, rule, value, id] of await findHolders(tx, account_id, gained)) {
    const name = keyName(type_id, rule, value)
    holders.set(name, [...(holders.get(name) ?? []), id])
  }
  const isOpen = references.size > existing.size || holders.size > 0
  if (isOpen || (memory.referrers?.size ?? 0) > 0) memory.written ??= await undo.loadWritten()
  return {
    existing,
    holders,
    related: await readRelated(types, tx, account_id, plans),
    referrersOf: (id) => memory.referrers?.of(id) ?? [],
    isPending: (id) => !isLast && memory.written?.has(id) === true && !memory.done.has(id)
  }
}

const targetTypes = (types: TypeCatalogue, { fields }: RecordType) =>
  fields.flatMap(({ reference }) => (reference ? [types.require(reference.type).type_id] : []))

/** The records that a rule of the type compares with. */
async function readRelated(
  types: TypeCatalogue,
  tx: Tx,
  account_id: number,
  plans: RecordPlan[]
): Promise<Map<number, RecordData>> {
  const mixed = plans.filter(({ action, mixed, type }) => {
    return action === 'set' && mixed && type.shared_fields
  })
  if (mixed.length === 0) return new Map()
  const ids = mixed.flatMap(({ type, after }) =>
    (type.shared_fields ?? []).flatMap(({ reference }) => idsOf(after.data[reference]))
  )
  const type_ids = [...new Set(mixed.flatMap(({ type }) => targetTypes(types, type)))]
  const found = await readRecords(tx, account_id, type_ids, [...new Set(ids)])
  return new Map([...found].map(([id, { data }]) => [id, data]))
}

/** Names of all that reasons mention; what was looked up before is not asked for again. */
async function nameReasons(
  { run, memory }: UndoRun,
  types: TypeCatalogue,
  tx: Tx,
  plans: RecordPlan[]
): Promise<Names> {
  const { imports, keys } = memory.makers
  const reasons = plans.flatMap((plan) => plan.reasons)
  const records = new Map<number, { title: string; by: MakerId }>()
  if (reasons.length === 0) return { imports, keys, records }
  const { account_id } = run
  for (const one of await readNamed(tx, account_id, [...new Set(namedRecords(reasons))])) {
    const type = types.getById(one.type_id)
    records.set(one.id, { title: type ? recordTitle(type, one.data) : '', by: one.by })
  }
  const makers = namedMakers(reasons, { records })
  const import_ids = makers.flatMap(({ import_id: id }) => (id && !imports.has(id) ? [id] : []))
  const key_ids = makers.flatMap(({ actor_key: id }) => (id && !keys.has(id) ? [id] : []))
  if (import_ids.length + key_ids.length > 0) {
    const found = await readMakers(tx, account_id, [...new Set(import_ids)], [...new Set(key_ids)])
    for (const { id, kind, name } of found) {
      if (kind === 'key') keys.set(id, name)
      else imports.set(id, { kind, file_name: name })
    }
  }
  return { imports, keys, records }
}

function outcomeOf(plan: RecordPlan, names: Names, withChanges: boolean): RecordOutcome {
  const { target, action, after, reasons } = plan
  const isKept = action === 'keep'
  const wrote = !isKept && action !== 'fail'
  return {
    record_id: target.record_id,
    type_id: target.type_id,
    row_number: target.row_number,
    outcome: isKept ? 'kept' : wrote ? 'reverted' : 'failed',
    changed_fields: action === 'set' ? after.changed : null,
    problems: problemsOf(reasons, names),
    changes: withChanges && wrote ? changesOf(plan) : null
  }
}

/** What a dry run says of each field; of secrets only that there is one. */
function changesOf({ type, now, after }: RecordPlan): Record<string, unknown> {
  const secret = new Set(type.fields.filter(isSensitive).map(({ name }) => name))
  const show = (name: string, data: RecordData | undefined) => {
    const value = data?.[name] ?? null
    // A field that the type has no more may have been a secret.
    return (value !== null && secret.has(name)) || holdsSealed(value) ? { secret: true } : value
  }
  return Object.fromEntries(
    after.changed.map((name) => [name, { from: show(name, now?.data), to: show(name, after.data) }])
  )
}
