// What idempotency keys need from time to time: those of running requests are held for longer, and
// expired ones are deleted in small batches. Called by idempotency.ts.

import type { Pool } from './db.ts'
import { deleteExpiredKeys, type KeyHold, renewKeys } from './idempotency-store.ts'
import type { Log } from './log.ts'

const sweepMs = 600_000
const sweepBatch = 1_000

/** Renews `held` well within its lease, and sweeps now and again and again. A failure is logged: the
 *  next pass tries again. */
export function keepKeys(
  pool: Pool,
  log: Log,
  { held, leaseMs }: { held: Set<KeyHold>; leaseMs: number }
): { stop(): Promise<void> } {
  const renew = async () => {
    if (held.size > 0) await renewKeys(pool, [...held], leaseMs)
  }
  const sweep = async () => {
    const count = await sweepKeys(pool)
    if (count > 0) log.info({ count }, 'expired idempotency keys deleted')
  }
  const failed = (error: unknown) => log.warn({ err: error }, 'upkeep of idempotency keys failed')
  let sweeping = sweep().catch(failed)
  const timers = [
    setInterval(() => void renew().catch(failed), leaseMs / 4),
    setInterval(() => {
      sweeping = sweep().catch(failed)
    }, sweepMs)
  ]
  for (const timer of timers) timer.unref()
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await sweeping
    }
  }
}

/** Deletes all expired keys, a batch at a time. Returns how many. */
export async function sweepKeys(pool: Pool, batch = sweepBatch): Promise<number> {
  let count = 0
  for (;;) {
    const deleted = await deleteExpiredKeys(pool, batch)
    count += deleted
    if (deleted < batch) return count
  }
}
