// The ways in which a running installation is broken. The first four need no more than a server and a
// process: they are what test/chaos.test.ts injects as well.

import type { EmbeddedPostgres } from '../../src/platform/embedded-postgres.ts'
import { until } from '../../test/helpers/until.ts'
import type { Place, Query, Worker } from './place.ts'
import type { Random } from './random.ts'

export const faultKinds = [
  'worker_killed',
  'backend_killed',
  'session_ended',
  'server_stopped',
  'worker_restarted',
  'worker_frozen',
  'network_lost',
  'api_killed'
] as const
export type FaultKind = (typeof faultKinds)[number]

/** A session of a worker, one that is at work if there is any; null: there is none. */
async function findSession(query: Query, random: Random): Promise<number | null> {
  const rows = await query<{ pid: number; busy: boolean }>(
    `SELECT a.pid, a.state IN ('active', 'idle in transaction') AS busy
    FROM pg_stat_activity a
    WHERE a.application_name LIKE 'muster-%'
    AND a.application_name <> 'muster-server'
    ORDER BY a.pid`
  )
  const busy = rows.filter((row) => row.busy)
  const pool = busy.length > 0 ? busy : rows
  return pool[random.below(pool.length)]?.pid ?? null
}

/** kill -9 of a server process of a worker: the server ends all sessions and recovers. */
export async function killBackend(query: Query, random: Random): Promise<boolean> {
  const pid = await findSession(query, random)
  if (pid === null) return false
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false // it has ended by itself
  }
}

/** Ends a session of a worker, as an administrator would. */
export async function endSession(query: Query, random: Random): Promise<boolean> {
  const pid = await findSession(query, random)
  if (pid === null) return false
  const [row] = await query<{ done: boolean }>('SELECT pg_terminate_backend($1::integer) AS done', [
    pid
  ])
  return row?.done ?? false
}

/** Stops the whole server at once, without a checkpoint; out: once it has been started again. */
export async function stopServer(server: EmbeddedPostgres): Promise<boolean> {
  const before = server.pid()
  process.kill(before, 'SIGQUIT')
  await until('another server', () => server.pid() !== before, 60_000)
  return true
}

/** What goes on after a fault was injected; awaited at the end. */
export type Background = Set<Promise<unknown>>

interface FaultPlace {
  place: Place
  random: Random
  background: Background
  /** Ends an API process in the middle of an upload. */
  killApi: () => Promise<boolean>
  /** How long a worker is frozen or cut off: longer than its heartbeat. */
  awayMs: number
}

/** Injects one fault. Out: false where there was nothing to break now. */
export async function inject(kind: FaultKind, at: FaultPlace): Promise<boolean> {
  const { place, random, background } = at
  switch (kind) {
    case 'backend_killed':
      return killBackend(place.query, random)
    case 'session_ended':
      return endSession(place.query, random)
    case 'server_stopped':
      return stopServer(place.server)
    case 'api_killed':
      return at.killApi()
    default:
      return breakWorker(kind, at, background)
  }
}

async function breakWorker(
  kind: FaultKind,
  { place, random, awayMs }: FaultPlace,
  background: Background
): Promise<boolean> {
  const there = place.workers.filter((one) => !one.isAway)
  const worker = there[random.below(there.length)]
  if (!worker) return false
  if (kind === 'worker_killed') {
    worker.process.kill('SIGKILL')
    await worker.process.ended
    worker.restart()
    return true
  }
  // One at least goes on working.
  if (there.length < 2) return false
  worker.isAway = true
  const back = isBack(kind, worker, awayMs).finally(() => {
    worker.isAway = false
    background.delete(back)
  })
  background.add(back)
  return true
}

async function isBack(kind: FaultKind, worker: Worker, awayMs: number): Promise<void> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, awayMs))
  if (kind === 'worker_restarted') return restartWorker(worker)
  if (kind === 'worker_frozen') {
    worker.process.kill('SIGSTOP')
    await pause()
    worker.process.kill('SIGCONT')
  } else {
    worker.hole.freeze()
    await pause()
    worker.hole.thaw()
  }
}

const stopPatienceMs = 30_000

/** As a new version is rolled out: asked to end, and started again. Throws an Error when it does not
 *  end. */
export async function restartWorker(worker: Worker): Promise<void> {
  worker.process.kill('SIGTERM')
  const tooLate = setTimeout(() => worker.process.kill('SIGKILL'), stopPatienceMs)
  await worker.process.ended
  clearTimeout(tooLate)
  worker.restart()
}
