// An import whose good rows go in whatever becomes of the bad ones: a transaction per batch.
// Called by job.ts with a claimed import; ends it, or gives it back when the process is to stop.
// A dry run takes the rows in the same way, and keeps none of what they do.

import { type Pool, withTransaction } from '../platform/db.ts'
import type { BatchMemory } from './batch.ts'
import { commitBatch } from './commit-batch.ts'
import { foresightOf, recallForesight } from './dry-run/foresight.ts'
import { finish, giveBack } from './finish-run.ts'
import { type Keeping, keepEachBatch } from './keeping.ts'
import { createKeyFilter } from './match/key-filter.ts'
import { readAhead, readResolved } from './read-resolved.ts'
import type { ImportPlan } from './resolve/plan.ts'
import type { Run } from './run.ts'
import { nextRows, prepareBatch, refresh, startMemory } from './run-batch.ts'
import { runWaiting } from './run-waiting.ts'
import type { Checkpoint } from './terms.ts'
import { type Asked, type ClaimedImport, finishImport } from './write/import-state.ts'
import { loadTouched } from './write/touched-rows.ts'
import { readWaiting } from './write/waiting-rows.ts'

/** How far a run has come. */
interface PartialRun extends Run {
  keeping: Keeping
  memory: BatchMemory
  done: Checkpoint
  asked: Asked | null
  /** Others wait, and it has had its time. */
  turnIsOver: boolean
  stop(): boolean
}

/** Runs from the checkpoint to the end of the file, to a pause or a cancel, to the end of its turn, or
 *  to a stop of the process. */
export async function runPartial(started: Run): Promise<void> {
  const { run, read, pool, signal } = started
  const { done, asked, turnIsOver, rowsTotal } = await takeRows(started, keepEachBatch(started), {
    rows: run.next_row,
    offset: run.next_offset || read.dialect.dataOffset,
    line: run.next_line || read.dialect.dataLine,
    blankRows: run.blank_rows
  })
  // Rows that still wait are among those not reached.
  if (asked !== null || signal.aborted) await giveBack(pool, run, rowsTotal)
  else if (turnIsOver) await finishImport(pool, run, { state: 'queued', ...rowsTotal })
  // One transaction, on one connection: no batch can be lost between its look at them and the end.
  else await withTransaction(pool, (tx) => finish(tx, run, done))
}

/** How far the rows were taken. */
export interface Reached {
  done: Checkpoint
  /** Why it ended before its end; null: it did not, or the process is to stop. */
  asked: Asked | null
  /** Others are waiting. */
  turnIsOver: boolean
  /** Known when the file was read to its end. */
  rowsTotal: { rowsTotal?: number }
}

/** Takes the rows from a checkpoint on, batch by batch, until the end, a pause, a cancel, the end of
 *  the turn or a stop. */
export async function takeRows(started: Run, keeping: Keeping, from: Checkpoint): Promise<Reached> {
  const { run, signal } = started
  const partial: PartialRun = {
    ...started,
    keeping,
    memory: startMemory(started.plan, foresightOf(run)),
    done: from,
    asked: run.asked,
    turnIsOver: false,
    stop: () => partial.asked !== null || partial.turnIsOver || signal.aborted
  }
  partial.memory.isLast = run.in_last_round
  if (from.rows > 0) await recall(partial)
  let isRead = false
  if (!partial.stop()) {
    await takeFile(partial)
    isRead = !partial.stop()
    await takeWaiting(partial)
  }
  const { done, asked, turnIsOver } = partial
  return { done, asked, turnIsOver, rowsTotal: isRead ? { rowsTotal: done.rows } : {} }
}

/** Finds out again what the worker before knew. */
async function recall({ run, plan, pool, memory }: PartialRun): Promise<void> {
  if (plan.options.repeats === 'reject') await loadTouched(pool, run, memory)
  if (memory.foresight !== null) await recallForesight(pool, run, memory.foresight)
  // Whose keys the rows have that wait is not known any more: all others queue up behind them.
  if (await isAnyWaiting(pool, run, plan)) memory.waiting = createKeyFilter(false)
}

/** The rows of the file in their order. */
async function takeFile(partial: PartialRun): Promise<void> {
  const { plan, memory, stop, turn } = partial
  let hasWritten = false
  for await (const { item, startNext } of readAhead(prepared(partial, memory, partial.done))) {
    if (hasWritten && (await turn?.isOver())) partial.turnIsOver = true
    hasWritten = true
    let open = item.batch
    let { rows } = open
    while (rows.length > 0 && !stop()) {
      const given = rows
      const place = { ...partial, whileBusy: startNext, waited: false }
      const step = await commitBatch(place, open, (count) => {
        const next = given[count]
        return next ? before(next.raw, partial.done) : item.end
      })
      partial.done = step.checkpoint
      partial.asked = step.asked
      // What was read ahead did not know of these rows.
      if (step.rowCount < rows.length) memory.epoch++
      rows = rows.slice(step.rowCount)
      open = prepareBatch(plan, memory, refresh(plan, nextRows(rows, step.rowCount)))
    }
    if (stop()) break
  }
}

/** The rows that wait for others. */
async function takeWaiting(partial: PartialRun): Promise<void> {
  const { keeping, memory, stop, turn } = partial
  await runWaiting({
    run: partial,
    memory,
    db: keeping.db,
    stop,
    noteLast: keeping.noteLast,
    async take(batch) {
      const place = { ...partial, whileBusy: () => {}, waited: true }
      const step = await commitBatch(place, batch, () => partial.done)
      partial.asked = step.asked
      // A turn that helps no row would be followed by others like it, for ever.
      const hasHelped = step.rowCount > step.waiting
      if (hasHelped && (await turn?.isOver())) partial.turnIsOver = true
      return step
    }
  })
}

async function isAnyWaiting(pool: Pool, run: ClaimedImport, plan: ImportPlan): Promise<boolean> {
  const place = { account_id: run.account_id, import_id: run.id, plan }
  return (await readWaiting(pool, place, 0, 1)).length > 0
}

/** The batches of the file, read and prepared while the one before is being written. */
async function* prepared({ plan, read }: Run, memory: BatchMemory, from: Checkpoint) {
  for await (const { rows, end } of readResolved(read, from)) {
    yield { batch: prepareBatch(plan, memory, rows), end }
  }
}

/** The checkpoint at which a row is the next one. Blank lines passed since are counted again. */
function before(next: { row: number; offset: number; line: number }, last: Checkpoint): Checkpoint {
  return { rows: next.row - 1, offset: next.offset, line: next.line, blankRows: last.blankRows }
}
