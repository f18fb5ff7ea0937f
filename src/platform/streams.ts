// Turns generated text into a stream that a route can send. Knows no domain word.

import { Readable } from 'node:stream'

/** Makes a stream of the chunks once the first one is there, so that what fails before any answer
 *  can still be answered as a problem. Reads on only as fast as the receiver takes it; a receiver
 *  that goes away ends the generator. */
export async function startStream(chunks: AsyncGenerator<string>): Promise<Readable> {
  const first = await chunks.next()
  async function* all() {
    try {
      if (!first.done) yield first.value
      yield* chunks
    } finally {
      // `yield*` ends the generator only when it was reached.
      await chunks.return(undefined)
    }
  }
  return Readable.from(all(), { objectMode: false, highWaterMark: 64 * 1024 })
}
