// One batch: resolved rows -> match -> decide -> write, inside the caller's transaction.
// Called by the runs. The number of statements is a constant, whatever the batch holds.
//
// What needs no database is done before the batch's turn comes, while the batch before it is being
// written: `prepareBatch`. It rests on names that were looked up earlier; should one of them have
// become uncertain since (`memory.epoch`), the rows are taken from the start again.

import type { BatchMemory, BatchPlace } from './batch.ts'
import type { ExistingRecord } from './decide/existing-record.ts'
import { decideRows } from './decide-rows.ts'
import { foresee, noteAsked } from './dry-run/foresee.ts'
import type { Foresight } from './dry-run/terms.ts'
import { requireOrganization } from './match/check-organization.ts'
import type { NewReference } from './match/create-references.ts'
import { createKeyFilter } from './match/key-filter.ts'
import { fetchMatched } from './match/linked-records.ts'
import { isTypeEmpty, lockTypes } from './match/lock-types.ts'
import { type MatchedRow, matchRows, type PreparedRows, prepareRows } from './match/match-rows.ts'
import { takeRecordIds } from './match/probe-keys.ts'
import { forgetNames, prepareReferences, trimReferences } from './match/reference-names.ts'
import { fetchRelated } from './match/related-records.ts'
import { findSelfReferences, refersToItself } from './match/repeated-keys.ts'
import {
  allKnown,
  findNamedRow,
  findUnknownNames,
  putIds,
  resolveReferences,
  typesToCreateIn,
  type UnknownNames
} from './match/resolve-references.ts'
import { findTakenKeys } from './match/taken-keys.ts'
import { createTouchedRecords } from './match/touched-records.ts'
import type { ImportPlan } from './resolve/plan.ts'
import { type ResolvedRow, resolveRow } from './resolve/resolve-row.ts'
import { type BatchResult, writeBatch } from './write/write-batch.ts'

/** Rows on their way into a batch. */
export interface PreparedBatch {
  rows: ResolvedRow[]
  /** Rows with ids in place of names, and their keys; null: that needs the database first. */
  prepared: PreparedRows | null
  /** Whether some names in the rows are ids already. */
  named: boolean
  epoch: number
}

/** Memory of an import that begins or is taken over. */
export function startMemory(plan: ImportPlan, foresight: Foresight | null = null): BatchMemory {
  const references = prepareReferences(plan)
  const memory = {
    filter: null,
    waiting: null,
    writeSeqs: new Map(),
    ids: [],
    epoch: 0,
    isLast: false
  }
  return { ...memory, references, touched: createTouchedRecords(), foresight }
}

/** After a rollback nothing remembered is sure any more. */
export function forgetMemory(memory: BatchMemory): void {
  for (const names of memory.references) forgetNames(names)
  memory.filter?.forget()
  memory.writeSeqs.clear()
  memory.epoch++
}

/** Does ahead of time what needs no database. `rows` are fresh from resolveRow and are changed in
 *  place. */
export function prepareBatch(
  plan: ImportPlan,
  memory: BatchMemory,
  rows: ResolvedRow[]
): PreparedBatch {
  const { references, epoch, isLast } = memory
  const open = (named: boolean) => ({ rows, prepared: null, named, epoch })
  if (refersToItself(plan.type, references)) return open(false)
  for (const [place, names] of references.entries()) {
    if (!allKnown(names, plan, rows)) return open(place > 0)
    putIds(plan, [names], rows, isLast)
  }
  return { rows, prepared: prepareRows(plan, memory.filter, rows), named: true, epoch }
}

/** Remembers the records of rows that are committed. */
export function noteTouched({ foresight, touched }: BatchMemory, result: BatchResult): void {
  for (const { record_id, outcome } of result.rows) {
    if (record_id !== null && outcome !== 'skipped') touched.add(record_id)
  }
  for (const id of result.drifted) foresight?.drifted.add(id)
}

/** The same rows as they come from resolveRow: matching has put ids in place of names. */
export function refresh(plan: ImportPlan, rows: ResolvedRow[]): ResolvedRow[] {
  return rows.map((row) => resolveRow(plan, row.raw))
}

/** As many of the rows that had to wait as are worth trying next: where only a few went in at once,
 *  because many rows are about one record, the others would be made ready in vain each time. */
export function nextRows(waiting: ResolvedRow[], rowCount: number): ResolvedRow[] {
  return waiting.slice(0, Math.max(32, 4 * rowCount))
}

/** Runs one batch. Out: what became of the first rows; the others belong to the next batch. */
export async function runBatch(place: BatchPlace, given: PreparedBatch): Promise<BatchResult> {
  const { tx, account_id, plan, memory } = place
  await takeTurn(place, given)
  await requireOrganization(tx, account_id, plan)
  let rows = given.prepared
  let created: Map<number, NewReference> = new Map()
  if (rows === null || given.epoch !== memory.epoch) {
    const fresh = freshRows(plan, memory, given)
    const batch = place.waited ? upToSelfReference(place, fresh) : fresh
    if (!place.waited) putAside(place, batch)
    const at = { tx, account_id, plan, isLast: memory.isLast }
    created = await resolveReferences(at, memory.references, batch)
    const cut = findNamedRow(plan, memory.references, created, batch)
    rows = prepareRows(plan, memory.filter, batch.slice(0, cut))
  }
  const matched = rows.rows
  const records = await matchRows({ tx, account_id, plan }, matched)
  const related = await fetchRelated(place, matched, created)
  await provideIds(place, matched)
  const refused = new Map<MatchedRow, number[]>()
  const foreseen = await foresee(place, matched, records, created)
  const now = new Date()
  const input = { matched, shared: rows.shared, records, related, foreseen, now, refused }
  for (;;) {
    const decided = decideRows(place, input)
    // A batch that does nothing would be tried for ever.
    if (decided.rows.length === 0) throw new Error(`no row of ${matched.length} could be taken`)
    const taken = await findTakenKeys(place, decided.rows, decided.made)
    const isAgain = noteAsked(foreseen)
    if (!isAgain && [...taken.keys()].every((one) => refused.has(one))) {
      noteGained(memory, decided.rows)
      return await writeBatch(place, decided, created)
    }
    refuseNext(refused, taken)
    await fetchTitles(place, records, [...taken.values()].flat())
  }
}

/** Refuses the rows that would take what others have. Whoever is refused takes nothing from those behind:
 *  a row that was only in the way of such a one is looked at again. */
function refuseNext(refused: Map<MatchedRow, number[]>, taken: Map<MatchedRow, number[]>): void {
  const left = new Set<number>()
  for (const [one, all] of taken) {
    const others = all.filter((id) => !left.has(id))
    if (others.length === 0) continue
    refused.set(one, others)
    if (one.record_id !== null) left.add(one.record_id)
  }
}

/** Fetches records that are only named as candidates. */
async function fetchTitles(
  place: BatchPlace,
  records: Map<number, ExistingRecord>,
  ids: number[]
): Promise<void> {
  const missing = ids.filter((id) => !records.get(id)?.data)
  for (const record of await fetchMatched(place, missing, [])) records.set(record.id, record)
}

/** Rows that name an earlier row of the batch are taken once that one is in the database. */
function putAside({ plan, memory }: BatchPlace, rows: ResolvedRow[]): void {
  for (const row of findSelfReferences(plan.type, memory.references, rows)) {
    row.waits = !row.rejected && !row.isSample
  }
}

/** The rows before the first that names an earlier one. */
function upToSelfReference({ plan, memory }: BatchPlace, rows: ResolvedRow[]): ResolvedRow[] {
  const naming = findSelfReferences(plan.type, memory.references, rows)
  const cut = rows.findIndex((row) => naming.has(row))
  return cut < 0 ? rows : rows.slice(0, cut)
}

// Ids are taken from the sequence for some batches at once; those left over at the end are lost.
const batchesAhead = 4

/** Sees to it that there are ids for the records that the rows may make. */
async function provideIds({ tx, plan, memory }: BatchPlace, rows: MatchedRow[]): Promise<void> {
  if (plan.options.mode === 'update_only') return
  const count = rows.filter(({ row, match }) => !row.rejected && match.kind === 'none').length
  if (memory.ids.length >= count) return
  memory.ids.push(...(await takeRecordIds(tx, count * batchesAhead)))
}

/** What was read ahead, and the filter, do not know of keys that arise from old and new values. */
function noteGained(memory: BatchMemory, rows: MatchedRow[]): void {
  const isNew = (one: MatchedRow) =>
    one.gained.some(({ index, key }) => one.keys[index]?.includes(key) !== true)
  if (!rows.some(isNew)) return
  memory.filter?.forget()
  memory.epoch++
}

/** The rows as they come from resolveRow, unless what was put into them still holds. */
function freshRows(plan: ImportPlan, memory: BatchMemory, given: PreparedBatch): ResolvedRow[] {
  const stands = given.prepared === null && (!given.named || given.epoch === memory.epoch)
  return stands ? given.rows : refresh(plan, given.rows)
}

/** Locks the types that may be written and drops what others have made uncertain. */
async function takeTurn(place: BatchPlace, given: PreparedBatch): Promise<void> {
  const { tx, account_id, plan, memory } = place
  const { references, writeSeqs } = memory
  const own = plan.type.type_id
  if (trimReferences(references)) memory.epoch++
  // Rows of this import may have renamed records of their own type.
  for (const names of references) if (names.type === plan.type) forgetNames(names)
  const isSure = () => given.prepared !== null && given.epoch === memory.epoch
  const find = (): UnknownNames =>
    isSure() ? new Map() : findUnknownNames(references, plan, freshRows(plan, memory, given))
  const unknown = find()
  const others = references.map((names) => names.type.type_id)
  const { locked, read } = await lockTypes(
    tx,
    account_id,
    [own, ...typesToCreateIn(plan, unknown)],
    others
  )
  const stale = references.filter(({ type, ids }) => {
    return ids.size > 0 && wroteElse(writeSeqs, type.type_id, locked, read)
  })
  if (stale.length > 0) {
    for (const names of stale) forgetNames(names)
    memory.epoch++
    // Names that have become unknown again may have to be created. Taking a second turn out of
    // order can end in a deadlock, which the database reports and the caller tries again.
    const more = typesToCreateIn(plan, find()).filter((id) => !locked.has(id))
    if (more.length > 0) {
      const late = await lockTypes(tx, account_id, more, [])
      for (const [id, seq] of late.locked) locked.set(id, seq)
    }
  }
  if (memory.filter === null) {
    memory.filter = createKeyFilter(await isTypeEmpty(tx, account_id, own))
    // Keys of rows prepared without the filter have to be noted, or it denies them later.
    if (memory.filter.knowsAll()) memory.epoch++
  } else if (memory.filter.knowsAll() && wroteElse(writeSeqs, own, locked, read)) {
    memory.filter.forget()
    memory.epoch++
  }
  for (const [id, seq] of [...read, ...locked]) writeSeqs.set(id, seq)
}

/** Whether anybody else wrote the type since this import last looked. */
function wroteElse(
  known: Map<number, number>,
  type_id: number,
  locked: Map<number, number>,
  read: Map<number, number>
): boolean {
  const own = locked.get(type_id)
  const now = own === undefined ? read.get(type_id) : own - 1
  return known.get(type_id) !== now
}
