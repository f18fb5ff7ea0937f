// The words of importing, used with the same meaning in code, SQL, JSON and logs.
// Imported by every step of the flow; imports nothing but the error catalogue's types.

import type { Candidate, Problem } from '../errors.ts'

export type { Candidate, Problem }

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

/** What became of one record of an undo; it may be `failed`, too. */
export const undoOutcomes = ['reverted', 'kept'] as const

/** Every outcome that is shown. */
export const shownOutcomes = [...outcomes, ...undoOutcomes] as const
export type ShownOutcome = (typeof shownOutcomes)[number]

/** Whether an import may create records, change records, or both. */
export const modes = ['create_only', 'update_only', 'create_and_update'] as const
export type Mode = (typeof modes)[number]

/** A second row about a record that an earlier row of the file was about. reject: it is rejected
 *  (rows with the same external id that do not contradict each other are folded); merge: it is
 *  applied like any other, in file order. */
export const repeatPolicies = ['reject', 'merge'] as const
export type RepeatPolicy = (typeof repeatPolicies)[number]

/** What happens to a row that would create something very like what exists. */
export const similarPolicies = ['warn', 'error', 'ignore'] as const
export type SimilarPolicy = (typeof similarPolicies)[number]

/** Which records of an import events tell of, when it has ended. */
export const pushPolicies = ['none', 'created', 'updated', 'all'] as const
export type PushPolicy = (typeof pushPolicies)[number]

/** Keeps secrets from whoever reads the database. */
export interface SecretBox {
  /** Encrypts; each time to another text. */
  seal(plain: string): string
  open(sealed: string): string
  /** The same text for the same secret, and no way back: what hashes are made of. */
  digest(plain: string): string
}

/** One data row as the parser hands it on: cells are text, nothing is interpreted. */
export interface RawRow {
  /** 1-based number among the data rows of the file (the header is not one). */
  row: number
  /** 1-based line of the file on which the row begins, as an editor shows it. */
  line: number
  /** Byte offset of the row's first byte in the stored file. */
  offset: number
  /** One text per column, as many as the header has; with problems there may be fewer or up to 100
   *  more, and none when the row could not be split. */
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

/** How the bytes of a file are to be read; found by sniffing its first 256 KiB. */
export interface Dialect {
  /** One ASCII character. */
  delimiter: string
  /** Line end of the first rows, `\n` when they mix. Every kind of line end ends a row anyway. */
  newline: '\n' | '\r\n' | '\r'
  /** Cells of the header row, trimmed, BOM removed. */
  headers: string[]
  /** Byte offset of the first byte after the header row. */
  dataOffset: number
  /** 1-based line of the first data row. */
  dataLine: number
}
