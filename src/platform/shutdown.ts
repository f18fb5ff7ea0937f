// An orderly end for a process: signals, uncaught errors and a parent that went away all lead to
// one call of `stop`, with a limit on how long it may take. Called once by each entry file.

import closeWithGrace from 'close-with-grace'
import type { Log } from './log.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface ShutdownOptions {
  /** After this long the process ends with code 1, whatever is still open. */
  timeoutMs: number
  log: Log
}

/** Calls `stop` once and exits: code 0 after a signal, 1 after an error or when time runs out. */
export function onShutdown({ timeoutMs, log }: ShutdownOptions, stop: () => Promise<void>): void {
  const grace = closeWithGrace(
    {
      delay: timeoutMs,
      logger: false,
      // An event loop that runs empty on the way out keeps its own exit code.
      skip: [...signals, 'beforeExit'],
      onTimeout: () => log.error({ timeout_ms: timeoutMs }, 'stopping took too long')
    },
    async ({ err }) => {
      if (err) log.fatal({ err }, 'stopping after an error that nothing handled')
      await stop().catch((error: unknown) => {
        log.error({ err: error }, 'stopping failed')
        throw error
      })
      log.info('stopped')
    }
  )
  let firstAt = 0
  const onSignal = (reason: string) => {
    if (firstAt === 0) {
      firstAt = Date.now()
      log.info({ reason }, 'stopping')
      void grace.close()
    } else if (Date.now() - firstAt > 1_000) {
      // Asked again by an impatient person. (One Ctrl-C under npm arrives twice within
      // milliseconds: from the terminal and from npm. That is not impatience.)
      process.exit(1)
    }
  }
  for (const signal of signals) process.on(signal, () => onSignal(signal))
  // A limit on the size of files (ulimit -f) would end the process; so the write alone fails.
  process.on('SIGXFSZ', () => {})
  // Our parent, if it forked us, stops us by closing the channel, and when it dies it closes too.
  // It may have done so already, while our modules were being loaded.
  const onDisconnect = () => onSignal('the parent closed the channel')
  if (process.connected) process.once('disconnect', onDisconnect)
  else if (process.connected === false) onDisconnect()
}
