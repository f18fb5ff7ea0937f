// Reads one record that has quotes, whole or damaged. In: a reader whose window begins with it. Out:
// one row is added, or none when more bytes are needed. Called by read-lines.ts.
//
// A stray quote must not swallow the rows behind it. So a record of several lines counts only when
// its quotes are in order and its cells are as many as the header's. Otherwise its *first line
// alone* becomes a damaged row, and reading starts afresh on the second line: every good row behind
// the quote comes out right, and a row never depends on what stands before it.

import { afterLineEnd, findLineEnd } from './bytes.ts'
import { mendRecord } from './mend-record.ts'
import { addDamagedRow, addSplitRow, textProblems } from './odd-row.ts'
import { addRow, type RowReader, splitPlain } from './row-reader.ts'
import { scanRecord } from './scan-record.ts'

/** Adds the row of the record at the window's start, whose first line `findLine` has found. False:
 *  the window does not hold enough to tell what it is. */
export function readQuotedRecord(r: RowReader): boolean {
  const { window: w, scan } = r
  const outcome = scanRecord(scan, w.bytes, w.start, w.bytes.length, w.atEnd, r.maxRowBytes)
  const swallows = outcome === 'ended' ? swallowsRows(r) : null
  if (outcome === 'more' || swallows === 'more') return false
  if (swallows === false) addRecord(r)
  else if (outcome === 'stray' && scan.lines === 1) addMendedLine(r)
  else addDamagedRow(r, 'open_quote', w.lineEnd, 1, scan.cells)
  return true
}

/** Whether the scanned record has several lines, is not what the header promises (or has quotes at
 *  odd places), and holds a line on which a good row begins. */
function swallowsRows(r: RowReader): boolean | 'more' {
  const { window: w, scan, lineScan } = r
  // In a file of one column any text is a good row, so that says nothing there.
  if (scan.lines === 1 || r.columns === 1) return false
  if (scan.cells === r.columns && !scan.literal) return false
  for (let start = w.lineNext; start < scan.end; ) {
    const end = findLineEnd(w.bytes, start, scan.end)
    // The quote that ends this record may open a cell of the last line, which then goes on.
    const stop = end === -1 ? w.bytes.length : end
    const atEnd = end === -1 ? w.atEnd : true
    const outcome = scanRecord(lineScan, w.bytes, start, stop, atEnd, r.maxRowBytes)
    if (outcome === 'more') return 'more'
    const good = lineScan.cells === r.columns && !lineScan.ambiguous
    if (outcome === 'ended' && good) return true
    if (end === -1) return false
    start = afterLineEnd(w.bytes, end)
  }
  return false
}

/** Adds a record whose quotes are in order, be its cells right or wrong. */
function addRecord(r: RowReader): void {
  const { window: w, scan } = r
  if (scan.ambiguous || (scan.literal && scan.cells !== r.columns)) {
    addDamagedRow(r, 'stray_quote', scan.end, scan.lines, scan.cells)
  } else if (scan.cells > r.maxCells) {
    addDamagedRow(r, 'column_count', scan.end, scan.lines, scan.cells)
  } else {
    const mended = scan.loose ? mendRecord(w.bytes, w.start, scan.end, r.delimiterByte) : null
    addWellFormed(r, mended?.bytes ?? null, scan.end, scan.lines)
  }
}

/** Adds a line with text behind a closing quote: `"5" pipe",x` has one meaning, `"x"y,1` has two. */
function addMendedLine(r: RowReader): void {
  const { window: w } = r
  const mended = mendRecord(w.bytes, w.start, w.lineEnd, r.delimiterByte)
  if (mended?.cells === r.columns) addWellFormed(r, mended.bytes, w.lineEnd, 1)
  else addDamagedRow(r, 'stray_quote', w.lineEnd, 1, r.scan.cells)
}

/** Adds the row of a well-formed record: of the window's bytes up to `end`, or their mended form. */
function addWellFormed(r: RowReader, mended: Buffer | null, end: number, lines: number): void {
  const text = textProblems(r, end)
  const cells = mended === null ? splitScanned(r, end) : splitMended(r, mended)
  if (text !== null || cells.length !== r.columns) {
    addSplitRow(r, cells, text, end, lines, cells.length)
  } else {
    addRow(r, cells, null, afterLineEnd(r.window.bytes, end), lines)
  }
}

/** Cells of the scanned record: csv-parser splits from the first to the last quoted one. */
function splitScanned(r: RowReader, end: number): string[] {
  const { window: w, scan } = r
  const { quotedFrom: from, quotedTo: to, escaped } = scan
  const encoding = w.ascii ? 'latin1' : 'utf8'
  const quoted = r.splitCells({ bytes: w.bytes, start: from, end: to, encoding, escaped })
  const before = from > w.start ? splitPlain(r, w.start, from - 1) : null
  const after = to < end ? splitPlain(r, to + 1, end) : null
  if (before === null && after === null) return quoted
  return [...(before ?? []), ...quoted, ...(after ?? [])]
}

function splitMended(r: RowReader, bytes: Buffer): string[] {
  const encoding = r.window.ascii ? 'latin1' : 'utf8'
  return r.splitCells({ bytes, start: 0, end: bytes.length, encoding, escaped: true })
}
