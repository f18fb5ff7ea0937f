// Progress of a running import, told to whoever follows it: twice a second, whatever the number of
// its batches, and outside of their transactions. Called by take-turn.ts for the time of a turn.

import type { Pool } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import { type ImportPlace, tellProgress } from './store.ts'

/** A client hears of progress at most this often. */
export const everyMs = 500

/** Begins to tell; the caller calls `stop`. A pulse that fails is left out: the next one comes. */
export function startPulse(pool: Pool, place: ImportPlace, log: Log): { stop(): void } {
  let last: string | null = null
  let isBusy = false
  const beat = async () => {
    if (isBusy) return
    isBusy = true
    try {
      last = await tellProgress(pool, place, last)
    } catch (error) {
      log.debug({ err: error }, 'progress not told')
    }
    isBusy = false
  }
  const timer = setInterval(() => void beat(), everyMs).unref()
  return { stop: () => clearInterval(timer) }
}
