// The words of taking back, shared by the steps of an undo. Imports nothing but types.

import type { RowProblemCode } from '../errors.ts'
import type { RecordData } from '../record-types/types.ts'
import type { DeletedFacts } from '../records/history/store.ts'

/** Undos of a job, and undos of these, by id: whether they take back what the job did, or do it again. */
export type PastJobs = ReadonlyMap<number, 'undo' | 'redo'>

/** The import, or undo, that is taken back. */
export interface TakenBack {
  id: number
  kind: 'import' | 'undo'
  past: PastJobs
}

/** A record that it wrote. */
export interface Target {
  record_id: number
  type_id: number
  /** Number of a row that was about it; 0: it was only named by rows. */
  row_number: number
  /** Whether the outcome says that it was made. */
  made: boolean
}

/** A record as it is now. */
export interface HeldRecord {
  id: number
  type_id: number
  version: number
  organization_id: number | null
  data: RecordData
  created_import_id: number | null
}

/** One change of a record, as `record_changes` has it. */
export interface PastChange {
  record_id: number
  /** The version that `before` belongs to; the change made the next one. */
  version: number
  import_id: number | null
  actor_key: number | null
  action: string
  before: RecordData
  /** Of a deletion: what the record had besides its values. */
  record: DeletedFacts | null
}

/** Who changed something; the names come later. */
export interface MakerId {
  import_id: number | null
  actor_key: number | null
}

/** Why a record, or one of its fields, is not taken back. */
export interface Reason {
  code: RowProblemCode
  field: string | null
  by?: MakerId | null
  /** The records that are in the way. */
  ids?: number[]
  value?: string
  args?: Record<string, string | number>
}
