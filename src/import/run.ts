// What the parts of a running import share: the process around it, the claimed import, its plan.

import type { Config } from '../config.ts'
import type { Pool } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { ReadPlace } from './read-resolved.ts'
import type { ImportPlan } from './resolve/plan.ts'
import type { ClaimedImport } from './write/import-state.ts'

export interface RunContext {
  pool: Pool
  secrets: Secrets
  config: Config
  log: Log
  /** Aborted when the process is to stop: the batch in flight ends, the rest is given back. */
  signal: AbortSignal
}

/** One run of one import. */
export interface Run extends RunContext {
  run: ClaimedImport
  plan: ImportPlan
  read: ReadPlace
}
