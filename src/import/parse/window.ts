// The part of the file that is in memory: a sliding window over the source's chunks. Rows are only
// ever read from whole lines in it, so how the source cuts its chunks can't be seen in any cell.
// In: chunks of any size. Out: bytes with positions of their line ends. Called by read-lines.ts and
// read-rows.ts.

import { isAscii, isUtf8 } from 'node:buffer'
import { afterLineEnd, CR, LF, NUL, QUOTE } from './bytes.ts'

/** Greater than any position in a window: "there is none". */
const nowhere = 0x3fffffff

export interface Window {
  /** What is in memory and valid. A \r whose follower is not known yet is held back. */
  bytes: Buffer
  /** Index of the next unread byte. */
  start: number
  /** Offset in the file of `bytes[0]`. */
  fileOffset: number
  /** No bytes follow in the source. */
  atEnd: boolean
  /** All bytes are ASCII. */
  ascii: boolean
  /** All whole lines are valid UTF-8 without NUL. */
  clean: boolean
  /** Set by `findLine`: where the line's text ends, and where the next line begins. */
  lineEnd: number
  lineNext: number
  /** Next \n, \r and quote: positions found earlier, valid while they are >= `start`. */
  lf: number
  cr: number
  quote: number
  /** Memory behind `bytes`, how much of it is filled, and what the source gave beyond that. */
  store: Buffer
  filled: number
  pending: Uint8Array | null
}

/** An empty window at a place of the file. `windowBytes`: how much is held; grows when a row needs it. */
export function createWindow(fileOffset: number, windowBytes: number): Window {
  const store = Buffer.allocUnsafeSlow(windowBytes)
  return {
    bytes: store.subarray(0, 0),
    start: 0,
    fileOffset,
    atEnd: false,
    ascii: true,
    clean: true,
    lineEnd: 0,
    lineNext: 0,
    lf: -1,
    cr: -1,
    quote: -1,
    store,
    filled: 0,
    pending: null
  }
}

/** Drops what was read and fills up from the source. Rejects with the source's error. */
export async function fillWindow(w: Window, source: AsyncIterator<Uint8Array>): Promise<void> {
  makeRoom(w)
  while (w.filled < w.store.length) {
    if (w.pending === null) {
      const next = await source.next()
      if (next.done) {
        w.atEnd = true
        break
      }
      w.pending = next.value
    }
    const part = w.pending.subarray(0, w.store.length - w.filled)
    w.store.set(part, w.filled)
    w.filled += part.length
    w.pending = part.length < w.pending.length ? w.pending.subarray(part.length) : null
  }
  inspect(w)
}

/** Moves the unread bytes to the front, into twice the memory when they fill more than half. */
function makeRoom(w: Window): void {
  const unread = w.filled - w.start
  // Doubling keeps the cost of looking again at a row that did not fit linear in its length.
  const crowded = unread > w.store.length / 2
  const store = crowded ? Buffer.allocUnsafeSlow(w.store.length * 2) : w.store
  w.store.copy(store, 0, w.start, w.filled)
  w.store = store
  w.fileOffset += w.start
  w.filled = unread
  w.start = 0
}

/** Answers once, with native functions, what would be slow to ask for each row. */
function inspect(w: Window): void {
  const heldBack = !w.atEnd && w.filled > 0 && w.store[w.filled - 1] === CR ? 1 : 0
  w.bytes = w.store.subarray(0, w.filled - heldBack)
  w.lf = w.cr = w.quote = -1
  w.ascii = isAscii(w.bytes)
  // The last line may be cut inside a character, which says nothing about its bytes.
  const whole = Math.max(w.bytes.lastIndexOf(LF), w.bytes.lastIndexOf(CR))
  const lines = w.atEnd ? w.bytes : w.bytes.subarray(0, whole + 1)
  w.clean = (w.ascii || isUtf8(lines)) && !lines.includes(NUL)
}

/** Finds the end of the line that begins at `start`; false when it is not in the window yet. */
export function findLine(w: Window): boolean {
  const { bytes, start } = w
  if (w.lf < start) w.lf = nextPosition(bytes, LF, start)
  if (w.cr < start) w.cr = nextPosition(bytes, CR, start)
  const end = Math.min(w.lf, w.cr)
  if (end !== nowhere) {
    w.lineEnd = end
    w.lineNext = end === w.lf ? end + 1 : afterLineEnd(bytes, end)
    return true
  }
  w.lineEnd = w.lineNext = bytes.length
  return w.atEnd
}

/** Whether the line found by `findLine` has no quote. */
export function lineIsPlain(w: Window): boolean {
  if (w.quote < w.start) w.quote = nextPosition(w.bytes, QUOTE, w.start)
  return w.quote >= w.lineEnd
}

function nextPosition(bytes: Buffer, byte: number, from: number): number {
  const position = bytes.indexOf(byte, from)
  return position === -1 ? nowhere : position
}
