// Writes CSV files for measuring: same arguments, same bytes, on every machine.
// Contacts have 12 columns and 150 to 190 bytes per row, configurations 18 and about 235.
// Streams to disk, so size is bounded by the disk alone. Called by bench.ts, and by hand:
// node scripts/make-csv.ts --type contacts --rows 100000 --variant base --out x.csv

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { csvLine } from './bench/csv-line.ts'
import {
  createRecipe,
  isBadRow,
  isChangedRow,
  type Recipe,
  type Variant,
  variants
} from './bench/recipe.ts'
import { type RowType, rowTypes, type TypeName, typeNames } from './bench/row-types.ts'

export interface CsvOptions {
  /** What the rows are; absent: contacts. */
  type?: TypeName
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
  /** By record type, how many records an import into an empty store creates because rows name
   *  them. Right of files without bad rows only. */
  creates: Record<string, number>
}

const chunkChars = 256 * 1024

/** What the rows of such a file share. */
export function recipeOf(options: Omit<CsvOptions, 'out'>): Recipe {
  const { bytesPerRow } = rowTypes[options.type ?? 'contacts']
  const bySize = Math.ceil((options.bytes ?? Number.POSITIVE_INFINITY) / bytesPerRow)
  return createRecipe(Math.min(maxRowsOf(options), bySize), options.variant, options.seed ?? 1)
}

const maxRowsOf = ({ rows, bytes }: Omit<CsvOptions, 'out'>) =>
  rows ?? (bytes === undefined ? 0 : Number.MAX_SAFE_INTEGER)

/** Writes one file. Memory: one chunk of 256 KiB. Throws what the file system throws. */
export async function writeCsv(options: CsvOptions): Promise<CsvFacts> {
  const type = rowTypes[options.type ?? 'contacts']
  const maxBytes = options.bytes ?? Number.POSITIVE_INFINITY
  const maxRows = maxRowsOf(options)
  const recipe = recipeOf(options)
  const named = countNames(type)
  const facts = { path: options.out, rows: 0, bytes: 0, changedRows: 0, badRows: 0 }
  const file = createWriteStream(options.out)
  let chunk = `${type.columns.join(',')}\n`
  while (facts.rows < maxRows && facts.bytes + chunk.length < maxBytes) {
    facts.rows++
    const cells = type.row(recipe, facts.rows)
    chunk += csvLine(cells)
    named.add(cells)
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
  const organizations = recipe.nextMember.filter((members) => members > 0).length
  return { ...facts, organizations, creates: named.counts() }
}

/** Counts the different records that the rows of a file name. */
function countNames({ columns, creates }: RowType) {
  const places = Object.entries(creates).map(([type, names]) => ({
    type,
    columns: names.map((name) => columns.indexOf(name)),
    seen: new Set<string>()
  }))
  return {
    add(cells: string[]): void {
      for (const { columns, seen } of places) {
        const texts = columns.map((column) => cells[column])
        if (texts.every(Boolean)) seen.add(texts.join('\n'))
      }
    },
    counts: () => Object.fromEntries(places.map(({ type, seen }) => [type, seen.size]))
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      type: { type: 'string', default: 'contacts' },
      rows: { type: 'string' },
      bytes: { type: 'string' },
      variant: { type: 'string', default: 'base' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' }
    }
  })
  const type = typeNames.find((name) => name === values.type)
  const variant = variants.find((name) => name === values.variant)
  if (!values.out || !type || !variant || !(values.rows || values.bytes)) {
    throw new Error(
      `usage: make-csv.ts [--type ${typeNames.join('|')}] --rows N [--bytes N] [--variant ${variants.join('|')}] --out FILE`
    )
  }
  const facts = await writeCsv({
    type,
    out: values.out,
    variant,
    rows: values.rows === undefined ? undefined : Number(values.rows),
    bytes: values.bytes === undefined ? undefined : Number(values.bytes),
    seed: Number(values.seed)
  })
  console.log(JSON.stringify(facts))
}

if (import.meta.main) await main()
