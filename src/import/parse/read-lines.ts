// Reads rows out of the window, as far as it goes. In: a reader. Out: rows added to its batch. Called
// by read-rows.ts between two fills of the window.
//
// Nearly all lines of nearly all files have no quotes. Such a line is found, decoded and split by
// three native calls (about 0.3 us for 12 cells; csv-parser takes 2 us). Only records with quotes
// are looked at byte by byte.

import { rowProblem } from '../../errors.ts'
import { afterLineEnd, CR, LF, SPACE, skipBlanks } from './bytes.ts'
import { addOddLine } from './odd-row.ts'
import { readQuotedRecord } from './read-record.ts'
import { addRow, type RowReader, splitPlain } from './row-reader.ts'
import { findLine, lineIsPlain } from './window.ts'

/** A batch is closed when its rows have more bytes than this, however few they are. */
const maxBatchBytes = 8 * 1024 * 1024

/** Reads until the batch is full, the window holds no further whole row, or the file is read. */
export function readLines(r: RowReader): 'full' | 'more' | 'done' {
  const { window: w } = r
  for (;;) {
    if (r.rows.length >= r.batchRows || r.bytes >= maxBatchBytes) return 'full'
    if (r.tooLargeAt !== null) {
      if (!passTooLargeRow(r)) return 'more'
    } else if (w.start >= w.bytes.length) {
      return w.atEnd ? 'done' : 'more'
    } else if (!findLine(w) || w.lineEnd - w.start > r.maxRowBytes) {
      if (w.lineEnd - w.start <= r.maxRowBytes) return 'more'
      r.tooLargeAt = w.fileOffset + w.start
    } else if (!lineIsPlain(w)) {
      if (!readQuotedRecord(r)) return 'more'
    } else if (!passBlankLines(r)) {
      readPlainLine(r)
    }
  }
}

function readPlainLine(r: RowReader): void {
  const { window: w } = r
  const cells = splitPlain(r, w.start, w.lineEnd)
  if (w.clean && cells.length === r.columns) addRow(r, cells, null, w.lineNext, 1)
  else addOddLine(r, cells)
}

/** Passes over empty lines, or one line of spaces or tabs; false when the line is not blank. */
function passBlankLines(r: RowReader): boolean {
  const { window: w } = r
  const first = w.bytes[w.start] as number
  if (first > SPACE) return false
  if (first !== LF && first !== CR) {
    if (skipBlanks(w.bytes, w.start, w.lineEnd, r.delimiterByte) < w.lineEnd) return false
    passLine(r, w.lineNext)
    return true
  }
  // A megabyte of empty lines in one go.
  while (w.bytes[w.start] === LF || w.bytes[w.start] === CR) {
    passLine(r, afterLineEnd(w.bytes, w.start))
  }
  return true
}

function passLine(r: RowReader, next: number): void {
  r.window.start = next
  r.line++
  r.blankRows++
}

/** Drops the bytes of a row that is too large up to its line end, then adds it. False: the line end
 *  is not in the window. */
function passTooLargeRow(r: RowReader): boolean {
  const { window: w } = r
  if (!findLine(w)) {
    w.start = w.bytes.length
    return false
  }
  w.start = w.lineNext
  addRow(r, [], [rowProblem('row_too_large', { args: { limit: r.maxRowBytes } })], w.lineNext, 1)
  r.tooLargeAt = null
  return true
}
