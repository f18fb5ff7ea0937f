// Batches, places in the file, and the faults of csv-parser that concern rows. Damaged quotes are in
// read-record.test.ts, laws for all files in read-rows.property.test.ts, more files in cases/.

import t from 'tap'
import { readRows } from '../../../src/import/parse/read-rows.ts'
import type { Dialect } from '../../../src/import/terms.ts'
import { brief, briefRows, chunksOf, readCsv, readFrom, sniffText, startOf } from './read.ts'

t.test('a row has its number, line, byte offset, cells and no problems', async (t) => {
  const { rows } = await readCsv('\ufeffid,näme\r\n\r\n1,"é\r\né"\r\n2,b\r\n')
  t.strictSame(rows, [
    { row: 1, line: 3, offset: 15, cells: ['1', 'é\r\né'], problems: null },
    { row: 2, line: 5, offset: 27, cells: ['2', 'b'], problems: null }
  ])
  t.strictSame(Object.keys(rows[0] ?? {}), ['row', 'line', 'offset', 'cells', 'problems'])
})

t.test('a batch has at most batchRows rows and says where to go on', async (t) => {
  const csv = 'a\n1\n2\n\n3\n4\n5\n\n\n'
  const { rows, ends } = await readCsv(csv, { batchRows: 2 })
  t.equal(rows.length, 5)
  t.strictSame(ends, [
    { rows: 2, offset: 6, line: 4, blankRows: 0 },
    { rows: 4, offset: 11, line: 7, blankRows: 1 },
    { rows: 5, offset: 15, line: 10, blankRows: 3 }
  ])
})

t.test('a full last batch is followed by an empty one only when blank lines follow', async (t) => {
  t.equal((await readCsv('a\n1\n2\n', { batchRows: 2 })).ends.length, 1)
  const { ends } = await readCsv('a\n1\n2\n\n', { batchRows: 2 })
  t.strictSame(ends.at(-1), { rows: 2, offset: 7, line: 5, blankRows: 1 })
})

t.test('numbers go on from the checkpoint', async (t) => {
  const bytes = Buffer.from('a,b\n1,2\n3,4\n')
  const from = { rows: 1_000_000, offset: 8, line: 2_000_003, blankRows: 7 }
  const { rows, ends } = await readFrom(bytes, sniffText(bytes), from)
  t.match(rows, [{ row: 1_000_001, line: 2_000_003, offset: 8, cells: ['3', '4'] }])
  t.strictSame(ends, [{ rows: 1_000_001, offset: 12, line: 2_000_004, blankRows: 7 }])
})

t.test('a batch is closed when its rows have 8 MiB', async (t) => {
  const row = `${'x'.repeat(100_000)},y\n`
  const { ends } = await readCsv(`a,b\n${row.repeat(200)}`)
  t.strictSame(
    ends.map((end) => end.rows),
    [84, 168, 200]
  )
})

t.test('the source is closed when the consumer stops early', async (t) => {
  let closed = false
  async function* source() {
    try {
      for (;;) yield Buffer.from('1,2\n'.repeat(100_000))
    } finally {
      closed = true
    }
  }
  for await (const batch of readRows(source(), sniffText('a,b\n1,2\n'), startHere)) {
    t.equal(batch.rows.length, 10)
    break
  }
  t.ok(closed)
})

t.test('an error of the source is thrown as it is', async (t) => {
  const broken = new Error('disk on fire')
  async function* source() {
    yield Buffer.from('1,2\n')
    throw broken
  }
  const rows = readRows(source(), sniffText('a,b\n1,2\n'), startHere)
  await t.rejects(rows.next(), broken)
})

t.test('chunks of the source are not changed', async (t) => {
  const bytes = Buffer.from('1,"a ""b"""\n2,c\n')
  const before = Buffer.from(bytes)
  const { delimiter, newline } = sniffText('a,b\n1,2\n')
  const dialect: Dialect = { delimiter, newline, headers: ['a', 'b'], dataOffset: 0, dataLine: 1 }
  const { rows } = await readFrom(bytes, dialect, startOf(dialect))
  t.strictSame(rows.map(brief), [
    ['1', 'a "b"'],
    ['2', 'c']
  ])
  t.ok(bytes.equals(before))
})

t.test('a line end cut between chunks is one line end', async (t) => {
  const csv = 'a,b\r\n1,2\r\n3,"4"\r\n'
  for (let chunkBytes = 1; chunkBytes < csv.length; chunkBytes++) {
    const { rows, ends } = await readCsv(csv, { chunkBytes, windowBytes: chunkBytes })
    t.strictSame(
      rows.map(({ line, cells }) => [line, ...cells]),
      [
        [2, '1', '2'],
        [3, '3', '4']
      ]
    )
    t.equal(ends.at(-1)?.blankRows, 0)
  }
})

t.test('bytes that are no UTF-8 are named by their offset in the file', async (t) => {
  const csv = Buffer.from('a,b\n1,é\n2,x\n"3","ö"\n', 'latin1')
  for (const windowBytes of [1, 9, 262_144]) {
    const { rows } = await readCsv(csv, { windowBytes })
    t.strictSame(
      rows.map(({ problems }) => problems?.[0]?.message.match(/byte \d+/)?.[0] ?? null),
      ['byte 6', null, 'byte 17']
    )
    t.strictSame(rows[2]?.cells, ['3', '\ufffd'])
  }
})

t.test('a row can have several problems', async (t) => {
  const csv = Buffer.from('a,b\n1,é\0,x\n1,2\n3,4 and some text\n', 'latin1')
  t.strictSame(await briefRows(csv), [
    'encoding_invalid_row nul_byte column_count',
    ['1', '2'],
    ['3', '4 and some text']
  ])
})

t.test('a wrong cell count names both numbers and keeps the cells', async (t) => {
  const { rows } = await readCsv('a,b\n1\n1,2,3\n')
  t.match(rows[0], { cells: ['1'], problems: [{ message: /^The row has 1 cells, .* has 2\./ }] })
  t.match(rows[1], { cells: ['1', '2', '3'], problems: [{ severity: 'error', column: null }] })
})

t.test('a line of delimiters is counted whole and keeps 100 surplus cells', async (t) => {
  const { rows } = await readCsv(`a,b\n${','.repeat(100_000)}\n"x"${','.repeat(100_000)}\n`)
  for (const { cells, problems } of rows) {
    t.equal(cells.length, 102)
    t.match(problems, [{ code: 'column_count', message: /has 100001 cells/ }])
  }
})

t.test('a row of exactly maxRowBytes is read, one byte more is too large', async (t) => {
  for (const newline of ['\n', '\r\n', '\r']) {
    const csv = ['a,b', '12345678,x', '123456789,x', '"123456",x', '"1234567",x', ''].join(newline)
    for (const windowBytes of [1, 5, 262_144]) {
      t.strictSame(await briefRows(csv, { maxRowBytes: 10, windowBytes }), [
        ['12345678', 'x'],
        'row_too_large',
        ['123456', 'x'],
        'row_too_large'
      ])
    }
  }
})

t.test('a column may be named like a property of every object', async (t) => {
  const { dialect, rows } = await readCsv('__proto__,1,constructor\na,b,c\n')
  t.strictSame(dialect.headers, ['__proto__', '1', 'constructor'])
  t.strictSame(rows[0]?.cells, ['a', 'b', 'c'])
})

const startHere = {
  from: { rows: 0, offset: 4, line: 2, blankRows: 0 },
  maxRowBytes: 131_072,
  batchRows: 10
}

t.test('chunks may be empty', async (t) => {
  async function* source() {
    yield Buffer.alloc(0)
    yield* chunksOf(Buffer.from('1,2\n'), 1)
    yield Buffer.alloc(0)
  }
  const batches = []
  for await (const batch of readRows(source(), sniffText('a,b\n1,2\n'), startHere)) {
    batches.push(batch.rows.map(brief))
  }
  t.strictSame(batches, [[['1', '2']]])
})
