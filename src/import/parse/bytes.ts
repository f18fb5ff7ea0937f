// Bytes that matter in CSV, and small questions about them. In: a Buffer and positions. Out:
// positions. Called by every file of this folder.
//
// A line ends with \n, \r\n or a lone \r, in every file and at every place outside quotes, as in
// Python's csv module and in editors. So files that mix line ends never have rows glued together,
// and a row means the same wherever reading starts. `\r\r\n` is a row and a blank line.

import { isUtf8 } from 'node:buffer'

export const NUL = 0
const TAB = 9
export const LF = 10
export const CR = 13
export const SPACE = 32
export const QUOTE = 34

/** Position of the line end (its \n, or its \r) at or after `from`; -1 when there is none. */
export function findLineEnd(bytes: Buffer, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i]
    if (byte === LF || byte === CR) return i
  }
  return -1
}

/** Position behind the line end that begins at `at`. `bytes` must not be cut between \r and \n. */
export function afterLineEnd(bytes: Buffer, at: number): number {
  if (at >= bytes.length) return bytes.length
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1
}

/** First position at or after `from` that is neither space nor tab (a tab delimiter is no blank). */
export function skipBlanks(bytes: Buffer, from: number, end: number, delimiter: number): number {
  let i = from
  while (i < end && (bytes[i] === SPACE || bytes[i] === TAB) && bytes[i] !== delimiter) i++
  return i
}

/** Offset of the first byte that does not belong to valid UTF-8; -1 when all do. */
export function findInvalidUtf8(bytes: Buffer): number {
  if (isUtf8(bytes)) return -1
  let i = 0
  while (i < bytes.length) {
    const length = sequenceLength(bytes[i] as number)
    if (length === 0 || i + length > bytes.length) return i
    // The engine judges each sequence, so overlong forms and surrogates need no rule here.
    if (length > 1 && !isUtf8(bytes.subarray(i, i + length))) return i
    i += length
  }
  return -1
}

/** Bytes in the UTF-8 sequence that `first` begins; 0 when it begins none. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}
