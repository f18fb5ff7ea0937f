// Finds out how a file is to be read. In: its first bytes (<= 256 KiB). Out: its Dialect, or an error
// that names what is wrong and how to mend it. Called by import/accept when a file was uploaded.

import { appError } from '../../errors.ts'
import type { Dialect } from '../terms.ts'
import { afterLineEnd, CR, findLineEnd, skipBlanks } from './bytes.ts'
import { readHeader } from './read-header.ts'
import { checkContent } from './sniff-content.ts'
import { isDelimiter, sniffDelimiter, sniffNewline } from './sniff-delimiter.ts'

export interface SniffOptions {
  /** `head` is the whole file. */
  isWhole: boolean
  /** Delimiter to use, one ASCII character; null: find it. */
  delimiter: string | null
  maxColumns: number
  maxRowBytes: number
}

/** A position and the 1-based number of the line it is on. */
interface Place {
  at: number
  line: number
}

/** Reads encoding, delimiter, line end and header of a CSV file. Byte order mark, leading blank lines
 *  and a first line `sep=;` (which names the delimiter unless one is given) are passed over.
 *
 *  Throws empty_file, no_rows (only when `isWhole`), not_csv, encoding_unsupported, encoding_invalid
 *  (in the header; bytes count from 0), header_missing, header_invalid, too_many_columns, and
 *  invalid_option for a delimiter that can't be one. Duplicate and empty names are kept. */
export function sniffCsv(head: Buffer, options: SniffOptions): Dialect {
  const { isWhole, maxRowBytes } = options
  if (options.delimiter !== null) checkDelimiter(options.delimiter)
  if (head.length === 0 && isWhole) throw appError('empty_file')
  const mark = checkContent(head)
  const bytes = withoutCutLineEnd(head, isWhole)
  const first = skipBlankLines(bytes, { at: mark, line: 1 })
  if (first.at >= bytes.length) throw nothingFound(isWhole)
  const separator = readSeparatorLine(bytes, first)
  const start = separator ? skipBlankLines(bytes, separator) : first
  if (start.at >= bytes.length) throw nothingFound(false)

  const sample = { bytes, start: start.at, atEnd: isWhole, maxRowBytes }
  const delimiter = options.delimiter ?? separator?.delimiter ?? sniffDelimiter(sample)
  const header = readHeader(sample, delimiter, start.line, options.maxColumns)
  const data = { at: header.end, line: start.line + header.lines }
  if (isWhole && skipBlankLines(bytes, data).at >= bytes.length) throw appError('no_rows')
  return {
    delimiter,
    newline: sniffNewline(sample, delimiter),
    headers: header.names,
    dataOffset: data.at,
    dataLine: data.line
  }
}

function checkDelimiter(value: string): void {
  if (isDelimiter(value)) return
  const expected = 'It must be one ASCII character that is no letter, digit, quote or line end.'
  throw appError('invalid_option', { option: 'delimiter', value, expected })
}

function nothingFound(isEmpty: boolean): Error {
  if (isEmpty) return appError('empty_file')
  return appError('header_missing', { reason: 'No line with names was found.' })
}

/** A \r at the cut may be half of a line end: left for the bytes that follow. */
function withoutCutLineEnd(head: Buffer, isWhole: boolean): Buffer {
  return !isWhole && head[head.length - 1] === CR ? head.subarray(0, -1) : head
}

/** The first place from `from` on whose line has more than spaces and tabs. */
function skipBlankLines(bytes: Buffer, from: Place): Place {
  let { at, line } = from
  while (at < bytes.length) {
    const end = endOfLine(bytes, at)
    if (skipBlanks(bytes, at, end, -1) < end) break
    at = afterLineEnd(bytes, end)
    line++
  }
  return { at, line }
}

/** Excel's `sep=;` line, as such or in quotes: the delimiter it names and the place behind it. */
function readSeparatorLine(bytes: Buffer, from: Place): (Place & { delimiter: string }) | null {
  const end = endOfLine(bytes, from.at)
  const text = bytes.toString('latin1', from.at, Math.min(end, from.at + 16))
  const delimiter = /^("?)sep=(.)\1\s*$/i.exec(text)?.[2]
  if (delimiter === undefined || !isDelimiter(delimiter)) return null
  return { at: afterLineEnd(bytes, end), line: from.line + 1, delimiter }
}

function endOfLine(bytes: Buffer, from: number): number {
  const end = findLineEnd(bytes, from, bytes.length)
  return end === -1 ? bytes.length : end
}
