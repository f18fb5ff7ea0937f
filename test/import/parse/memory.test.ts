// Memory is bounded by some chunks and one batch, whatever the file or one row of it is long. What is
// measured is what stays in memory after a garbage collection, so the figures are the same anywhere.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { readRows } from '../../../src/import/parse/read-rows.ts'
import type { RawRow } from '../../../src/import/terms.ts'
import { sniffText } from './read.ts'

const megabyte = 1024 * 1024
const dialect = sniffText('a,b\n1,2\n')
const options = {
  from: { rows: 0, offset: 4, line: 2, blankRows: 0 },
  maxRowBytes: 131_072,
  batchRows: 5_000
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function retainedBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** 64 MiB of one text, then a good row. `seen` is called now and then while it is read. */
async function* repeat(unit: string, seen: () => void): AsyncGenerator<Buffer> {
  const block = Buffer.from(unit.repeat(Math.ceil(megabyte / unit.length)))
  yield Buffer.from('1,"')
  for (let i = 0; i < 64; i++) {
    if (i % 8 === 7) seen()
    yield block
  }
  yield Buffer.from('\n3,4\n')
}

/** Reads 64 MiB of a text; returns how often each outcome was, and the most that was retained. */
async function measure(unit: string) {
  const counts: Record<string, number> = {}
  const before = retainedBytes()
  let most = 0
  const source = repeat(unit, () => {
    most = Math.max(most, retainedBytes() - before)
  })
  let last: RawRow | undefined
  for await (const { rows } of readRows(source, dialect, options)) {
    for (const row of rows) {
      const outcome = row.problems?.[0]?.code ?? 'good'
      counts[outcome] = (counts[outcome] ?? 0) + 1
      last = row
    }
  }
  return { counts, last: last?.cells, most }
}

t.test('64 MiB in one line are one row, and the next row is read', async (t) => {
  for (const unit of ['x', '"', '""', ',', '\0', '"x,', 'é']) {
    const { counts, last, most } = await measure(unit)
    t.strictSame(counts, { row_too_large: 1, good: 1 }, JSON.stringify(unit))
    t.strictSame(last, ['3', '4'])
    t.ok(most < 6 * megabyte, `${most} bytes retained`)
  }
})

t.test('64 MiB of lines behind an open quote are rows', async (t) => {
  const unit = 'a line of some text,and more of it\n'
  const { counts, last, most } = await measure(unit)
  const lines = 64 * Math.ceil(megabyte / unit.length)
  t.strictSame(counts, { open_quote: 1, good: lines })
  t.strictSame(last, ['3', '4'])
  t.ok(most < 12 * megabyte, `${most} bytes retained`)
})

t.test('64 MiB of delimiters, line by line, stay small', async (t) => {
  const { counts, most } = await measure(`${','.repeat(100_000)}\n`)
  t.strictSame(counts, { open_quote: 1, column_count: 703, good: 1 })
  t.ok(most < 12 * megabyte, `${most} bytes retained`)
})
