// The list of queues and their handlers: what runs in the background, and with which guarantees.
// (Mails wait in their own table: see notify/mail/mailer.ts.)

import type { Config } from './config.ts'
import { runImport } from './import/job.ts'
import { mendLine, type Tickets } from './import/schedule/mend-line.ts'
import { serveTicket, type TurnContext } from './import/schedule/take-turn.ts'
import { publishAll } from './notify/events/publish.ts'
import { startDelivering } from './notify/lanes/deliver.ts'
import { startMailer } from './notify/mail/mailer.ts'
import type { Pool, Tx } from './platform/db.ts'
import { startListener } from './platform/listen.ts'
import type { Log } from './platform/log.ts'
import { type Queue, sendInTransaction } from './platform/queue.ts'
import { repeat } from './platform/repeat.ts'
import type { Secrets } from './platform/secrets.ts'
import { cleanUp } from './retention/clean.ts'
import { runPushes } from './sync/push/run-pushes.ts'
import { runUndo } from './undo/run-undo.ts'

/** A ticket: wakes a worker, which runs whatever import is next. */
const turnQueue = 'import.turn'

/** Drops what has had its time. */
const cleanQueue = 'keep.clean'

export interface ImportJob {
  account_id: number
  import_id: number
}

/** Creates the queues that are missing, and sets what is configured. Called by every process before
 *  it uses them. */
export async function registerQueues(boss: Queue, config: Config): Promise<void> {
  const heartbeatSeconds = config.workerHeartbeatSeconds
  await boss.createQueue(turnQueue, {
    // Restarts of a worker cost a retry each; our own rule (no progress in several attempts) ends
    // an import that cannot go on.
    retryLimit: 1_000,
    retryDelay: 1,
    retryBackoff: true,
    // Waited by an import that was given back as well: with half a minute, ten restarts in a row would
    // hold it up for four.
    retryDelayMax: 5,
    expireInSeconds: 86_399,
    heartbeatSeconds,
    notify: true
  })
  await boss.updateQueue(turnQueue, { heartbeatSeconds })
  await boss.createQueue(cleanQueue, {
    // At most one that waits or runs, whoever asks for it.
    policy: 'exclusive',
    retryLimit: 5,
    retryDelay: 60,
    expireInSeconds: 3_600,
    heartbeatSeconds,
    notify: true
  })
  await boss.updateQueue(cleanQueue, { heartbeatSeconds })
}

const hourSeconds = 3_600
const askAgainMs = 600_000
const firstAskMs = 60_000

const mendMs = 60_000

/** Looks now and every minute whether imports wait that no ticket was sent for. */
function watchLine({ boss, pool, config, log }: WorkerContext): { stop(): void } {
  const tickets: Tickets = {
    async isAlive(id) {
      const jobs = await boss.findJobs(turnQueue, { id })
      return jobs.some(({ state }) => ['created', 'retry', 'active'].includes(state))
    },
    async wake() {
      await boss.send(turnQueue, {}, { singletonSeconds: mendMs / 2_000 })
    }
  }
  const mend = () =>
    mendLine({ pool, config, log }, tickets).catch((error: unknown) => {
      log.warn({ err: error }, 'line of imports not looked after')
    })
  void mend()
  const timer = setInterval(mend, mendMs)
  return { stop: () => clearInterval(timer) }
}

/** Asks for cleaning once an hour: all processes do, and the queue takes one job for each hour.
 *  (The queue's own schedule would cost every worker two statements a minute, and a chain of jobs
 *  that follow each other would end with the first one that fails for good.) */
function scheduleCleaning(boss: Queue, log: Log): { stop(): void } {
  const ask = () =>
    boss.send(cleanQueue, {}, { singletonSeconds: hourSeconds }).catch((error: unknown) => {
      log.warn({ err: error }, 'cleaning not asked for')
    })
  // Not at once: a worker that comes up has more urgent work.
  const first = setTimeout(ask, firstAskMs).unref()
  const timer = setInterval(ask, askAgainMs).unref()
  return {
    stop() {
      clearTimeout(first)
      clearInterval(timer)
    }
  }
}

/** Asks for cleaning now. Out: false when it is asked for already. */
export async function requestCleaning(boss: Queue): Promise<boolean> {
  return (await boss.send(cleanQueue, {})) !== null
}

/** Sends a ticket in the transaction that made an import ready to run. */
export async function enqueueImport(boss: Queue, tx: Tx, job: ImportJob): Promise<void> {
  const { account_id, import_id } = job
  // For people who look at the queue: the ticket is good for any import.
  await sendInTransaction(boss, tx, turnQueue, { account_id, import_id })
}

/** Runs an import of any kind: an undo waits and takes turns like the imports of its type. */
const run: TurnContext['run'] = async (context, place) => {
  if (!(await runUndo(context, place))) await runImport(context, place)
}

export interface Workers {
  /** Stops taking jobs; a running import ends its batch, gives itself back and goes on later. */
  stop(): Promise<void>
}

const lookAgainMs = 5_000

type Notifying = Omit<WorkerContext, 'boss'>

/** Publishes events as they are written, and sends them to who asked: every worker process does; who
 *  publishes, and who has which lane, is settled in the database. */
function startNotifying(context: Notifying & { signal: AbortSignal }): Workers {
  const { pool, log, signal } = context
  const publisher = repeat({ name: 'publishing events', everyMs: lookAgainMs, log }, () =>
    publishAll({ pool, signal })
  )
  const delivering = startDelivering(context)
  const pusher = repeat({ name: 'pushing records', everyMs: lookAgainMs, log }, () =>
    runPushes({ pool, signal })
  )
  const wakeAll = () => {
    publisher.wake()
    delivering.wake()
    pusher.wake()
  }
  const listener = startListener({
    pool,
    channel: 'muster_events',
    log,
    onPayload: (payload) => {
      if (payload === 'deliveries') delivering.wake()
      else if (payload === 'pushes') pusher.wake()
      else publisher.wake()
    },
    onListening: wakeAll
  })
  return {
    async stop() {
      await Promise.all([listener.stop(), publisher.stop(), delivering.stop(), pusher.stop()])
    }
  }
}

export interface WorkerContext {
  boss: Queue
  pool: Pool
  secrets: Secrets
  config: Config
  log: Log
}

/** Starts working on all queues in this process. */
export async function startWorkers(context: WorkerContext): Promise<Workers> {
  const { boss, pool, secrets, config, log } = context
  const stopping = new AbortController()
  const wake = async () => void (await boss.send(turnQueue, {}))
  await boss.work(
    turnQueue,
    {
      localConcurrency: config.workerConcurrency,
      batchSize: 1,
      pollingIntervalSeconds: 1,
      notifyPollingIntervalSeconds: 2,
      // Tickets that are left over when their imports have run are not looked at one by one.
      burstWhenReadyExceeds: 10
    },
    async ([job]) => {
      if (!job) return
      const signal = AbortSignal.any([stopping.signal, job.signal])
      const ticket = { id: job.id, isAgain: job.retryCount > 0 }
      await serveTicket({ pool, secrets, config, log, signal, run }, ticket, wake)
    }
  )
  await boss.work(cleanQueue, { batchSize: 1, pollingIntervalSeconds: 30 }, async ([job]) => {
    if (!job) return
    await cleanUp({ pool, config, log, signal: AbortSignal.any([stopping.signal, job.signal]) })
  })
  const cleaning = scheduleCleaning(boss, log)
  const line = watchLine(context)
  const notifying = startNotifying({ pool, config, secrets, log, signal: stopping.signal })
  const mailer = startMailer({ pool, config, log })
  return {
    async stop() {
      cleaning.stop()
      line.stop()
      stopping.abort()
      await Promise.all([
        notifying.stop(),
        mailer.stop(),
        boss.stop({ graceful: true, timeout: config.shutdownTimeoutMs })
      ])
    }
  }
}
