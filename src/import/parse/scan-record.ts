// Finds where one record ends, by the grammar of RFC 4180, and what is odd about its quotes. It
// looks at bytes only; cells are split by csv-parser afterwards, which can't tell a stray quote from
// an opening one and would swallow the rows behind it. Called by read-record.ts, read-header.ts and
// sniff-delimiter.ts.
//
// The result depends on nothing but the bytes from the record's start on, so that reading may begin
// at any row boundary (checkpoints) and comes to the same rows.

import { CR, LF, QUOTE, skipBlanks } from './bytes.ts'

/** `ended`: the record is whole. `stray`: text behind a closing quote, or a record that can't be
 *  one. `open`: the file ends inside quotes. `long`: no end within `maxBytes`. `more`: not decided
 *  by the bytes at hand. */
export type ScanOutcome = 'ended' | 'stray' | 'open' | 'long' | 'more'

export interface Scan {
  bytes: Buffer
  /** Where looking stops: end of the bytes, or of what a record may be long. */
  stop: number
  delimiter: number
  /** More cells than this are only counted to the end of the line. */
  columns: number
  /** Where the record's text ends (its line end begins there). */
  end: number
  cells: number
  /** Physical lines of the record so far. */
  lines: number
  multiLineCells: number
  /** Where the first quoted cell begins (at its quote; -1: none) and the last one ends. */
  quotedFrom: number
  quotedTo: number
  /** A quoted cell has `""`. */
  escaped: boolean
  /** Blanks around a quoted cell, or quotes inside an unquoted one: csv-parser needs it mended. */
  loose: boolean
  /** A quote inside an unquoted cell, such as `5" pipe`. */
  literal: boolean
  /** Such a quote may as well be one end of a quoted cell whose other end is lost. */
  ambiguous: boolean
}

const insideQuotes = -1
const strayQuote = -2

/** A record with more multi-line cells is taken for damage: bounds how far a stray quote looks. */
const maxMultiLineCells = 256

/** State for `scanRecord`, to be used again for every record. */
export function createScan(delimiter: number, columns: number): Scan {
  return {
    bytes: Buffer.alloc(0),
    stop: 0,
    delimiter,
    columns,
    end: 0,
    cells: 0,
    lines: 0,
    multiLineCells: 0,
    quotedFrom: -1,
    quotedTo: -1,
    escaped: false,
    loose: false,
    literal: false,
    ambiguous: false
  }
}

/** Scans the record that begins at `start`; what it found is left in `s`. `atEnd`: nothing follows
 *  `bytes[start, end)` in the file. */
export function scanRecord(
  s: Scan,
  bytes: Buffer,
  start: number,
  end: number,
  atEnd: boolean,
  maxBytes: number
): ScanOutcome {
  const limit = start + maxBytes + 1
  begin(s, bytes, Math.min(end, limit))
  let i = start
  for (;;) {
    i = scanCell(s, i)
    if (i === strayQuote) return 'stray'
    if (i === insideQuotes || i >= s.stop) break
    if (bytes[i] !== s.delimiter) {
      s.end = i
      return 'ended'
    }
    s.cells++
    i++
  }
  if (s.stop === limit) return 'long'
  if (!atEnd) return 'more'
  s.end = s.stop
  return i === insideQuotes ? 'open' : 'ended'
}

function begin(s: Scan, bytes: Buffer, stop: number): void {
  s.bytes = bytes
  s.stop = stop
  s.cells = 1
  s.lines = 1
  s.multiLineCells = 0
  s.quotedFrom = -1
  s.escaped = false
  s.loose = false
  s.literal = false
  s.ambiguous = false
}

/** Position of the delimiter or line end behind the cell, `stop`, or one of the two marks. */
function scanCell(s: Scan, start: number): number {
  const text = skipBlanks(s.bytes, start, s.stop, s.delimiter)
  if (text >= s.stop || s.bytes[text] !== QUOTE) return scanUnquoted(s, text)
  if (text > start) s.loose = true
  return scanQuoted(s, text)
}

function scanQuoted(s: Scan, open: number): number {
  const { bytes, stop } = s
  const firstLine = s.lines
  if (s.quotedFrom === -1) s.quotedFrom = open
  for (let i = open + 1; i < stop; i++) {
    const byte = bytes[i] as number
    if (byte > QUOTE) continue
    if (byte === QUOTE) {
      if (i + 1 >= stop || bytes[i + 1] !== QUOTE) return closeCell(s, i + 1)
      s.escaped = true
      i++
    } else if (byte === LF || (byte === CR && bytes[i + 1] !== LF)) {
      if (s.lines === firstLine && !mayGoOn(s)) {
        s.lines++
        return strayQuote
      }
      s.lines++
    }
  }
  return insideQuotes
}

/** Whether one more cell of the record may span lines. */
function mayGoOn(s: Scan): boolean {
  s.multiLineCells++
  return s.cells <= s.columns && s.multiLineCells <= maxMultiLineCells
}

/** Behind a closing quote only blanks may stand before the delimiter or the line end. */
function closeCell(s: Scan, after: number): number {
  const i = skipBlanks(s.bytes, after, s.stop, s.delimiter)
  s.quotedTo = after
  if (i > after) s.loose = true
  if (i >= s.stop) return i
  const byte = s.bytes[i]
  return byte === s.delimiter || byte === LF || byte === CR ? i : strayQuote
}

function scanUnquoted(s: Scan, start: number): number {
  const { bytes, stop, delimiter } = s
  let quotes = 0
  let edge = false
  let i = start
  for (; i < stop; i++) {
    const byte = bytes[i] as number
    if (byte === delimiter || byte === LF || byte === CR) break
    if (byte !== QUOTE) continue
    quotes++
    if (isWordEdge(s, i)) edge = true
  }
  if (quotes > 0) {
    s.loose = s.literal = true
    // A pair stands for itself (`Bob "Bo" Ray`); a single one at a word's edge may be half of one.
    if (edge && quotes % 2 === 1) s.ambiguous = true
  }
  return i
}

/** A quote that begins or ends a word and is not an inch mark (`24"`). */
function isWordEdge(s: Scan, at: number): boolean {
  const before = s.bytes[at - 1] as number
  if (before >= 0x30 && before <= 0x39) return false
  return isBlank(before) || at + 1 >= s.stop || isEdge(s, s.bytes[at + 1] as number)
}

function isEdge(s: Scan, byte: number): boolean {
  return isBlank(byte) || byte === s.delimiter || byte === LF || byte === CR
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09
}
