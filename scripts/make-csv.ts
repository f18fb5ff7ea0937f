// Writes CSV files of contacts for measuring: same arguments, same bytes, on every machine.
// 12 columns, 150 to 190 bytes per row. Streams to disk, so size is bounded by the disk alone.
// Called by bench.ts, and by hand: node scripts/make-csv.ts --rows 100000 --variant base --out x.csv

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import {
  contactColumns,
  contactRow,
  createRecipe,
  isBadRow,
  isChangedRow,
  type Variant,
  variants
} from './bench/contact-row.ts'

export interface CsvOptions {
  /** Where the file goes; an existing one is replaced. */
  out: string
  variant: Variant
  /** Data rows to write; with `bytes`: the most. */
  rows?: number | undefined
  /** Stop after the row that reaches this size. */
  bytes?: number | undefined
  /** Another seed gives another file of the same kind. */
  seed?: number
}

/** What is in the file, so that a caller can check what an import of it says. */
export interface CsvFacts {
  path: string
  rows: number
  bytes: number
  organizations: number
  /** Rows that differ from the variant base (0 unless changed). */
  changedRows: number
  /** Rows that cannot be imported (0 unless bad). */
  badRows: number
}

const chunkChars = 256 * 1024
const bytesPerRow = 165

/** Writes one file. Memory: one chunk of 256 KiB. Throws what the file system throws. */
export async function writeContactsCsv(options: CsvOptions): Promise<CsvFacts> {
  const maxBytes = options.bytes ?? Number.POSITIVE_INFINITY
  const maxRows = options.rows ?? (options.bytes === undefined ? 0 : Number.MAX_SAFE_INTEGER)
  const expected = Math.min(maxRows, Math.ceil(maxBytes / bytesPerRow))
  const recipe = createRecipe(expected, options.variant, options.seed ?? 1)
  const facts = { path: options.out, rows: 0, bytes: 0, changedRows: 0, badRows: 0 }
  const file = createWriteStream(options.out)
  let chunk = `${contactColumns.join(',')}\n`
  while (facts.rows < maxRows && facts.bytes + chunk.length < maxBytes) {
    facts.rows++
    chunk += csvLine(contactRow(recipe, facts.rows))
    if (options.variant === 'changed' && isChangedRow(facts.rows)) facts.changedRows++
    if (options.variant === 'bad' && isBadRow(facts.rows)) facts.badRows++
    if (chunk.length < chunkChars) continue
    facts.bytes += Buffer.byteLength(chunk)
    if (!file.write(chunk)) await once(file, 'drain')
    chunk = ''
  }
  facts.bytes += Buffer.byteLength(chunk)
  file.end(chunk)
  await finished(file)
  return { ...facts, organizations: recipe.nextMember.filter((members) => members > 0).length }
}

function csvLine(cells: string[]): string {
  let line = ''
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index] as string
    if (index > 0) line += ','
    line += /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
  }
  return `${line}\n`
}

async function main() {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string' },
      bytes: { type: 'string' },
      variant: { type: 'string', default: 'base' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' }
    }
  })
  const variant = variants.find((name) => name === values.variant)
  if (!values.out || !variant || !(values.rows || values.bytes)) {
    throw new Error(
      'usage: make-csv.ts --rows N [--bytes N] [--variant base|changed|bad] --out FILE'
    )
  }
  const facts = await writeContactsCsv({
    out: values.out,
    variant,
    rows: values.rows === undefined ? undefined : Number(values.rows),
    bytes: values.bytes === undefined ? undefined : Number(values.bytes),
    seed: Number(values.seed)
  })
  console.log(JSON.stringify(facts))
}

if (import.meta.main) await main()
