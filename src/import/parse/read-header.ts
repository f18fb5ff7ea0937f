// Reads the header row. In: the first bytes of the file, where the header begins, the delimiter. Out:
// the names of the columns and where the data begin, or an error that says what to mend. Called by
// sniff.ts.

import { appError } from '../../errors.ts'
import { afterLineEnd, findInvalidUtf8, NUL } from './bytes.ts'
import { mendRecord } from './mend-record.ts'
import { createScan, type Scan, type ScanOutcome, scanRecord } from './scan-record.ts'
import type { Head } from './sniff-delimiter.ts'
import { createCellSplitter } from './split-cells.ts'

export interface Header {
  /** Trimmed names in file order; some may be empty or alike. */
  names: string[]
  /** Byte offset behind the header row, and the lines it takes. */
  end: number
  lines: number
}

/** Reads the record at `head.start`, on line `line` of the file. Throws encoding_invalid,
 *  header_invalid (too long, quotes damaged, NUL), too_many_columns, header_missing (no name). */
export function readHeader(
  head: Head,
  delimiter: string,
  line: number,
  maxColumns: number
): Header {
  const { bytes, start, atEnd, maxRowBytes } = head
  const scan = createScan(delimiter.charCodeAt(0), Number.POSITIVE_INFINITY)
  const outcome = scanRecord(scan, bytes, start, bytes.length, atEnd, maxRowBytes)
  checkText(head, outcome === 'ended' ? scan.end : null, line)
  if (outcome !== 'ended')
    throw appError('header_invalid', { reason: explain(outcome, scan, line) })
  if (scan.cells > maxColumns) {
    throw appError('too_many_columns', { found: scan.cells, limit: maxColumns })
  }
  const names = splitNames(bytes.subarray(start, scan.end), scan, delimiter)
  if (names.every((name) => name === '')) {
    throw appError('header_missing', { reason: `Line ${line} has no name in any column.` })
  }
  return { names, end: afterLineEnd(bytes, scan.end), lines: scan.lines }
}

/** The header has to be text; of one without an end the part at hand is looked at. */
function checkText(head: Head, end: number | null, line: number): void {
  const stop = end ?? Math.min(head.bytes.length, head.start + head.maxRowBytes)
  const text = head.bytes.subarray(head.start, stop)
  const invalid = findInvalidUtf8(text)
  // A header cut off here may be cut inside a character.
  if (invalid !== -1 && (end !== null || invalid < text.length - 3)) {
    throw appError('encoding_invalid', { line, byte: head.start + invalid })
  }
  if (text.includes(NUL)) {
    throw appError('header_invalid', { reason: `Line ${line} has a NUL byte. Remove it.` })
  }
}

function explain(outcome: ScanOutcome, scan: Scan, line: number): string {
  if (outcome === 'stray') {
    return `A quote on line ${line + scan.lines - 1} is not closed or not doubled. Write a quote inside a name as "".`
  }
  if (outcome === 'open' || scan.lines > 1) {
    return `A quote is opened on line ${line} and not closed. Close it, or write a literal quote as "".`
  }
  return `Line ${line} is longer than a row may be.`
}

/** A copy is split, because csv-parser changes the bytes. */
function splitNames(bytes: Buffer, scan: Scan, delimiter: string): string[] {
  const mended = scan.loose ? mendRecord(bytes, 0, bytes.length, delimiter.charCodeAt(0)) : null
  const copy = mended?.bytes ?? Buffer.from(bytes)
  const range = {
    bytes: copy,
    start: 0,
    end: copy.length,
    encoding: 'utf8',
    escaped: true
  } as const
  const cells = createCellSplitter(delimiter)(range)
  return cells.map((cell) => cell.trim())
}
