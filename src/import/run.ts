// What the parts of a running import share: the process around it, the claimed import, its plan.

import type { Config } from '../config.ts'
import type { Pool } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { ReadPlace } from './read-resolved.ts'
import type { ImportPlan } from './resolve/plan.ts'
import type { ClaimedImport } from './write/import-state.ts'

/** The time that an import has with its worker. */
export interface Turn {
  /** Asked after each batch: whether the import is to make room for others and go on later. */
  isOver(): Promise<boolean>
}

export interface RunContext {
  pool: Pool
  secrets: Secrets
  config: Config
  log: Log
  /** Aborted when the process is to stop: the batch in flight ends, the rest is given back. */
  signal: AbortSignal
  /** Not given: it may take as long as it likes. */
  turn?: Turn
}

/** One run of one import. */
export interface Run extends RunContext {
  run: ClaimedImport
  plan: ImportPlan
  read: ReadPlace
}
