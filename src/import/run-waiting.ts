// The rows that were put aside because they name records which later rows of the file make (parents,
// managers): taken again once the file was read to its end. Called by both kinds of runs.

import type { Db } from '../platform/db.ts'
import type { BatchMemory } from './batch.ts'
import { type ResolvedRow, resolveRow } from './resolve/resolve-row.ts'
import type { Run } from './run.ts'
import { nextRows, type PreparedBatch, prepareBatch, refresh } from './run-batch.ts'
import { readWaiting } from './write/waiting-rows.ts'

export interface WaitingRun {
  run: Run
  memory: BatchMemory
  /** Where the rows are read: the transaction of a run that has only one. */
  db: Db
  /** Runs one batch. Out: how many of its first rows are done, and how many of those still wait. */
  take(batch: PreparedBatch, rows: ResolvedRow[]): Promise<{ rowCount: number; waiting: number }>
  /** Called before the last round: who takes the import over has to begin with that one. */
  noteLast(): Promise<void>
  stop(): boolean
}

/** Takes the rows in file order, round after round, as long as a round helps one of them. A last
 *  round rejects those that name what no row has made. */
export async function runWaiting(waiting: WaitingRun): Promise<void> {
  const { memory, stop } = waiting
  while (!stop()) {
    const { settled, left } = await takeRound(waiting)
    if (left === 0) return
    // A round that was cut short says nothing.
    if (settled > 0 || stop()) continue
    await waiting.noteLast()
    memory.isLast = true
    memory.epoch++
  }
}

async function takeRound({ run, memory, db, take, stop }: WaitingRun) {
  const { plan } = run
  const place = { account_id: run.run.account_id, import_id: run.run.id, plan }
  const round = { settled: 0, left: 0 }
  // Rows that still wait make those behind them wait again.
  memory.waiting = null
  for (let after = 0; !stop(); ) {
    const raws = await readWaiting(db, place, after, run.read.batchRows)
    const last = raws.at(-1)
    if (last === undefined) break
    after = last.row
    let rows = raws.map((raw) => resolveRow(plan, raw))
    let open = rows
    while (rows.length > 0 && !stop()) {
      const { rowCount, waiting } = await take(prepareBatch(plan, memory, open), open)
      round.settled += rowCount - waiting
      round.left += waiting
      rows = rows.slice(rowCount)
      open = refresh(plan, nextRows(rows, rowCount))
    }
  }
  return round
}
