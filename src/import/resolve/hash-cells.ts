// A fast 53-bit hash of a row's cells: two 32-bit multiplicative lanes (the well-known "cyrb53"
// construction). Not cryptographic: it only saves work when a row says what its record already is;
// two different rows are taken for equal once in 2^53 comparisons.

/** Running state of a hash; reused from row to row so that hashing allocates nothing. */
export interface HashState {
  a: number
  b: number
}

/** Starts a hash from a 53-bit seed. */
export function startHash(state: HashState, seed: number): void {
  state.a = 0xdeadbeef ^ (seed >>> 0)
  state.b = 0x41c6ce57 ^ ((seed / 0x100000000) >>> 0)
}

/** Adds one text, closed by a mark, so that ["ab",""] and ["a","b"] differ. */
export function hashText(state: HashState, text: string): void {
  let { a, b } = state
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  state.a = Math.imul(a ^ 0x1f1f1f, 2654435761)
  state.b = Math.imul(b ^ 0x1f1f1f, 1597334677)
}

/** Ends the hash: a whole number below 2^53. */
export function endHash(state: HashState): number {
  let { a, b } = state
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}

/** Mixes whole numbers (ids) into a finished hash. */
export function mixNumber(hash: number, value: number): number {
  const state = { a: hash >>> 0, b: (hash / 0x100000000) >>> 0 }
  state.a = Math.imul(state.a ^ (value >>> 0), 2654435761)
  state.b = Math.imul(state.b ^ ((value / 0x100000000) >>> 0) ^ state.a, 1597334677)
  return endHash(state)
}

/** Hash of one text on its own. */
export function hashOf(text: string): number {
  const state = { a: 0, b: 0 }
  startHash(state, 0)
  hashText(state, text)
  return endHash(state)
}
