// What the ways of sending an upload have in common: limits, the collected options, the result.
// Used by read-form.ts and read-body.ts, which read the two kinds of bodies.

import type { UploadPlace } from '../../platform/files.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { optionFault, readOption, type UploadOptions } from './options.ts'
import type { SentContent } from './sent-content.ts'
import type { StoredFile } from './store-file.ts'

export interface UploadLimits {
  place: UploadPlace
  maxUploadBytes: number
  /** Aborted when the client stopped sending; its reason is the error to answer with. */
  signal: AbortSignal
  /** Told what arrives, as it was sent. */
  sent: SentContent
}

/** An upload that was read to its end. */
export interface ReadUpload {
  options: UploadOptions
  file: StoredFile
}

/** Collects options from wherever they come; each may be given once. */
export interface OptionReader {
  /** What was said so far. */
  options: UploadOptions
  /** Throws what `readOption` throws, and invalid_option for an option that was given before. */
  read(name: string, text: string): void
}

/** Starts with what the query of the request says. */
export function readOptions(
  types: TypeCatalogue,
  query: Record<string, unknown>,
  sent: SentContent
): OptionReader {
  const options: UploadOptions = {}
  const seen = new Set<string>()
  const read = (name: string, text: string) => {
    if (seen.has(name)) throw optionFault(name, 'It was given twice.')
    seen.add(name)
    sent.option(name, text)
    readOption(options, types, name, text)
  }
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) throw optionFault(name, 'It was given twice.')
    // `update[tags]=append` is the same as `update={"tags":"append"}`.
    read(name, queryText(value))
  }
  return { options, read }
}

/** The text of a query parameter: `update[tags]=append` is the same as `update={"tags":"append"}`. */
export const queryText = (value: unknown) =>
  typeof value === 'string' ? value : JSON.stringify(value)

/** Largest file, as far as it is known before the file. */
export function maxBytesOf({ type }: UploadOptions, { maxUploadBytes }: UploadLimits): number {
  return Math.min(maxUploadBytes, type?.limits.max_bytes ?? maxUploadBytes)
}
