// Bytes as they were sent -> bytes as they are stored: unpacked, and UTF-8 whatever they were before.
// In: a stream in any chunks. Out: a stream, and facts about it. Memory: a few chunks.
// Called by store-file.ts while the upload arrives.

import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type AppError, appError } from '../../errors.ts'

type Bytes = AsyncIterable<Buffer>

/** What was found while converting; complete when the stream has ended. */
export interface ConversionFacts {
  /** The content was packed. */
  gzip: boolean
  /** The encoding it was decoded from; null: it was taken for UTF-8 and stored as it is. */
  encoding: string | null
  /** `encoding` was told by a byte order mark, which is surer than what anybody says. */
  marked: boolean
}

/** Unpacks gzip (known by its first bytes; `packed`: the request itself says so) and decodes to
 *  UTF-8: by the byte order mark if there is one, else from `encoding`. Without either the bytes stay
 *  as they are. No more than `maxBytes` come out of any step. Throws gzip_invalid, too_large,
 *  encoding_mismatch, and what `source` throws. */
export async function* convert(
  source: Bytes,
  given: { encoding: string | null; packed: boolean; maxBytes: number },
  facts: ConversionFacts
): AsyncGenerator<Buffer> {
  const limit = (bytes: Bytes) => bounded(bytes, given.maxBytes)
  const sent = await peek(limit(given.packed ? unpack(source) : source))
  // What the request packed may have been a packed file before.
  const isGzip = sent.head[0] === 0x1f && sent.head[1] === 0x8b
  const text = isGzip ? await peek(limit(unpack(sent.all))) : sent
  const mark = markOf(text.head)
  const encoding = mark ?? given.encoding
  facts.gzip = given.packed || isGzip
  facts.marked = mark !== null
  facts.encoding = encoding === 'utf-8' ? null : encoding
  yield* facts.encoding === null ? text.all : limit(decode(text.all, facts.encoding))
}

/** The encoding that a byte order mark tells; null: none. UTF-32 is left for the sniffer to refuse. */
function markOf(head: Buffer): string | null {
  const bytes = head.toString('latin1')
  if (bytes.startsWith('\xef\xbb\xbf')) return 'utf-8'
  if (bytes.startsWith('\xff\xfe')) return bytes.startsWith('\xff\xfe\0\0') ? null : 'utf-16le'
  return bytes.startsWith('\xfe\xff') ? 'utf-16be' : null
}

/** The stream, ended with too_large as soon as more than `maxBytes` came through. */
async function* bounded(source: Bytes, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    yield chunk
  }
}

/** The error for a file over a limit. `found`: its size, where that is known. */
export function tooLarge(limit: number, found?: number): AppError {
  return appError('too_large', { limit, found: found ?? `more than ${limit}` })
}

async function* unpack(source: Bytes): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 64 * 1024 })
  let ownFault: unknown = null
  async function* watched() {
    try {
      yield* source
    } catch (error) {
      ownFault = error
      throw error
    }
  }
  const feeding = pipeline(watched, gunzip)
  feeding.catch(() => {})
  try {
    yield* gunzip
  } catch (error) {
    if (ownFault !== null) throw ownFault
    throw appError('gzip_invalid', {}, { cause: error })
  } finally {
    gunzip.destroy()
  }
}

async function* decode(source: Bytes, encoding: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  const decodePart = (chunk?: Buffer) => {
    try {
      return Buffer.from(chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode())
    } catch (error) {
      throw appError('encoding_mismatch', { encoding }, { cause: error })
    }
  }
  for await (const chunk of source) yield decodePart(chunk)
  yield decodePart()
}

interface Peeked {
  /** The first four bytes, or all there are. */
  head: Buffer
  /** The whole stream, head included. */
  all: AsyncGenerator<Buffer>
}

async function peek(source: Bytes): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]()
  const read: Buffer[] = []
  let bytes = 0
  while (bytes < 4) {
    const next = await iterator.next()
    if (next.done) break
    read.push(next.value)
    bytes += next.value.length
  }
  const head = Buffer.concat(read)
  async function* all() {
    try {
      if (head.length > 0) yield head
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { head: head.subarray(0, 4), all: all() }
}
