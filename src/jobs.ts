// The list of queues and their handlers: what runs in the background, and with which guarantees.
// (Mails wait in their own table: see notify/mail/mailer.ts.)

import type { Config } from './config.ts'
import { runImport } from './import/job.ts'
import { startMailer } from './notify/mail/mailer.ts'
import type { Pool, Tx } from './platform/db.ts'
import type { Log } from './platform/log.ts'
import { type Queue, sendInTransaction } from './platform/queue.ts'
import type { Secrets } from './platform/secrets.ts'
import { cleanUp } from './retention/clean.ts'

/** Runs one import from its checkpoint to its end. */
const importQueue = 'import.run'

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
  await boss.createQueue(importQueue, {
    // One running import for each (account, record type), oldest first; one that was given back or
    // has failed goes on before younger ones. (Policy `singleton` holds a key back for up to a
    // minute after its job has ended.)
    policy: 'key_strict_fifo',
    // Restarts of a worker cost a retry each; our own rule (no progress in several attempts) ends
    // an import that cannot go on.
    retryLimit: 1_000,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 30,
    expireInSeconds: 86_399,
    heartbeatSeconds,
    notify: true
  })
  await boss.updateQueue(importQueue, { heartbeatSeconds })
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

/** Enqueues an import in the transaction that made it ready to run. */
export async function enqueueImport(
  boss: Queue,
  tx: Tx,
  job: ImportJob & { type: string }
): Promise<void> {
  const { account_id, import_id, type } = job
  await sendInTransaction(
    boss,
    tx,
    importQueue,
    { account_id, import_id },
    { singletonKey: `${account_id}/${type}` }
  )
}

export interface Workers {
  /** Stops taking jobs; a running import ends its batch, gives itself back and goes on later. */
  stop(): Promise<void>
}

/** Starts working on all queues in this process. */
export async function startWorkers(context: {
  boss: Queue
  pool: Pool
  secrets: Secrets
  config: Config
  log: Log
}): Promise<Workers> {
  const { boss, pool, secrets, config, log } = context
  const stopping = new AbortController()
  await boss.work<ImportJob>(
    importQueue,
    {
      localConcurrency: config.workerConcurrency,
      batchSize: 1,
      pollingIntervalSeconds: 1,
      notifyPollingIntervalSeconds: 2
    },
    async ([job]) => {
      if (!job) return
      const signal = AbortSignal.any([stopping.signal, job.signal])
      await runImport({ pool, secrets, config, log, signal }, job.data)
    }
  )
  await boss.work(cleanQueue, { batchSize: 1, pollingIntervalSeconds: 30 }, async ([job]) => {
    if (!job) return
    await cleanUp({ pool, config, log, signal: AbortSignal.any([stopping.signal, job.signal]) })
  })
  const cleaning = scheduleCleaning(boss, log)
  const mailer = startMailer({ pool, config, log })
  return {
    async stop() {
      cleaning.stop()
      stopping.abort()
      await Promise.all([
        mailer.stop(),
        boss.stop({ graceful: true, timeout: config.shutdownTimeoutMs })
      ])
    }
  }
}
