// The list of queues and their handlers: what runs in the background, and with which guarantees.

import type { Config } from './config.ts'
import { runImport } from './import/job.ts'
import type { Pool, Tx } from './platform/db.ts'
import type { Log } from './platform/log.ts'
import { type Queue, sendInTransaction } from './platform/queue.ts'
import type { Secrets } from './platform/secrets.ts'

/** Runs one import from its checkpoint to its end. */
const importQueue = 'import.run'

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
  return {
    async stop() {
      stopping.abort()
      await boss.stop({ graceful: true, timeout: config.shutdownTimeoutMs })
    }
  }
}
