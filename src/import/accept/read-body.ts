// A file as the body of the request, with all options in its query -> options and a stored file.
// In: the body as it arrives and what its headers say. Called by accept-upload.ts.

import type { IncomingMessage } from 'node:http'
import { AppError, appError } from '../../errors.ts'
import { tooLarge } from './convert.ts'
import { fileNameOf } from './file-name.ts'
import { readEncoding } from './options.ts'
import { maxBytesOf, type OptionReader, type ReadUpload, type UploadLimits } from './read-upload.ts'
import { storeFile } from './store-file.ts'

/** What the headers say of a body. */
export interface BodyHeaders {
  'content-type'?: string
  'content-encoding'?: string
  'content-disposition'?: string
}

/** Stores the body. Throws too_large, content_encoding_unsupported, those of storing, and
 *  validation_failed when the client goes away. */
export async function readBody(
  body: IncomingMessage,
  sent: { headers: BodyHeaders; file_name: string | undefined },
  reader: OptionReader,
  limits: UploadLimits
): Promise<ReadUpload> {
  const { options } = reader
  const { headers } = sent
  const packed = isPacked(headers['content-encoding'])
  const charset = charsetOf(headers['content-type'])
  limits.sent.option('charset', charset ?? '')
  if (options.encoding === undefined && charset !== null) {
    options.encoding = readEncoding('encoding', charset)
  }
  const name = sent.file_name || fileNameOf(headers['content-disposition'])
  const maxBytes = maxBytesOf(options, limits)
  const settings = { place: limits.place, encoding: options.encoding ?? null, maxBytes }
  const file = await storeFile(settings, bodyBytes(body, maxBytes, limits), { name, packed })
  return { options, file }
}

/** Whether the body is sent with gzip. Throws content_encoding_unsupported. */
export function isPacked(encoding = 'identity'): boolean {
  const name = encoding.trim().toLowerCase()
  if (name === 'gzip' || name === 'x-gzip') return true
  if (name === 'identity' || name === '') return false
  throw appError('content_encoding_unsupported', { found: name.slice(0, 100) })
}

/** The charset of a content type such as `text/csv; charset=windows-1252`; null: none is given. */
export function charsetOf(type = ''): string | null {
  return /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1] ?? null
}

/** The body's bytes. The request is not destroyed, however this ends: the answer goes out on the same
 *  connection. */
export async function* bodyBytes(
  body: IncomingMessage,
  maxBytes: number,
  { signal, sent }: Pick<UploadLimits, 'signal' | 'sent'>
) {
  const iterator = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  aborted.catch(() => {})
  let bytes = 0
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]).catch((error) => {
        throw bodyError(error)
      })
      if (next.done) return
      bytes += next.value.length
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      sent.bytes(next.value)
      yield next.value
    }
  } finally {
    // Lets go of the request, so that what still comes can be drained; not waited for, as a client
    // that stalls would be waited for as well.
    void iterator.return?.()
  }
}

function bodyError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const reason = 'The connection was closed before the end of the body. Nothing was kept.'
  return appError('validation_failed', { reason }, { cause: error })
}
