// The one place where csv-parser is used: splits cells that are in quotes. In: the bytes of a whole,
// well-formed record or of some of its cells. Out: texts. Called by read-record.ts and
// read-header.ts.
//
// csv-parser gets each record by itself, with its end already known. Fed as a stream it needs a
// guard for nearly everything: it takes time quadratic in rows longer than a chunk, mistakes line
// ends that fall between chunks, and can't get out of a stray quote.

import csv from 'csv-parser'
import { QUOTE } from './bytes.ts'

/** What csv-parser 3.2.1 calls for each record and each cell; a test holds it to that. */
interface RecordParser {
  parseLine(bytes: Buffer, start: number, end: number): void
  parseCell(bytes: Buffer, start: number, end: number): string
  parseValue(bytes: Buffer, start: number, end: number): string
  writeRow(cells: string[]): void
}

export interface CellRange {
  bytes: Buffer
  start: number
  /** End of the text; the line end is not part of it. */
  end: number
  /** latin1 when all is ASCII: decoded at once, then sliced. */
  encoding: 'latin1' | 'utf8'
  /** Some cell has `""`. csv-parser takes these apart in place: the bytes are changed. */
  escaped: boolean
}

export type SplitCells = (range: CellRange) => string[]

/** Makes the splitter for one delimiter (one ASCII character). */
export function createCellSplitter(delimiter: string): SplitCells {
  const parser = csv({ headers: false, separator: delimiter }) as unknown as RecordParser
  const unescapeCell = parser.parseCell
  let range: CellRange
  let text: string | null = null
  let cells: string[] = []
  parser.parseValue = (bytes, start, end) => bytes.toString(range.encoding, start, end)
  parser.writeRow = (row) => {
    cells = row
  }
  // Without `""` there is nothing to move inside the cell, and a slice costs a fifth of decoding.
  parser.parseCell = (bytes, start, end) => {
    if (range.escaped) return unescapeCell.call(parser, bytes, start, end)
    const quoted = bytes[start] === QUOTE ? 1 : 0
    if (text === null) return bytes.toString('utf8', start + quoted, end - quoted)
    return text.slice(start + quoted - range.start, end - quoted - range.start)
  }
  return (given) => {
    range = given
    const { bytes, start, end, encoding, escaped } = given
    text = encoding === 'latin1' && !escaped ? bytes.toString('latin1', start, end) : null
    cells = []
    // It takes the position behind a line end of one byte, and never looks at that byte.
    parser.parseLine(bytes, start, end + 1)
    return cells
  }
}
