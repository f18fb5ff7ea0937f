// Shapes of the table `imports`: what is read of an import, and what a new one is made of.

import type { FieldFacts } from './profiles/profile-facts.ts'
import type { ImportOptions } from './resolve/import-options.ts'
import type { ImportState } from './status.ts'
import type { Dialect } from './terms.ts'

/** One row of `imports`, with the name of the key that created it. Times are Dates. */
export interface ImportRow {
  id: number
  created_on: string
  created_at: Date
  created_by: number | null
  created_by_name: string | null
  type: string
  /** undo: takes back what another import wrote; its rows are records, and it has no file. */
  kind: 'import' | 'undo'
  /** Name of the import profile it was made with; null: none. */
  profile: string | null
  state: ImportState
  file_name: string
  file_key: string
  file_bytes: number
  file_sha256: string
  dialect: Dialect
  options: ImportOptions
  mapping: (string | null)[]
  next_offset: number
  rows_created: number
  rows_updated: number
  rows_unchanged: number
  rows_skipped: number
  rows_rejected: number
  rows_failed: number
  /** Records of an undo. */
  rows_reverted: number
  rows_kept: number
  rows_with_warnings: number
  /** Rows whose records events have told of. */
  rows_pushed: number
  references_created: Record<string, number>
  rows_total: number | null
  /** The dry run that this import applies, and the import that applies this dry run. */
  applied_from: number | null
  applied_by: number | null
  /** The import that this one takes back, and the latest one that takes this one back. */
  undo_of: number | null
  undone_by: number | null
  /** How it had ended before it was taken back. */
  state_before: ImportState | null
  error: { code: string; message: string } | null
  queued_at: Date | null
  started_at: Date | null
  progressed_at: Date | null
  finished_at: Date | null
  /** When retention dropped its upload, its outcomes, any of the history it wrote; null: not yet. */
  file_dropped_at: Date | null
  rows_dropped_at: Date | null
  history_dropped_at: Date | null
}

/** What an accepted upload becomes. */
export interface NewImport {
  account_id: number
  created_by: number
  type: string
  /** Version of the type that options and mapping were checked against. */
  type_version: number
  profile: string | null
  /** Facts of the type's fields at that version. */
  fields: FieldFacts[]
  state: 'draft' | 'queued'
  file_name: string
  file_key: string
  file_bytes: number
  file_sha256: string
  dialect: Dialect
  options: ImportOptions
  mapping: (string | null)[]
}
