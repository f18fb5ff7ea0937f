// Logging: one pino logger per process, handed down; `log.child({ import_id })` per job.
// Cell contents never go into a log line, also not by way of an error.

import pg from 'pg'
import { type Logger, pino } from 'pino'

export type Log = Logger

/** Makes the process's logger. `level` is a pino level or `silent`. Writes JSON lines to stdout. */
export function createLog(level: string, name: string): Log {
  return pino({
    level,
    name,
    redact: ['req.headers.authorization', 'headers.authorization'],
    serializers: { err: (error: Error) => pino.stdSerializers.err(withoutValues(error)) }
  })
}

/** The error as it may be logged. PostgreSQL quotes values (a cell, a whole row of a COPY) in what it
 *  says about an error: of its errors, causes included, only names, codes and places in code stay. */
function withoutValues(error: Error): Error {
  const cause = error.cause instanceof Error ? withoutValues(error.cause) : error.cause
  if (!(error instanceof pg.DatabaseError)) {
    return cause === error.cause ? error : Object.create(error, { cause: { value: cause } })
  }
  const { code, severity, schema, table, column, constraint, routine } = error
  // Class 22, data exception: the message itself quotes the value.
  const message = code?.startsWith('22') ? 'a value was refused' : error.message
  const bare = new Error(message, { cause })
  bare.stack = error.stack?.replace(error.message, () => message) ?? message
  const place = { severity, schema, table, column, constraint, routine }
  return Object.assign(bare, { name: 'DatabaseError', code, ...place })
}
