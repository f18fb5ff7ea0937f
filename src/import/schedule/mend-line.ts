// What keeps the line moving when the queue has forgotten it: tickets that are gone, though imports
// wait or are marked as running. The queue's tables may have been made anew, or be those of a backup.
// Called by jobs.ts when a worker starts, and every minute.

import type { Config } from '../../config.ts'
import { type Pool, withTransaction } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import { settleUndone } from '../write/undone-state.ts'
import { chooseImport } from './choose-import.ts'
import { findSilent, freeLost, readLine } from './store.ts'

/** The queue as it is asked here. */
export interface Tickets {
  /** Whether a worker has the ticket, or will get it. */
  isAlive(id: string): Promise<boolean>
  /** Sends a new one. */
  wake(): Promise<void>
}

/** Gives back imports whose ticket is gone, and sends a ticket when an import may run: one too many
 *  does no harm. */
export async function mendLine(
  { pool, config, log }: { pool: Pool; config: Config; log: Log },
  tickets: Tickets
): Promise<void> {
  // Long enough that the queue itself has noticed a lost worker, and that this is the exception.
  const silentSeconds = 4 * config.workerHeartbeatSeconds
  for (const { ticket, ...lost } of await findSilent(pool, silentSeconds)) {
    if (ticket !== null && (await tickets.isAlive(ticket))) continue
    const state = await withTransaction(pool, async (tx) => {
      const freed = await freeLost(tx, lost)
      if (freed === 'cancelled') await settleUndone(tx, lost.account_id, lost.id)
      return freed
    })
    if (state !== null)
      log.warn({ import_id: lost.id, account_id: lost.account_id }, 'import had no job')
  }
  if (chooseImport(await readLine(pool), config.maxRunningImports) !== null) await tickets.wake()
}
