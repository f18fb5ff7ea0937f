// An arriving file -> a stored one: converted, measured, its rows counted, within the limits that
// are known so far. Called by read-form.ts and read-body.ts; plan-import.ts converts again when the
// encoding was said after the file.

import {
  deleteUpload,
  openPartial,
  type StoredUpload,
  storeUpload,
  type UploadPlace
} from '../../platform/files.ts'
import { type ConversionFacts, convert } from './convert.ts'
import { createLineCounter, type LineCount } from './count-lines.ts'
import { cleanFileName } from './file-name.ts'

/** A file on disk that is not kept yet. */
export interface StoredFile extends StoredUpload {
  /** Safe to show. */
  name: string
  facts: ConversionFacts
  count: LineCount
}

/** How a file is to be stored. */
export interface StoreSettings {
  place: UploadPlace
  /** From which encoding it is converted unless a byte order mark tells another; null: UTF-8. */
  encoding: string | null
  /** Largest size, as sent and as stored. */
  maxBytes: number
}

/** Stores what arrives. `packed`: the request itself was sent with gzip. Nothing stays when it
 *  throws: too_large, gzip_invalid, encoding_mismatch, storage_unavailable, and what `source` does. */
export async function storeFile(
  { place, encoding, maxBytes }: StoreSettings,
  source: AsyncIterable<Buffer>,
  sent: { name: string | undefined; packed?: boolean }
): Promise<StoredFile> {
  const facts: ConversionFacts = { gzip: false, encoding: null, marked: false }
  const { count, add } = createLineCounter()
  async function* counted() {
    const given = { encoding, maxBytes, packed: sent.packed === true }
    for await (const chunk of convert(source, given, facts)) {
      add(chunk)
      if (chunk.length > 0) yield chunk
    }
  }
  const stored = await storeUpload(place, counted())
  const name = cleanFileName(facts.gzip ? sent.name?.replace(/\.gz$/i, '') : sent.name)
  return { ...stored, name, facts, count }
}

/** The file as it is in `settings.encoding`, when that was not known as it arrived: stored anew, and
 *  the first one deleted. A file with a byte order mark stays as it is. Throws encoding_mismatch,
 *  too_large, storage_unavailable; then the first one is still there. */
export async function storeAgain(settings: StoreSettings, file: StoredFile): Promise<StoredFile> {
  const { encoding, place } = settings
  const wanted = encoding === 'utf-8' ? null : encoding
  if (file.facts.marked || wanted === file.facts.encoding) return file
  const again = await storeFile(settings, openPartial(place, file.file_key), { name: file.name })
  await deleteUpload(place.dataDir, file.file_key)
  return again
}
