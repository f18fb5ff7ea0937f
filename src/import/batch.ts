// What the steps of one batch share.

import type { Tx } from '../platform/db.ts'
import type { Decision } from './decide/decide-row.ts'
import type { Foresight } from './dry-run/terms.ts'
import type { KeyFilter } from './match/key-filter.ts'
import type { MatchedRow } from './match/match-rows.ts'
import type { ReferenceNames } from './match/reference-names.ts'
import type { TouchedRecords } from './match/touched-records.ts'
import type { ImportPlan } from './resolve/plan.ts'

/** What an import knows from batch to batch; lost with its worker, and then found out again. */
export interface BatchMemory {
  references: ReferenceNames[]
  filter: KeyFilter | null
  /** write_seq of each type as this import left it: another value means somebody else wrote. */
  writeSeqs: Map<number, number>
  /** Record ids taken from the sequence and not used yet. */
  ids: number[]
  /** Raised whenever a remembered name turned out to be uncertain. */
  epoch: number
  /** The records that committed rows of this import were about. */
  touched: TouchedRecords
  /** The keys of rows that wait: a later row that shares one waits as well, so that the order of the
   *  file holds; null: no row waits. */
  waiting: KeyFilter | null
  /** All rows of the file have been seen, and those that wait have no hope left. */
  isLast: boolean
  /** What a dry run, or an import that applies one, has to know besides; null: it is neither. */
  foresight: Foresight | null
}

export interface BatchPlace {
  tx: Tx
  /** Where outcomes are written: the same, unless only they are to stay. */
  out: Tx
  account_id: number
  import_id: number
  /** yyyy-mm-dd, partition key of the import's rows. */
  created_on: string
  plan: ImportPlan
  memory: BatchMemory
  /** The rows come from those that waited, not from the file. */
  waited: boolean
  /** Called, maybe several times, when the database has work to do and this process has none. */
  whileBusy: () => void
}

/** A row and what happens to it. */
export interface DecidedRow extends MatchedRow {
  decision: Decision
}
