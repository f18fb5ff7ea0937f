// The words of dry runs, for all that has to do with them.

import type { Json } from '../../record-types/types.ts'
import type { TouchedRecords } from '../match/touched-records.ts'
import type { Outcome } from '../terms.ts'

/** What a row would change, by field; null: no value. References are ids, or `{"new": title}` for a
 *  record that the run itself would make; secrets are `{"secret": true}`. */
export type ShownChanges = Record<string, { from: Json; to: Json }>

/** A dry run that is applied. */
export interface DryRun {
  id: number
  /** yyyy-mm-dd, partition key of its outcomes. */
  created_on: string
}

/** What a dry run said of a row. */
export interface ForeseenRow {
  row_number: number
  outcome: Outcome
  /** null: none, or one that the run itself would make. */
  record_id: number | null
  /** Of an update: the version it would change. */
  record_version: number | null
  changes: ShownChanges | null
}

/** What a dry run, or an import that applies one, has to know besides what every run does. */
export interface Foresight {
  /** Ids that were taken for records that this run makes; some may never be used. */
  made: TouchedRecords
  /** Records that the dry run would change with rows that were refused as drifted: nothing that the
   *  dry run showed of them after such a row holds any more. */
  drifted: Set<number>
  /** The dry run that is applied; null: this is a dry run. */
  dryRun: DryRun | null
}
