// Scenarios of one long import each: workers that are rolled over, frozen, or killed as they are
// shipped.

import { setTimeout as wait } from 'node:timers/promises'
import type { Teardown } from '../../test/helpers/cluster.ts'
import { until } from '../../test/helpers/until.ts'
import { countForeignWrites } from './audit.ts'
import { checkAccount, checkImport, type SentFile } from './check.ts'
import { restartWorker } from './faults.ts'
import { makeFile } from './files.ts'
import type { Options } from './options.ts'
import { type Place, startPlace, type Worker } from './place.ts'
import { followImports, sendFile } from './send.ts'
import { countFault, newTally, type Tally } from './tally.ts'

export interface ScenarioRun {
  signal: AbortSignal
  say: (text: string) => void
}

interface Long extends ScenarioRun {
  place: Place
  tally: Tally
  sent: SentFile
}

const endLimitMs = 600_000

/** Starts an installation, sends one file, lets `disturb` do its work, and counts. */
async function runLong(
  t: Teardown,
  options: Options,
  run: ScenarioRun,
  long: {
    name: string
    workers: number
    rows: number
    env: Record<string, string>
    disturb: (long: Long) => Promise<void>
  }
): Promise<Tally> {
  const { workers, env } = long
  const place = await startPlace(t, { workers, accounts: 1, env, logs: options.logs })
  const tally = newTally(long.name)
  const [account] = place.accounts
  if (!account) throw new Error('there is no account')
  const sender = { url: place.url, key: account.key, signal: run.signal }
  const sent = await sendFile(sender, makeFile('contacts', long.name, 0, long.rows))
  const followed = followImports(sender, [sent.import_id], endLimitMs)
  await Promise.race([long.disturb({ ...run, place, tally, sent }), followed])
  tally.wentBack = (await followed).wentBack
  tally.imports = 1
  await checkImport(place.query, sent, tally)
  await checkAccount(place.query, account.account_id, [sent], tally)
  tally.foreign = await countForeignWrites(place.query)
  return tally
}

interface Point {
  attempt: number
  batches: number
  isOver: boolean
}

async function pointOf({ place, sent }: Long): Promise<Point> {
  const [row] = await place.query<Point>(
    `SELECT i.attempt, i.batches, i.finished_at IS NOT NULL AS "isOver"
    FROM imports i WHERE i.id = $1::bigint`,
    [sent.import_id]
  )
  return row ?? { attempt: 0, batches: 0, isOver: true }
}

/** Waits for some batches after a point; out: seconds it took. */
async function secondsToBatches(long: Long, from: Point, count: number): Promise<number> {
  const began = performance.now()
  const isThere = async () => {
    const now = await pointOf(long)
    return long.signal.aborted || now.isOver || now.batches >= from.batches + count
  }
  await until('more batches', isThere, 300_000)
  return (performance.now() - began) / 1_000
}

const quick = { MUSTER_WORKER_HEARTBEAT_SECONDS: '10', MUSTER_BATCH_ROWS: '50' }
const longest = (tally: Tally, name: string, seconds: number) => {
  tally.figures[name] = Math.max(tally.figures[name] ?? 0, Math.round(seconds * 10) / 10)
}

const restarts = 10

/** Workers are asked to end and started again, one after the other, ten times in one import. */
export function runRolling(t: Teardown, options: Options, run: ScenarioRun): Promise<Tally> {
  const disturb = async (long: Long) => {
    const { place, tally, signal } = long
    for (let i = 0; i < restarts && !signal.aborted; i++) {
      const before = await pointOf(long)
      if (before.isOver) return
      for (const worker of place.workers) await restartWorker(worker)
      countFault(tally, 'worker_restarted')
      longest(tally, 'longest time to the next batch, s', await secondsToBatches(long, before, 3))
    }
    run.say(`${restarts} restarts of all workers`)
  }
  const rows = options.longRows
  return runLong(t, options, run, { name: 'rolling', workers: 2, rows, env: quick, disturb })
}

const freezes = 3

/** The worker that has the import is stopped until another one has it, and wakes up while that one
 *  writes: whatever it had begun must not be written. */
export function runFrozen(t: Teardown, options: Options, run: ScenarioRun): Promise<Tally> {
  const disturb = async (long: Long) => {
    const { place, tally, signal } = long
    const [first] = place.workers
    let holder = first as Worker
    for (let i = 0; i < freezes && !signal.aborted; i++) {
      await secondsToBatches(long, await pointOf(long), 20)
      const before = await pointOf(long)
      if (before.isOver) return
      holder.process.kill('SIGSTOP')
      countFault(tally, 'worker_frozen')
      const frozen = holder
      holder = await place.addWorker()
      longest(tally, 'longest time to the next batch, s', await secondsToBatches(long, before, 5))
      frozen.process.kill('SIGCONT')
      // It wakes up beside the new one, and is gone before the next is frozen.
      await wait(2_000)
      frozen.process.kill('SIGTERM')
      await frozen.process.ended
    }
    run.say(`${freezes} frozen workers`)
  }
  const rows = options.longRows
  return runLong(t, options, run, { name: 'frozen', workers: 1, rows, env: quick, disturb })
}

const kills = 2
const shippedRows = 400_000

/** All settings as shipped: how long until another worker goes on after a kill -9. */
export function runPatience(t: Teardown, options: Options, run: ScenarioRun): Promise<Tally> {
  const disturb = async (long: Long) => {
    const { place, tally, signal } = long
    const [worker] = place.workers
    for (let i = 0; i < kills && worker && !signal.aborted; i++) {
      await secondsToBatches(long, await pointOf(long), 10)
      worker.process.kill('SIGKILL')
      await worker.process.ended
      const before = await pointOf(long)
      if (before.isOver) return
      worker.restart()
      countFault(tally, 'worker_killed')
      longest(tally, 'longest time to the next batch, s', await secondsToBatches(long, before, 1))
    }
    run.say(`${kills} kills with shipped settings`)
  }
  return runLong(t, options, run, {
    name: 'patience',
    workers: 1,
    rows: shippedRows,
    env: {},
    disturb
  })
}
