// Publishing: events get their place in the one order that readers follow, and those who asked for
// them get a delivery each, in the same transaction. In: a pool. Out: how many were published.
// Called by publisher.ts in every worker process; one at a time does it.

import { type Pool, type Tx, withTransaction } from '../../platform/db.ts'
import {
  addDeliveries,
  ensureDay,
  lockEndpoints,
  lockPublishing,
  type PublishedEvent,
  publishNext,
  wakeSenders
} from './store.ts'

/** Does more with events as they are published, in the same transaction. */
export type OnPublished = (tx: Tx, events: PublishedEvent[]) => Promise<void>

export interface Publishing {
  pool: Pool
  /** Aborted when the process is to stop: the page in hand is the last one. */
  signal: AbortSignal
  /** Others who want to know; none by default. */
  listeners?: OnPublished[]
}

// With up to a hundred endpoints each: what one transaction may write at most.
const pageSize = 200

/** Publishes page after page until nothing is left, or somebody else is at it (they will see what we
 *  saw: all are woken). Out: how many events. */
export async function publishAll({ pool, signal, listeners = [] }: Publishing): Promise<number> {
  let published = 0
  while (!signal.aborted) {
    const day = new Date().toISOString().slice(0, 10)
    await ensureToday(pool, day)
    const count = await withTransaction(pool, (tx) => publishPage(tx, day, listeners))
    published += count
    if (count < pageSize) break
  }
  return published
}

async function publishPage(tx: Tx, day: string, listeners: OnPublished[]): Promise<number> {
  if (!(await lockPublishing(tx))) return 0
  const events = await publishNext(tx, pageSize)
  if (events.length === 0) return 0
  // Endpoints are held before they are read: their counts are then those of who was here before.
  const endpoints = await lockEndpoints(tx, events)
  if (endpoints > 0 && (await addDeliveries(tx, events, day)) > 0) await wakeSenders(tx)
  for (const listener of listeners) await listener(tx, events)
  return events.length
}

const ensured = new WeakMap<Pool, string>()

/** Once a day is enough. */
async function ensureToday(pool: Pool, day: string): Promise<void> {
  if (ensured.get(pool) === day) return
  await ensureDay(pool, day)
  ensured.set(pool, day)
}
