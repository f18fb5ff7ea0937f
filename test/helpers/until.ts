// Waiting for a fact in tests that watch other processes: asks again until it is so.

import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

/** Asks every 20 ms until the answer is truthy; out: that answer. Throws an Error naming what was
 *  waited for after `timeoutMs`. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 20_000
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await wait(20)
  }
}

/** Whether a process runs (one that is dead but not yet buried by its parent does not). */
export async function isRunning(pid: number): Promise<boolean> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
  }
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
