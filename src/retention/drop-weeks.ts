// Outcomes of rows and history, dropped by whole weeks. In: for how many days they are kept.
// Out: the weeks that were dropped. Called by clean.ts.

import { setTimeout as wait } from 'node:timers/promises'
import { type Pool, withTransaction } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import {
  dropWeek,
  isWeekInUse,
  limitLockWait,
  listPastWeeks,
  lockPartitions,
  type WeeklyTable
} from './store.ts'

// While the drop waits for those who use the table, everybody who comes later waits for the drop.
const lockWaitMs = 200
// Longer than most batches and pages take: the next try finds another moment.
const pauseMs = 2_000
const maxTries = 15

export interface WeeksPlace {
  pool: Pool
  log: Log
  signal: AbortSignal
}

/** Drops the partitions of `table` whose whole week was over `days` days ago (0: none). Out: their
 *  Mondays. A week that is in use by an import or cannot be had is left for the next time. */
export async function dropWeeks(
  place: WeeksPlace,
  table: WeeklyTable,
  days: number
): Promise<string[]> {
  if (days === 0) return []
  const dropped: string[] = []
  for (const week of await listPastWeeks(place.pool, table, days)) {
    if (place.signal.aborted) break
    if (await dropWhenFree(place, table, week, days)) dropped.push(week)
  }
  return dropped
}

async function dropWhenFree(
  { pool, log, signal }: WeeksPlace,
  table: WeeklyTable,
  week: string,
  days: number
): Promise<boolean> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      return await withTransaction(pool, async (tx) => {
        await limitLockWait(tx, lockWaitMs)
        await lockPartitions(tx)
        // History lies in the week of the change: nobody writes into one that is over.
        if (table === 'import_rows' && (await isWeekInUse(tx, week, days))) return false
        await dropWeek(tx, table, week)
        return true
      })
    } catch (error) {
      const { code } = error as { code?: string }
      // lock_not_available, deadlock_detected; undefined_table: another worker was quicker.
      if (code === '42P01') return false
      if (code !== '55P03' && code !== '40P01') throw error
      if (tries === maxTries) {
        log.info({ table, week, tries }, 'old week is in use, tried again later')
        return false
      }
      await wait(pauseMs, undefined, { signal }).catch(() => {})
    }
  }
  return false
}
