// What matching hands to deciding.

import type { RecordData } from '../../record-types/types.ts'

/** A stored record as matching finds it and deciding sees it. */
export interface ExistingRecord {
  id: number
  version: number
  organization_id: number | null
  /** Hash of the row it was last written from; null when anything but an import wrote it. */
  fingerprint: number | null
  /** null when the fingerprint is among those asked for: then the values are not needed. */
  data: RecordData | null
}
