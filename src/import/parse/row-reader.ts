// State of one pass over the data rows, and how a row is added to the batch being filled. In: byte
// ranges of the window with their cells. Out: RawRow and Checkpoint. Called by read-lines.ts,
// read-record.ts and read-rows.ts.

import type { Checkpoint, Dialect, Problem, RawRow } from '../terms.ts'
import { createScan, type Scan } from './scan-record.ts'
import { createCellSplitter, type SplitCells } from './split-cells.ts'
import { createWindow, type Window } from './window.ts'

export interface RowReader {
  window: Window
  delimiter: string
  delimiterByte: number
  /** Cells that a row must have, and that it is given at most. */
  columns: number
  maxCells: number
  maxRowBytes: number
  batchRows: number
  /** Scanned state of the record at hand, and of one line looked at by itself. */
  scan: Scan
  lineScan: Scan
  splitCells: SplitCells
  /** The batch so far, and the bytes its rows have in the file. */
  rows: RawRow[]
  bytes: number
  /** Place of the next row. */
  rowCount: number
  line: number
  blankRows: number
  /** Offset of a row longer than `maxRowBytes` whose end is still being looked for. */
  tooLargeAt: number | null
}

export interface ReadOptions {
  /** Where to begin; the source's first byte is the one at `from.offset`. */
  from: Checkpoint
  /** A longer row becomes one row without cells. */
  maxRowBytes: number
  /** Most rows in a batch. */
  batchRows: number
  /** Bytes held in memory at a time; grows when a row needs more. Default 262,144. */
  windowBytes?: number
}

/** A wrong row keeps this many cells beyond the header's: a line of commas is no million cells. */
const surplusCells = 100

/** A reader at a checkpoint. */
export function createRowReader(dialect: Dialect, options: ReadOptions): RowReader {
  const { from, maxRowBytes, batchRows } = options
  const delimiterByte = dialect.delimiter.charCodeAt(0)
  const columns = dialect.headers.length
  return {
    window: createWindow(from.offset, options.windowBytes ?? 262_144),
    delimiter: dialect.delimiter,
    delimiterByte,
    columns,
    maxCells: columns + surplusCells,
    maxRowBytes,
    batchRows,
    scan: createScan(delimiterByte, columns),
    lineScan: createScan(delimiterByte, columns),
    splitCells: createCellSplitter(dialect.delimiter),
    rows: [],
    bytes: 0,
    rowCount: from.rows,
    line: from.line,
    blankRows: from.blankRows,
    tooLargeAt: null
  }
}

/** Where reading goes on after the rows read so far. */
export function checkpointOf(r: RowReader): Checkpoint {
  return {
    rows: r.rowCount,
    offset: r.window.fileOffset + r.window.start,
    line: r.line,
    blankRows: r.blankRows
  }
}

/** Adds the row that begins at the window's start and moves on to `next`, `lines` lines further. A
 *  row of blank cells, as spreadsheet programs leave them behind a table, is passed over. */
export function addRow(
  r: RowReader,
  cells: string[],
  problems: Problem[] | null,
  next: number,
  lines: number
): void {
  const { window: w } = r
  const offset = r.tooLargeAt ?? w.fileOffset + w.start
  if (problems === null && cells[0] === '' && cells.length > 1 && cells.every(isBlank)) {
    r.blankRows++
  } else {
    r.rowCount++
    r.rows.push({ row: r.rowCount, line: r.line, offset, cells, problems })
  }
  r.line += lines
  r.bytes += next - w.start
  w.start = next
}

const isBlank = (cell: string) => cell === ''

/** Splits `bytes[start, end)` at every delimiter, whatever the quotes say. */
export function splitPlain(r: RowReader, start: number, end: number): string[] {
  const { window: w } = r
  const text = w.bytes.toString(w.ascii ? 'latin1' : 'utf8', start, end)
  return text.split(r.delimiter, r.maxCells)
}
