// What an import was told -> all its options, with the defaults of its record type. Pure.

import type { BlankPolicy, OnMissing, RecordType, UpdatePolicy } from '../../record-types/types.ts'
import type { Mode, PushPolicy, RepeatPolicy, SimilarPolicy } from '../terms.ts'

/** Everything an import was told, complete: what was not said has the default of its type. Stored
 *  with the import. */
export interface ImportOptions {
  mode: Mode
  /** true: everything is done but written; the outcomes say what would become of each row. */
  dry_run: boolean
  /** false: when one row is rejected, nothing is written at all. */
  allow_partial: boolean
  /** One organization for the whole file; null: from a column. */
  organization_id: number | null
  blank: BlankPolicy
  /** A cell that is exactly this clears its field, whatever `blank` says; null: there is none. */
  clear_marker: string | null
  repeats: RepeatPolicy
  similar: SimilarPolicy
  /** By field, where it is not as the type has it. */
  update: Record<string, UpdatePolicy>
  /** Separator of a many-valued field, by field, where it is not as the type has it. */
  separators: Record<string, string>
  /** By reference field, where it is not as the type has it. */
  on_missing: Record<string, OnMissing>
  /** ISO 3166 code of the country that phone numbers without + are of; null: they stay as written. */
  default_country: string | null
  /** With mode update_only: rows are found by external id only, which every row must have. */
  require_external_id: boolean
  /** Who gets a mail when it has ended. */
  notify_emails: string[]
  /** Which of its records events tell of when it has ended. */
  push: PushPolicy
}

/** Fills in what was not said. Also for imports stored before an option existed. */
export function completeOptions(type: RecordType, given: Partial<ImportOptions>): ImportOptions {
  return {
    mode: 'create_and_update',
    dry_run: false,
    allow_partial: true,
    organization_id: null,
    blank: type.blank,
    clear_marker: '__CLEAR__',
    repeats: 'reject',
    similar: 'warn',
    update: {},
    separators: {},
    on_missing: {},
    default_country: null,
    require_external_id: type.update_by_external_id === true,
    notify_emails: [],
    push: 'none',
    ...given
  }
}
