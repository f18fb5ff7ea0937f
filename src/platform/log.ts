// Logging: one pino logger per process, handed down; `log.child({ import_id })` per job.
// Cell contents never go into a log line.

import { type Logger, pino } from 'pino'

export type Log = Logger

/** Makes the process's logger. `level` is a pino level or `silent`. Writes JSON lines to stdout. */
export function createLog(level: string, name: string): Log {
  return pino({ level, name, redact: ['req.headers.authorization', 'headers.authorization'] })
}
