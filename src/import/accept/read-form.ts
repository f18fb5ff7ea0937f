// multipart form -> options and one stored file. In: the parts as they arrive, in any order.
// Out: typed options and the file on disk, not yet kept. Nothing stays behind when it throws.
// Called by accept-upload.ts.

import type { Multipart, MultipartFile } from '@fastify/multipart'
import { AppError, appError } from '../../errors.ts'
import { deleteUpload, type StoredUpload, storeUpload } from '../../platform/files.ts'
import { cleanFileName } from './file-name.ts'
import { defaultOptions, readOption, type UploadOptions } from './options.ts'

export interface UploadForm {
  options: UploadOptions
  file: StoredUpload & { name: string }
}

export interface FormLimits {
  dataDir: string
  maxUploadBytes: number
  /** Aborted when the client stopped sending; its reason is the error to answer with. */
  signal: AbortSignal
}

/** Reads the whole form. Throws malformed_multipart (also when the client went away),
 *  file_missing, too_many_files, too_large, storage_unavailable and the errors of options. */
export async function readForm(
  parts: AsyncIterable<Multipart>,
  limits: FormLimits
): Promise<UploadForm> {
  const options = defaultOptions()
  const seen = new Set<string>()
  let file: UploadForm['file'] | undefined
  try {
    for await (const part of partsUntil(limits.signal, parts)) {
      if (part.type === 'file') file = await readFile(part, limits)
      else readField(options, seen, part)
    }
    if (!file) throw appError('file_missing')
    return { options, file }
  } catch (error) {
    if (file) await deleteUpload(limits.dataDir, file.file_key)
    throw error
  }
}

function readField(options: UploadOptions, seen: Set<string>, part: Multipart & { type: 'field' }) {
  const name = part.fieldname ?? ''
  // A part named "file" without a file name is a plain field to the parser.
  if (name === 'file') throw appError('file_missing')
  if (seen.has(name)) {
    throw appError('invalid_option', { option: name, value: '', expected: 'It was given twice.' })
  }
  seen.add(name)
  // A part sent as application/json comes parsed.
  const text = typeof part.value === 'string' ? part.value : JSON.stringify(part.value)
  if (part.valueTruncated || part.fieldnameTruncated) {
    throw appError('invalid_option', { option: name, value: '', expected: 'It is too long.' })
  }
  readOption(options, name, text)
}

async function readFile(part: MultipartFile, limits: FormLimits) {
  if (part.fieldname !== 'file') throw appError('file_missing')
  const stored = await storeUpload(limits.dataDir, fileBytes(part.file, limits))
  return { ...stored, name: cleanFileName(part.filename) }
}

/** The file's bytes; ends with too_large as soon as the limit is passed, without reading on. */
async function* fileBytes(file: MultipartFile['file'], limits: FormLimits): AsyncGenerator<Buffer> {
  const onLimit = () => file.destroy(appError('too_large', { limit: limits.maxUploadBytes }))
  const onAbort = () => file.destroy(limits.signal.reason)
  file.once('limit', onLimit)
  // Passed in the very chunk that began the file, before anybody could listen.
  if (file.truncated) onLimit()
  limits.signal.addEventListener('abort', onAbort, { once: true })
  try {
    yield* file
  } catch (error) {
    throw uploadError(error)
  } finally {
    limits.signal.removeEventListener('abort', onAbort)
  }
}

/** The parts, until there are no more or the signal ends the waiting. */
async function* partsUntil(signal: AbortSignal, parts: AsyncIterable<Multipart>) {
  const iterator = parts[Symbol.asyncIterator]()
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  aborted.catch(() => {})
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted]).catch((error) => {
      throw uploadError(error)
    })
    if (next.done) return
    yield next.value
  }
}

const limitReasons: Record<string, string> = {
  FST_PARTS_LIMIT: 'it has too many parts',
  FST_FIELDS_LIMIT: 'it has too many fields',
  FST_PROTO_VIOLATION: 'a part has a name that is not allowed',
  FST_INVALID_JSON_FIELD_ERROR: 'a field sent as JSON is not JSON',
  FST_MP_PREMATURE_CLOSE: 'the connection was closed before the end'
}

/** What the multipart parser throws has no status of its own in most cases: it is the client's
 *  body that is wrong, whatever the parser calls it. */
function uploadError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'FST_FILES_LIMIT') return appError('too_many_files', {}, { cause: error })
  if (code === 'FST_INVALID_MULTIPART_CONTENT_TYPE') {
    return appError('not_multipart', {}, { cause: error })
  }
  const reason = limitReasons[code ?? ''] ?? (message ?? 'not readable').replace(/^Multipart: /, '')
  return appError('malformed_multipart', { reason }, { cause: error })
}
