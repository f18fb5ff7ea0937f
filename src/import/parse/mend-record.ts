// Rewrites a record with loose quotes as RFC 4180 has it, so that csv-parser splits it as it was
// meant: `a, "b" ,5" pipe` becomes `a,"b","5"" pipe"`. In: bytes of one record. Out: new bytes, or
// null when more than one meaning is possible. Called by read-record.ts and read-header.ts.

import { CR, LF, QUOTE, skipBlanks } from './bytes.ts'

export interface Mended {
  bytes: Buffer
  cells: number
}

interface Mending {
  bytes: Buffer
  end: number
  delimiter: number
  out: Buffer
  size: number
  /** A quote inside an unquoted cell was doubled. */
  literal: boolean
  /** A quote inside a quoted cell was doubled: `"5" pipe"`. */
  lenient: boolean
}

/** Mends `bytes[start, end)`, which is one record without its line end. Returns null when a cell is
 *  not closed, when a quote inside a quoted cell may be the start of the next cell, or when quotes
 *  are wrong both inside and outside of quoted cells. */
export function mendRecord(
  bytes: Buffer,
  start: number,
  end: number,
  delimiter: number
): Mended | null {
  // Doubling every byte and wrapping every cell in quotes is the most that can be added.
  const out = Buffer.allocUnsafe((end - start) * 3 + 2)
  const m: Mending = { bytes, end, delimiter, out, size: 0, literal: false, lenient: false }
  let cells = 1
  let i = start
  for (;;) {
    const text = skipBlanks(bytes, i, end, delimiter)
    i = text < end && bytes[text] === QUOTE ? mendQuoted(m, text) : mendUnquoted(m, i)
    if (i < 0) return null
    if (i >= end) break
    out[m.size++] = delimiter
    cells++
    i++
  }
  if (m.lenient && m.literal) return null
  return { bytes: out.subarray(0, m.size), cells }
}

/** Copies a quoted cell and doubles lone quotes in it. Position behind it; -1 when not to be told. */
function mendQuoted(m: Mending, open: number): number {
  const { bytes, end, delimiter, out } = m
  out[m.size++] = QUOTE
  for (let i = open + 1; i < end; i++) {
    const byte = bytes[i] as number
    out[m.size++] = byte
    if (byte !== QUOTE) continue
    if (bytes[i + 1] === QUOTE && i + 1 < end) {
      i++
    } else {
      const after = skipBlanks(bytes, i + 1, end, delimiter)
      if (after >= end || isCellEnd(bytes[after] as number, delimiter)) return after
      // `"a"b,"c"`: is the quote before c inside the first cell, or does it open the second?
      if (lastTextIs(bytes, i, delimiter)) return -1
      m.lenient = true
    }
    out[m.size++] = QUOTE
  }
  return -1
}

/** Copies an unquoted cell; one with quotes in it is put into quotes. Position behind it. */
function mendUnquoted(m: Mending, start: number): number {
  const { bytes, end, delimiter, out } = m
  const begin = m.size
  let quotes = 0
  let i = start
  for (; i < end && bytes[i] !== delimiter; i++) if (bytes[i] === QUOTE) quotes++
  if (quotes === 0) {
    m.size += bytes.copy(out, begin, start, i)
    return i
  }
  m.literal = true
  out[m.size++] = QUOTE
  for (let k = start; k < i; k++) {
    out[m.size++] = bytes[k] as number
    if (bytes[k] === QUOTE) out[m.size++] = QUOTE
  }
  out[m.size++] = QUOTE
  return i
}

function isCellEnd(byte: number, delimiter: number): boolean {
  return byte === delimiter || byte === LF || byte === CR
}

/** Whether the delimiter stands before position `at`, blanks aside. */
function lastTextIs(bytes: Buffer, at: number, delimiter: number): boolean {
  let i = at - 1
  while (i >= 0 && bytes[i] === 0x20) i--
  return bytes[i] === delimiter
}
