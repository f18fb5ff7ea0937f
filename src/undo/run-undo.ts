// The job of taking an import back, from its checkpoint to its end.
//
// In: ids. Everything else is in the undo's row and in that of the import it takes back. May run
// twice, die anywhere and be taken over: each batch commits its records, outcomes and counts together,
// and only for the worker whose attempt is the latest. The checkpoint is the outcomes themselves: a
// worker that takes over reads which records have one, and goes on with the others.

import { AppError, appError } from '../errors.ts'
import { GivenBack } from '../import/finish-run.ts'
import type { ImportRow } from '../import/import-row.ts'
import type { RunContext } from '../import/run.ts'
import { getImport } from '../import/store.ts'
import {
  type Asked,
  type ClaimedImport,
  claimImport,
  ensurePartitions,
  errorOf,
  finishImport,
  readCounts,
  StaleAttempt
} from '../import/write/import-state.ts'
import { settleUndone } from '../import/write/undone-state.ts'
import { isOutOfResources, type Tx, withTransaction } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import { withTrial } from '../platform/trial.ts'
import { loadTypes } from '../record-types/store.ts'
import {
  allInOne,
  batchByBatch,
  type Committer,
  type Committing,
  commitTargets,
  refreshTypes
} from './commit-undo.ts'
import { requireKept, requireOwnType } from './kept.ts'
import { createIdSet, type IdSet } from './revert/id-set.ts'
import {
  type Job,
  loadOutcomes,
  loadPastUndos,
  measureTargets,
  targetBatches
} from './revert/targets.ts'
import { saveTally, saveTotal, type Tally } from './revert/write-outcomes.ts'
import { type ReadAhead, readTargets, type UndoRun } from './revert-batch.ts'
import type { Target } from './terms.ts'

// Attempts in a row without a single committed batch, after which the undo is given up.
const maxIdleAttempts = 5

/** Runs an undo that is queued, or that a lost worker left running. Out: false when it is none, or is
 *  not to be run. Throws what should be tried again later. */
export async function runUndo(
  context: RunContext,
  { account_id, import_id }: { account_id: number; import_id: number }
): Promise<boolean> {
  const { pool } = context
  const run = await claimImport(pool, account_id, import_id, 'undo')
  if (!run) return false
  const log = context.log.child({ import_id, account_id, undo_of: run.undo_of })
  try {
    if (run.idle_attempts > maxIdleAttempts) {
      const error = errorOf('no_progress', { attempts: maxIdleAttempts })
      log.error({ attempt: run.attempt }, 'undo given up')
      await end(context, run, { state: 'failed', error })
    } else {
      await ensurePartitions(pool, run.created_on)
      log.info({ attempt: run.attempt, next_row: run.next_row }, 'undo runs')
      await takeBack({ ...context, log }, run)
      log.info('undo leaves')
    }
  } catch (error) {
    await endOrRethrow(context, run, log, error)
  }
  return true
}

/** An undo that runs, with all that its batches need. */
interface Started extends UndoRun {
  context: RunContext
  total: number
  /** Records that are back as they were by an earlier undo. */
  takenBack: IdSet | null
}

async function takeBack(context: RunContext, run: ClaimedImport): Promise<void> {
  const started = await prepare(context, run)
  const { pool, signal } = context
  if (run.asked !== null || signal.aborted) return await leave(context, run)
  if (started.dry_run) return await tryOut(started)
  const stopped = await runBatches(started, batchByBatch(pool, started))
  if (stopped === 'turn') await finishImport(pool, run, { state: 'queued' })
  else if (stopped !== null || signal.aborted) await leave(context, run)
  // One transaction, on one connection: no batch can be lost between its look at them and the end.
  else await withTransaction(pool, (tx) => finish(started, tx))
}

async function prepare(context: RunContext, run: ClaimedImport): Promise<Started> {
  const { pool, secrets } = context
  const { account_id } = run
  const row = await requireJob(context, run)
  const { type_id } = await requireOwnType(pool, account_id, row)
  const { id, kind, created_on } = row
  const wrote = { account_id, id, kind, created_on, type_id }
  const { past, takenBack } = await loadPastUndos(pool, wrote, run.id)
  const job: Job = { ...wrote, past }
  const { count, ranges } = await measureTargets(pool, job)
  const all = ['reverted', 'kept', 'failed']
  const done = run.next_row > 0 ? await loadOutcomes(pool, run, all) : createIdSet()
  const makers = { imports: new Map(), keys: new Map() }
  const started: Started = {
    context,
    run,
    job,
    secrets,
    ranges,
    takenBack,
    dry_run: run.options.dry_run ?? false,
    since: dayBefore(row.started_at ?? row.created_at),
    total: run.rows_total ?? count,
    memory: {
      done,
      written: null,
      referrers: null,
      seqs: new Map(),
      epoch: 0,
      past: new Map(),
      makers
    },
    loadWritten: () => loadWritten(started)
  }
  if (run.rows_total === null) {
    if (takenBack) {
      started.memory.written = await loadWritten(started)
      started.total = started.memory.written.size
    }
    await saveTotal(pool, run, started.total)
  }
  return started
}

async function requireJob({ pool }: RunContext, run: ClaimedImport): Promise<ImportRow> {
  const row = await getImport(pool, run.account_id, run.undo_of ?? 0)
  if (!row) throw appError('import_not_found', { id: run.undo_of ?? 0 })
  requireKept(row)
  return row
}

// The clocks of those who write may differ a little from each other.
const dayBefore = (time: Date) => new Date(time.getTime() - 86_400_000).toISOString().slice(0, 10)

async function loadWritten({ context, job, takenBack }: Started): Promise<IdSet> {
  const written = createIdSet()
  const isBack = (id: number) => takenBack?.has(id) ?? false
  for await (const targets of targetBatches(context.pool, job, 50_000, isBack)) {
    for (const { record_id } of targets) written.add(record_id)
  }
  return written
}

/** Takes back all that is left, to the end or until it is to stop. Out: what it was asked for, or
 *  that its turn is over. */
async function runBatches(started: Started, committer: Committer): Promise<Asked | 'turn' | null> {
  const { context, job, memory, takenBack } = started
  const { pool, log, signal, config } = context
  const size = config.batchRows
  const types = await loadTypes(pool, job.account_id)
  const count = started.dry_run ? 0 : started.run.next_row
  const committing: Committing = { undo: started, committer, pool, log, types, count }
  await refreshTypes(committing)
  let asked: Asked | 'turn' | null = null
  const stop = () => asked !== null || signal.aborted
  /** Out: records that wait for others. */
  const take = async (batches: AsyncIterable<Batch> | Iterable<Batch>, isLast: boolean) => {
    const waiting: Target[] = []
    for await (const { targets, ready } of batches) {
      const step = await commitTargets(committing, targets, { isLast, ahead: await ready })
      for (const target of step.waiting) waiting.push(target)
      asked = step.asked
      // In one transaction there is no place to go on from, and a turn that helps no record would be
      // followed by others like it, for ever.
      const mayLeave = !asked && !started.dry_run && step.waiting.length < targets.length
      if (mayLeave && (await context.turn?.isOver())) asked = 'turn'
      if (stop()) break
    }
    return waiting
  }
  const skips = (id: number) => memory.done.has(id) || (takenBack?.has(id) ?? false)
  const read = (targets: Target[]) => readTargets(started, pool, targets)
  let waiting = await take(ahead(targetBatches(pool, job, size, skips), read), false)
  while (waiting.length > 0 && !stop()) {
    const before = waiting.length
    // What was waited for was decided on after those that waited: the last ones go first now.
    waiting = await take(chunks(waiting.reverse(), size), false)
    // Nothing helps but to look at them all at once: they refer to each other.
    if (waiting.length === before && !stop())
      waiting = await take(chunks(waiting, waiting.length), true)
  }
  return asked
}

/** Records, and what was read of them ahead of their turn: null when nothing was. */
interface Batch {
  targets: Target[]
  ready: Promise<ReadAhead | null> | null
}

function* chunks(all: Target[], size: number): Generator<Batch> {
  for (let from = 0; from < all.length; from += size) {
    yield { targets: all.slice(from, from + size), ready: null }
  }
}

/** The batches, each read while the one before is being worked on. */
async function* ahead(
  batches: AsyncGenerator<Target[]>,
  read: (targets: Target[]) => Promise<ReadAhead>
): AsyncGenerator<Batch> {
  const start = async () => {
    const { value: targets, done } = await batches.next()
    // Should it fail, the batch reads for itself.
    return done ? null : { targets, ready: read(targets).catch(() => null) }
  }
  let next = start()
  try {
    for (;;) {
      const batch = await next
      if (batch === null) return
      next = start()
      next.catch(() => {})
      yield batch
    }
  } finally {
    await next.then((batch) => batch?.ready).catch(() => {})
    await batches.return(undefined)
  }
}

/** Ends the process of trying out, and nothing is kept. */
class Stopped extends Error {}

/** Does everything in a transaction that is rolled back, and keeps what came out. */
async function tryOut(started: Started): Promise<void> {
  const { context, run } = started
  const { pool, signal } = context
  const total: Tally = { reverted: 0, kept: 0, failed: 0, warnings: 0 }
  try {
    await withTrial(pool, async ({ tx, out }) => {
      const place = { tx, outcomesTx: out }
      const asked = await runBatches(started, allInOne(pool, started, place, total))
      if (asked !== null || signal.aborted) throw new Stopped()
      await saveTally(out, run, total)
      await finish(started, out)
    })
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    await leave(context, run)
  }
}

/** Ends an undo that has come to its end. Throws LostBatches. */
async function finish(started: Started, tx: Tx): Promise<void> {
  const { context, run, job, total } = started
  await readCounts(tx, run)
  const row = await getImport(tx, run.account_id, run.id)
  const { rows_reverted = 0, rows_kept = 0, rows_failed = 0, rows_with_warnings = 0 } = row ?? {}
  // What was dropped while it ran could not be read.
  if (rows_reverted + rows_kept + rows_failed < total) await requireJob(context, run)
  // Warnings name fields that stay: not all of it was taken back.
  const left = rows_kept + rows_failed + rows_with_warnings
  const state = left > 0 ? 'completed_with_errors' : 'completed'
  context.log.info({ undo_of: job.id, rows_reverted, rows_kept, rows_failed }, 'undo ends')
  await endIn(tx, run, { state })
}

type End = Parameters<typeof finishImport>[2]

/** Ends the undo, or leaves it to wait; the import that it takes back gets its state with it. */
async function endIn(tx: Tx, run: ClaimedImport, how: End) {
  const state = await finishImport(tx, run, how)
  await settleUndone(tx, run.account_id, run.id)
  return state
}

async function end({ pool }: RunContext, run: ClaimedImport, how: End) {
  return withTransaction(pool, (tx) => endIn(tx, run, how))
}

/** Leaves an undo before its end: paused or cancelled where that was asked for, else back in line
 *  because this process is to stop. Then it throws GivenBack. */
async function leave(context: RunContext, run: ClaimedImport): Promise<void> {
  if ((await end(context, run, { state: 'queued' })) === 'queued') throw new GivenBack(run)
}

/** Errors that no further attempt can mend end the undo; one that was taken over is left alone; the
 *  rest goes back to the queue. */
async function endOrRethrow(context: RunContext, run: ClaimedImport, log: Log, error: unknown) {
  if (error instanceof GivenBack) throw error
  if (error instanceof StaleAttempt) return log.warn({ attempt: run.attempt }, 'undo taken over')
  if (error instanceof AppError && error.status < 500) {
    const { code, message } = error
    await end(context, run, { state: 'failed', error: { code, message } })
    return
  }
  log.warn({ err: error, attempt: run.attempt }, 'undo attempt failed')
  // That the server has no room is no fault of the undo: the attempt does not count against it.
  if (isOutOfResources(error)) await leave(context, run)
  throw error
}
