// Reads CSV given as text or bytes the way an import does: sniff, then all batches. Used by the tests
// of this folder.

import { readRows } from '../../../src/import/parse/read-rows.ts'
import { sniffCsv } from '../../../src/import/parse/sniff.ts'
import type { Checkpoint, Dialect, RawRow } from '../../../src/import/terms.ts'

export interface ReadSettings {
  delimiter?: string | null
  maxRowBytes?: number
  batchRows?: number
  windowBytes?: number
  /** Length of each chunk of the source; one chunk when absent. */
  chunkBytes?: number
}

export interface ReadResult {
  dialect: Dialect
  rows: RawRow[]
  /** Checkpoint behind each batch. */
  ends: Checkpoint[]
}

/** Yields `bytes` in chunks of `chunkBytes`. */
export async function* chunksOf(bytes: Buffer, chunkBytes = bytes.length): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

export function sniffText(csv: string | Buffer, settings: ReadSettings = {}): Dialect {
  return sniffCsv(Buffer.from(csv as string), {
    isWhole: true,
    delimiter: settings.delimiter ?? null,
    maxColumns: 512,
    maxRowBytes: settings.maxRowBytes ?? 131_072
  })
}

/** Reads from a checkpoint to the end. */
export async function readFrom(
  bytes: Buffer,
  dialect: Dialect,
  from: Checkpoint,
  settings: ReadSettings = {}
): Promise<ReadResult> {
  const rows: RawRow[] = []
  const ends: Checkpoint[] = []
  const source = chunksOf(bytes.subarray(from.offset), settings.chunkBytes)
  const options = {
    from,
    maxRowBytes: settings.maxRowBytes ?? 131_072,
    batchRows: settings.batchRows ?? 5_000,
    windowBytes: settings.windowBytes ?? 262_144
  }
  for await (const batch of readRows(source, dialect, options)) {
    rows.push(...batch.rows)
    ends.push(batch.end)
  }
  return { dialect, rows, ends }
}

export function startOf(dialect: Dialect): Checkpoint {
  return { rows: 0, offset: dialect.dataOffset, line: dialect.dataLine, blankRows: 0 }
}

export async function readCsv(
  csv: string | Buffer,
  settings: ReadSettings = {}
): Promise<ReadResult> {
  const bytes = Buffer.from(csv as string)
  const dialect = sniffText(bytes, settings)
  return readFrom(bytes, dialect, startOf(dialect), settings)
}

/** The cells of a row that is right; the codes of its problems in one text when it is not. */
export function brief(row: RawRow): string[] | string {
  return row.problems?.map((problem) => problem.code).join(' ') ?? row.cells
}

export async function briefRows(csv: string | Buffer, settings: ReadSettings = {}) {
  return (await readCsv(csv, settings)).rows.map(brief)
}
