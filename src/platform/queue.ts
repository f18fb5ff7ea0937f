// The job queue: pg-boss in the same database, so that a job is enqueued in the transaction that
// made it necessary. Jobs hold ids, never data.

import { PgBoss } from 'pg-boss'
import { connectMs, keepAlive, type Tx } from './db.ts'
import type { Log } from './log.ts'

export type Queue = PgBoss

export interface QueueOptions {
  connectionString: string
  log: Log
  /** install: creates pg-boss's schema; send: only enqueues; work: runs jobs and supervises. */
  role: 'install' | 'send' | 'work'
}

// Handed on to its pool as they are: without them a server that went silent would hold all its
// connections for ever, and no job would be taken or ended again.
const limits = { query_timeout: 30_000, statement_timeout: 29_000 }

/** Makes the queue client; the caller starts and stops it. Errors go to the log, never uncaught. */
export function createQueue({ connectionString, log, role }: QueueOptions): Queue {
  const works = role === 'work'
  // Migrations of its schema may take their time.
  const bounds = role === 'install' ? keepAlive : { ...keepAlive, ...limits }
  const boss = new PgBoss({
    ...bounds,
    connectionString,
    application_name: `muster-queue-${role}`,
    schema: 'pgboss',
    max: works ? 4 : 2,
    connectionTimeoutMillis: connectMs,
    migrate: role === 'install',
    createSchema: role === 'install',
    supervise: works,
    schedule: false,
    // A killed worker is noticed after heartbeat (30 s) plus one of these.
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    useListenNotify: works
  })
  boss.on('error', (error) => log.warn({ err: error }, 'queue error'))
  boss.on('warning', (warning) => log.warn({ warning }, 'queue warning'))
  return boss
}

/** Enqueues a job inside the caller's transaction: rolled back means never enqueued.
 *  Throws an Error when a queue policy refuses the job, so that no caller answers 202 for nothing. */
export async function sendInTransaction(
  boss: Queue,
  tx: Tx,
  queue: string,
  data: object,
  options: { singletonKey?: string; startAfter?: number } = {}
): Promise<void> {
  const db = {
    executeSql: (text: string, values?: unknown[]) => tx.query(text, values)
  }
  const id = await boss.send(queue, data, { ...options, db })
  if (id === null) throw new Error(`queue ${queue} refused the job`)
}
