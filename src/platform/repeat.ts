// Work that is done when somebody says so, and now and then in case nobody could say it. Never twice
// at once; a wake-up during the work makes it run once more. Knows no domain word.

import type { Log } from './log.ts'

export interface Repeated {
  /** Asks for the work now. */
  wake(): void
  /** Lets the work under way end, and no other begin. */
  stop(): Promise<void>
}

export interface RepeatOptions {
  /** What is done, for the log. */
  name: string
  /** The longest pause; a failure is tried again after it. */
  everyMs: number
  log: Log
}

/** Runs `work` now, on every wake-up, and at least every `everyMs`. */
export function repeat({ name, everyMs, log }: RepeatOptions, work: () => Promise<unknown>) {
  let running: Promise<void> | null = null
  let isAsked = false
  let isStopped = false
  const run = async () => {
    do {
      isAsked = false
      await work()
    } while (isAsked && !isStopped)
  }
  const wake = () => {
    isAsked = true
    if (running || isStopped) return
    running = run()
      .catch((error: unknown) => log.warn({ err: error }, `${name} failed, tried again later`))
      .finally(() => {
        running = null
      })
  }
  const timer = setInterval(wake, everyMs).unref()
  wake()
  const repeated: Repeated = {
    wake,
    async stop() {
      isStopped = true
      clearInterval(timer)
      await running
    }
  }
  return repeated
}
