// What an upload said and held, as it was sent: two that are equal here ask for the same import,
// whichever form they came in. In: options and bytes as they arrive. Out: a text to compare.
// Filled as an upload is stored (accept-upload.ts), or only compared (compare-upload.ts).

import { createHash } from 'node:crypto'

/** Collects what was sent. */
export interface SentContent {
  /** Blank options count as not given. */
  option(name: string, text: string): void
  bytes(chunk: Uint8Array): void
  /** Ends the collecting. Equal for equal options, in any order, and equal bytes. */
  text(): string
}

/** Starts with nothing. The name of the file does not count: tools make one up for each try. */
export function collectSent(): SentContent {
  const options: [string, string][] = []
  const hash = createHash('sha256')
  return {
    option(name, text) {
      if (text !== '' && name !== 'file_name') options.push([name, text])
    },
    bytes(chunk) {
      hash.update(chunk)
    },
    text() {
      const sorted = options.sort(([a], [b]) => (a < b ? -1 : 1))
      return JSON.stringify([sorted, hash.digest('hex')])
    }
  }
}

/** For uploads that nobody compares: a second hash of the file would cost time for nothing. */
export const sentUnheeded: SentContent = { option() {}, bytes() {}, text: () => '' }
