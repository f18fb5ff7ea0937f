// Rows that may have something wrong: bytes that are no text, too few or many cells, damaged quotes.
// In: the row's range in the window, its cells where they could be split. Out: the row is added with
// its problems. Called by read-lines.ts and read-record.ts.

import { isUtf8 } from 'node:buffer'
import { rowProblem } from '../../errors.ts'
import type { Problem } from '../terms.ts'
import { afterLineEnd, findInvalidUtf8, NUL } from './bytes.ts'
import { addRow, type RowReader, splitPlain } from './row-reader.ts'

export type Damage = 'stray_quote' | 'open_quote' | 'column_count'

/** What is wrong with the bytes of a row as text; null when nothing is. To be asked before the
 *  cells are split by csv-parser, which changes the bytes. */
export function textProblems(r: RowReader, end: number): Problem[] | null {
  const { window: w } = r
  if (w.clean) return null
  const bytes = w.bytes.subarray(w.start, end)
  const problems: Problem[] = []
  if (!isUtf8(bytes)) {
    const byte = w.fileOffset + w.start + findInvalidUtf8(bytes)
    problems.push(rowProblem('encoding_invalid_row', { args: { byte } }))
  }
  if (bytes.includes(NUL)) problems.push(rowProblem('nul_byte'))
  return problems.length > 0 ? problems : null
}

/** Adds a row that was split, and counts its cells. `found`: how many there are in the file, which
 *  may be more than were kept. */
export function addSplitRow(
  r: RowReader,
  cells: string[],
  text: Problem[] | null,
  end: number,
  lines: number,
  found: number
): void {
  const next = afterLineEnd(r.window.bytes, end)
  const problems = text ?? []
  if (found !== r.columns) problems.push(damage(r, 'column_count', found))
  addRow(
    r,
    text === null ? cells : showNul(cells),
    problems.length > 0 ? problems : null,
    next,
    lines
  )
}

/** Adds the record up to `end` as a damaged row. Its cells are the text between delimiters, quotes
 *  and all, so that they show what stands in the file. */
export function addDamagedRow(
  r: RowReader,
  code: Damage,
  end: number,
  lines: number,
  found: number
): void {
  const problems = textProblems(r, end) ?? []
  problems.push(damage(r, code, found))
  const cells = splitPlain(r, r.window.start, end)
  addRow(r, showNul(cells), problems, afterLineEnd(r.window.bytes, end), lines)
}

/** Adds a line that has no quotes and is not known to be right. */
export function addOddLine(r: RowReader, cells: string[]): void {
  const { window: w } = r
  const found = cells.length < r.maxCells ? cells.length : countPlain(r, w.start, w.lineEnd)
  addSplitRow(r, cells, textProblems(r, w.lineEnd), w.lineEnd, 1, found)
}

function damage(r: RowReader, code: Damage, found: number): Problem {
  return rowProblem(code, { args: { found, expected: r.columns } })
}

function countPlain(r: RowReader, start: number, end: number): number {
  const { bytes } = r.window
  let cells = 1
  for (let i = start; i < end; i++) if (bytes[i] === r.delimiterByte) cells++
  return cells
}

/** NUL as the visible sign for it (U+2400), since text in the database can't hold NUL. */
function showNul(cells: string[]): string[] {
  return cells.map((cell) => cell.replaceAll('\0', '\u2400'))
}
