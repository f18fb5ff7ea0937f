// Laws that hold for every file, checked with fast-check: how the bytes are cut can't be seen, any
// checkpoint gives exactly the remaining rows, rows cover the file, a stray quote costs one row.

import assert from 'node:assert/strict'
import csvParser from 'csv-parser'
import fc from 'fast-check'
import t from 'tap'
import { AppError } from '../../../src/errors.ts'
import { sniffCsv } from '../../../src/import/parse/sniff.ts'
import type { Dialect } from '../../../src/import/terms.ts'
import { holds } from '../../helpers/property.ts'
import { type ReadSettings, readCsv, readFrom, startOf } from './read.ts'

const runs = 400

const newline = fc.constantFrom('\n', '\r\n', '\r')
const delimiter = fc.constantFrom(',', ';', '\t', '|')

/** Bytes that hurt, in any order. */
const nastyBytes = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b"c', '5"', ' ', 'é', '€', '1', '\t', '') },
      { weight: 6, arbitrary: fc.constantFrom(',', ',', '"', '""', '"",', ',"', '",', '" ', ' "') },
      { weight: 5, arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\n\n', '"\n', '\n"', '\r\r\n') },
      { weight: 1, arbitrary: fc.constantFrom('\0', '\xff', '\xc3', '\xe2\x82', '\ufffd') }
    ),
    { maxLength: 60 }
  )
  // latin1 keeps the broken bytes broken; é and € become what a wrong export makes of them.
  .chain((parts) =>
    fc.constantFrom<BufferEncoding>('utf8', 'latin1').map((as) => Buffer.from(parts.join(''), as))
  )

const nastyFile = fc.record({
  bytes: nastyBytes,
  columns: fc.integer({ min: 1, max: 4 }),
  maxRowBytes: fc.constantFrom(3, 10, 25, 1000)
})

function dialectOf(columns: number): Dialect {
  const headers = Array.from({ length: columns }, (_, index) => `h${index}`)
  return { delimiter: ',', newline: '\n', headers, dataOffset: 0, dataLine: 1 }
}

async function readNasty(file: { bytes: Buffer; columns: number }, settings: ReadSettings) {
  const dialect = dialectOf(file.columns)
  return readFrom(file.bytes, dialect, startOf(dialect), settings)
}

const cell = fc.string({
  unit: fc.constantFrom('a', 'B', ' ', 'ü', '漢', '😀', '"', '\n', '\r\n', ',', ';', '|', '1', "'"),
  maxLength: 8
})

/** A table as a careful program writes it. */
const isBlank = (cell: string) => /^[\s,;|]*$/.test(cell)

const goodFile = fc
  .record({ columns: fc.integer({ min: 2, max: 5 }), newline, delimiter })
  .chain(({ columns, newline, delimiter }) =>
    fc.record({
      newline: fc.constant(newline),
      delimiter: fc.constant(delimiter),
      columns: fc.constant(columns),
      // A row of blanks is none; the last cell survives what the tests take away.
      rows: fc.array(
        fc
          .array(cell, { minLength: columns, maxLength: columns })
          .map((cells) => (cells.every(isBlank) ? [...cells.slice(1), 'x'] : cells)),
        { minLength: 1, maxLength: 12 }
      )
    })
  )

function write(rows: string[][], delimiter: string, newline: string): string {
  const quote = (text: string) =>
    /["\r\n,;|\t]|^ | $/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text
  return rows.map((row) => row.map(quote).join(delimiter) + newline).join('')
}

function headersOf(columns: number): string[] {
  return dialectOf(columns).headers
}

/** Runs a law; the failing example is in the error that fast-check throws. */
function check<T>(arbitrary: fc.Arbitrary<T>, law: (value: T) => Promise<void>) {
  return holds(fc.asyncProperty(arbitrary, law), runs)
}

t.test('cells, lines and offsets are the same however the bytes are cut', async () => {
  const cuts = fc.record({
    windowBytes: fc.integer({ min: 1, max: 40 }),
    chunkBytes: fc.integer({ min: 1, max: 40 })
  })
  await check(fc.tuple(nastyFile, cuts), async ([file, cut]) => {
    const { maxRowBytes } = file
    assert.deepEqual(
      await readNasty(file, { maxRowBytes, ...cut }),
      await readNasty(file, { maxRowBytes })
    )
  })
})

t.test('reading from any checkpoint gives exactly the remaining rows', async () => {
  await check(fc.tuple(nastyFile, fc.integer({ min: 1, max: 3 })), async ([file, batchRows]) => {
    const settings = { maxRowBytes: file.maxRowBytes, batchRows }
    const { dialect, rows, ends } = await readNasty(file, settings)
    for (const end of ends) {
      const rest = await readFrom(file.bytes, dialect, end, settings)
      assert.deepEqual(rest.rows, rows.slice(end.rows))
      assert.deepEqual(rest.ends.at(-1) ?? end, ends.at(-1))
    }
  })
})

t.test('every byte of the file belongs to one row or to a blank line', async () => {
  await check(nastyFile, async (file) => {
    const { rows, ends } = await readNasty(file, { maxRowBytes: file.maxRowBytes })
    const { bytes, columns } = file
    rows.forEach((row, index) => {
      const next = rows[index + 1]?.offset ?? bytes.length
      assert.equal(row.row, index + 1)
      assert.equal(row.line, 1 + lineEnds(bytes.subarray(0, row.offset)))
      assert.ok(next > row.offset)
      if (row.problems === null) assert.equal(row.cells.length, columns)
      const tooLarge = row.problems?.some(({ code }) => code === 'row_too_large')
      const text = bytes.toString('utf8', row.offset, next)
      if (!tooLarge) assert.equal(lettersOf(row.cells.join('')), lettersOf(text))
    })
    const before = bytes.toString('latin1', 0, rows[0]?.offset ?? bytes.length)
    assert.match(before, /^[ \t\r\n,;|"]*$/)
    if (bytes.length > 0) assert.equal(ends.at(-1)?.offset, bytes.length)
  })
})

t.test('a file written by the rules is read as csv-parser reads it', async () => {
  await check(goodFile, async ({ rows, columns, delimiter, newline }) => {
    const csv = write([headersOf(columns), ...rows], delimiter, newline)
    const ours = await readCsv(csv, { delimiter, windowBytes: 50, chunkBytes: 7 })
    assert.deepEqual(
      ours.rows.map((row) => row.cells),
      rows
    )
    assert.ok(ours.rows.every((row) => row.problems === null))
    assert.deepEqual(await readPlainly(csv, delimiter, newline), rows)
  })
})

t.test('a quote too many or too few costs only the row it is in', async () => {
  const damage = fc.record({ at: fc.nat(), row: fc.nat(), remove: fc.boolean() })
  await check(fc.tuple(goodFile, damage), async ([file, { at, row, remove }]) => {
    const { columns, delimiter, newline } = file
    const rows = file.rows.map((cells) => cells.map((text) => text.replace(/[\r\n]+|^[,;|]+/g, '')))
    const lines = rows.map((cells) => write([cells], delimiter, ''))
    const hit = row % rows.length
    lines[hit] = remove
      ? withoutQuote(lines[hit] as string, at)
      : withQuote(lines[hit] as string, at)
    const csv = [headersOf(columns).join(delimiter), ...lines, ''].join(newline)
    const read = await readCsv(csv, { delimiter })
    const byLine = new Map(read.rows.map((found) => [found.line, found]))
    rows.forEach((cells, index) => {
      if (index !== hit) assert.deepEqual(byLine.get(index + 2)?.cells, cells)
    })
  })
})

t.test('any bytes give rows or an error that has a code', async () => {
  const start = fc.constantFrom('', 'a,b\n', '\ufeff', 'sep=;\n', '"a";"b\n"\r\n', 'a\tb\r')
  await check(fc.tuple(start, nastyBytes, fc.boolean()), async ([text, bytes, isWhole]) => {
    const head = Buffer.concat([Buffer.from(text), bytes])
    try {
      const limits = { delimiter: null, maxColumns: 8, maxRowBytes: 100 }
      const dialect = sniffCsv(head, { isWhole, ...limits })
      assert.ok(dialect.dataOffset <= head.length)
      assert.equal(dialect.dataLine, 1 + lineEnds(head.subarray(0, dialect.dataOffset)))
      await readFrom(head, dialect, startOf(dialect), { maxRowBytes: 100 })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  })
})

function lineEnds(bytes: Buffer): number {
  return bytes.toString('latin1').match(/\r\n|\r|\n/g)?.length ?? 0
}

function lettersOf(text: string): string {
  return text.replace(/[^\p{L}\p{N}\ufffd]/gu, '')
}

function withQuote(line: string, at: number): string {
  const place = at % (line.length + 1)
  return `${line.slice(0, place)}"${line.slice(place)}`
}

function withoutQuote(line: string, at: number): string {
  const quotes = [...line.matchAll(/"/g)].map((match) => match.index)
  const place = quotes[at % quotes.length]
  return place === undefined ? line : line.slice(0, place) + line.slice(place + 1)
}

/** Rows by csv-parser as it comes, in one chunk (cut chunks are one of its faults). */
async function readPlainly(csv: string, separator: string, newline: string): Promise<string[][]> {
  const options = { headers: false, separator, newline: newline === '\r' ? '\r' : '\n' }
  const parser = csvParser(options)
  parser.end(Buffer.from(csv))
  const rows: string[][] = []
  for await (const row of parser) rows.push(Object.values(row as Record<string, string>))
  return rows.slice(1)
}
