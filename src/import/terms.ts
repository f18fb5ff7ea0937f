// The words of importing, used with the same meaning in code, SQL, JSON and logs.
// Imported by every step of the flow; imports nothing but the error catalogue's types.

import type { RowProblemCode } from '../errors.ts'
import type { RecordData } from '../record-types/types.ts'

/** What became of one data row. `rejected` is the data's fault, `failed` is ours. */
export const outcomes = [
  'created',
  'updated',
  'unchanged',
  'skipped',
  'rejected',
  'failed'
] as const
export type Outcome = (typeof outcomes)[number]

/** Whether an import may create records, change records, or both. */
export const modes = ['create_only', 'update_only', 'create_and_update'] as const
export type Mode = (typeof modes)[number]

/** A record that a problem or an ambiguous match points at. */
export interface Candidate {
  id: number
  title: string
}

/** One thing that is wrong (error) or noteworthy (warning) about one row. Stored, never thrown. */
export interface Problem {
  severity: 'error' | 'warning'
  code: RowProblemCode
  /** Header of the column as written in the file; null when the whole row is meant. */
  column: string | null
  /** Name of the record type's field; null when the cell belongs to no field. */
  field: string | null
  /** A sentence for people: what is wrong and how to mend it. */
  message: string
  /** The offending cell, cut to 200 characters; null when there is none or it is sensitive. */
  value: string | null
  candidates?: Candidate[]
}

/** One data row as the parser hands it on: cells are text, nothing is interpreted. */
export interface RawRow {
  /** 1-based number among the data rows of the file (the header is not one). */
  row: number
  /** 1-based line of the file on which the row begins, as an editor shows it. */
  line: number
  /** Byte offset of the row's first byte in the stored file. */
  offset: number
  /** One text per column, as many as the header has; [] when the row could not be split. */
  cells: string[]
  /** Why the row cannot be read (wrong cell count, bad bytes, stray quote ...); null when it can. */
  problems: Problem[] | null
}

/** Where parsing goes on: everything before `offset` is done. */
export interface Checkpoint {
  /** Data rows already done. */
  rows: number
  /** Byte offset of the next row. */
  offset: number
  /** 1-based line of the next row. */
  line: number
  /** Blank lines passed over so far. */
  blankRows: number
}

/** How the bytes of a file are to be read; found by sniffing its first 64 KiB. */
export interface Dialect {
  /** One ASCII character. */
  delimiter: string
  /** Line end of the file. `mixed` files are read with `\n`, a trailing `\r` is dropped. */
  newline: '\n' | '\r\n' | '\r'
  /** Cells of the header row, trimmed, BOM removed. */
  headers: string[]
  /** Byte offset of the first byte after the header row. */
  dataOffset: number
  /** 1-based line of the first data row. */
  dataLine: number
}

/** A stored record as matching sees it. */
export interface ExistingRecord {
  id: number
  version: number
  organization_id: number | null
  /** Hash of the row it was last written from; null when anything but an import wrote it. */
  fingerprint: number | null
  /** null when the fingerprint is among those asked for: then the values are not needed. */
  data: RecordData | null
}
