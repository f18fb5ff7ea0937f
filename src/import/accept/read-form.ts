// multipart form -> options and one stored file. In: the parts as they arrive, in any order.
// Out: typed options and the file on disk, not yet kept. Nothing stays behind when it throws.
// Called by accept-upload.ts.

import type { Multipart, MultipartFile } from '@fastify/multipart'
import { AppError, appError } from '../../errors.ts'
import { deleteUpload } from '../../platform/files.ts'
import { findFault } from '../../platform/json-values.ts'
import { tooLarge } from './convert.ts'
import { optionFault } from './options.ts'
import { maxBytesOf, type OptionReader, type ReadUpload, type UploadLimits } from './read-upload.ts'
import { type StoredFile, storeFile } from './store-file.ts'

interface FormParts {
  file?: StoredFile
  /** The file part had no name, as that of a form on a page where no file was chosen. */
  isUnnamed: boolean
  /** Pasted rows. */
  text?: string
}

/** Reads the whole form. Throws malformed_multipart (also when the client went away),
 *  file_missing, too_many_files, those of storing and those of options. */
export async function readForm(
  parts: AsyncIterable<Multipart>,
  reader: OptionReader,
  limits: UploadLimits
): Promise<ReadUpload> {
  const form: FormParts = { isUnnamed: false }
  try {
    for await (const part of partsUntil(limits.signal, parts)) {
      if (part.type === 'file') await takeFile(form, part, reader, limits)
      else takeField(form, part, reader, limits)
    }
    return { options: reader.options, file: await oneFile(form, reader, limits) }
  } catch (error) {
    if (form.file) await deleteUpload(limits.place.dataDir, form.file.file_key)
    throw error
  }
}

/** The file of the form, whichever way it came. */
async function oneFile(form: FormParts, reader: OptionReader, limits: UploadLimits) {
  const { file, text } = form
  if (text === undefined) {
    if (file) return file
    throw appError('file_missing')
  }
  if (file) {
    if (file.bytes > 0 || !form.isUnnamed) throw appError('too_many_files')
    await deleteUpload(limits.place.dataDir, file.file_key)
  }
  async function* pasted() {
    yield Buffer.from(text as string)
  }
  const maxBytes = maxBytesOf(reader.options, limits)
  // It is text already: an encoding that is named was meant for files.
  const settings = { place: limits.place, encoding: null, maxBytes }
  const stored = await storeFile(settings, pasted(), { name: 'pasted.csv' })
  return { ...stored, facts: { ...stored.facts, marked: true } }
}

// Fields of the form are held in memory: a mapping needs less, pasted rows get all there is.
const maxOptionChars = 256 * 1024

/** The text of a field; a part sent as application/json comes parsed. */
export const fieldText = ({ value }: Multipart & { type: 'field' }) =>
  typeof value === 'string' ? value : JSON.stringify(value)

function takeField(
  form: FormParts,
  part: Multipart & { type: 'field' },
  reader: OptionReader,
  limits: UploadLimits
) {
  const name = part.fieldname ?? ''
  const fault = findFault(part.value)
  if (fault && typeof part.value !== 'string') {
    throw optionFault(name, `${fault.path || 'It'} ${fault.message}.`)
  }
  const text = fieldText(part)
  // A part named "file" without a file name is a plain field to the parser.
  if (name === 'file') {
    if (text !== '') throw appError('file_missing')
    return
  }
  const isTooLong = part.valueTruncated || part.fieldnameTruncated
  if (name === 'text') {
    if (isTooLong) throw optionFault('text', 'It is longer than 1 MiB: send it as a file.')
    if (form.text !== undefined) throw appError('too_many_files')
    if (text !== '') form.text = text
    limits.sent.bytes(Buffer.from(text))
    return
  }
  if (isTooLong || text.length > maxOptionChars) throw optionFault(name, 'It is too long.')
  reader.read(name, text)
}

async function takeFile(
  form: FormParts,
  part: MultipartFile,
  reader: OptionReader,
  limits: UploadLimits
) {
  if (part.fieldname === 'text') {
    throw optionFault('text', 'It came as a file: name that part `file`, or send the rows as text.')
  }
  if (part.fieldname !== 'file') throw appError('file_missing')
  const { place } = limits
  const maxBytes = maxBytesOf(reader.options, limits)
  const settings = { place, encoding: reader.options.encoding ?? null, maxBytes }
  form.isUnnamed = (part.filename ?? '') === ''
  form.file = await storeFile(settings, fileBytes(part.file, limits), { name: part.filename })
}

/** The file's bytes; ends with too_large as soon as the limit is passed, without reading on. */
export async function* fileBytes(
  file: MultipartFile['file'],
  { maxUploadBytes, signal, sent }: Omit<UploadLimits, 'place'>
): AsyncGenerator<Buffer> {
  const onLimit = () => file.destroy(tooLarge(maxUploadBytes))
  const onAbort = () => file.destroy(signal.reason)
  file.once('limit', onLimit)
  // Passed in the very chunk that began the file, before anybody could listen.
  if (file.truncated) onLimit()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const chunk of file) {
      sent.bytes(chunk)
      yield chunk
    }
  } catch (error) {
    throw uploadError(error)
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The parts, until there are no more or the signal ends the waiting. */
export async function* partsUntil(signal: AbortSignal, parts: AsyncIterable<Multipart>) {
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
