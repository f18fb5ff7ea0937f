// Random numbers that are the same on every machine, for generated files.
// Every row has a stream of its own, so any row can be made without the rows before it.
// Called by contact-row.ts and configuration-row.ts.

/** A small, fast random stream (mulberry32); `state` is any 32-bit number. */
export interface Stream {
  state: number
}

function next(stream: Stream): number {
  stream.state = (stream.state + 0x6d2b79f5) | 0
  let t = Math.imul(stream.state ^ (stream.state >>> 15), 1 | stream.state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return (t ^ (t >>> 14)) >>> 0
}

/** A whole number from 0 to below `limit`. */
export const below = (stream: Stream, limit: number) => next(stream) % limit
/** One of the list. */
export const pick = (stream: Stream, list: string[]) => list[below(stream, list.length)] as string

/** A row's stream; `salt` keeps streams of the same row apart. */
export function streamOf(seed: number, row: number, salt: number): Stream {
  const stream = { state: (Math.imul(row, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b) ^ salt) | 0 }
  next(stream)
  return stream
}
