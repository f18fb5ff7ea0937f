// A stray quote costs its own line and nothing else: where the line is given up, where it is mended,
// where a record of several lines stays whole. Whole files for each class are in cases/.

import t from 'tap'
import { mendRecord } from '../../../src/import/parse/mend-record.ts'
import { createScan, scanRecord } from '../../../src/import/parse/scan-record.ts'
import { brief, briefRows, readCsv } from './read.ts'

t.test('rows behind a stray quote come out right, whatever the distance', async (t) => {
  const good = Array.from({ length: 20_000 }, (_, i) => [`${i}`, `name ${i}`, 'x, y'])
  const lines = good.map(([id, name, note]) => `${id},${name},"${note}"\n`)
  const plain = good.map(([id, name]) => `${id},${name},z\n`)
  for (const stray of ['0,"never closed,z\n', '0,a"b",z\n', '"0"x,b,z\n', '"0,b,z\n']) {
    for (const rest of [lines, plain]) {
      const { rows } = await readCsv(`id,name,note\n${stray}${rest.join('')}`)
      t.equal(rows.length, good.length + 1, stray)
      t.equal(rows.filter(({ problems }) => problems !== null).length <= 1, true, stray)
      t.match(rows.at(-1), { cells: ['19999', 'name 19999'], line: good.length + 2 })
    }
  }
})

t.test('a quote opened and not closed before maxRowBytes costs its line', async (t) => {
  const csv = `a,b\n1,"x\n${'2,y\n'.repeat(100)}3,"z"\n`
  for (const maxRowBytes of [10, 50, 1000]) {
    const rows = await briefRows(csv, { maxRowBytes, windowBytes: 16 })
    t.equal(rows.length, 102)
    t.equal(rows[0], 'open_quote')
    t.strictSame(rows.at(-1), ['3', 'z'])
    t.equal(rows.filter((row) => typeof row === 'string').length, 1)
  }
})

t.test('a damaged row shows the text between its delimiters, quotes and all', async (t) => {
  const { rows } = await readCsv('a,b,c\n1,"x,y\n"p"q,r,s\n2,y,z\n')
  t.match(rows, [
    { cells: ['1', '"x', 'y'], problems: [{ code: 'open_quote', severity: 'error' }] },
    { cells: ['"p"q', 'r', 's'], problems: [{ code: 'stray_quote', severity: 'error' }] },
    { cells: ['2', 'y', 'z'], problems: null }
  ])
})

t.test('several lines in quotes are one row when the cells are right', async (t) => {
  t.strictSame(await briefRows('a,b,c\n1,"x\ny,z\n\nw",2\n"p\n","q\r\n",r\n'), [
    ['1', 'x\ny,z\n\nw', '2'],
    ['p\n', 'q\r\n', 'r']
  ])
})

t.test('a record of many multi-line cells is one row', async (t) => {
  const header = Array.from({ length: 60 }, (_, i) => `h${i}`)
  const cells = header.map((name) => `${name}\nsecond line`)
  const csv = `${header.join(',')}\n${cells.map((cell) => `"${cell}"`).join(',')}\n`
  t.strictSame(await briefRows(csv), [cells])
})

t.test('quotes that are never in pairs cost one line each', async (t) => {
  const csv = `a,b,c\n${'x",y,"z\n'.repeat(500)}1,2,3\n`
  const rows = await briefRows(csv)
  t.equal(rows.length, 501)
  t.strictSame(rows.at(-1), ['1', '2', '3'])
})

t.test('an inch mark needs no quotes, half a pair is not guessed at', async (t) => {
  const row = async (cell: string) => (await briefRows(`a,b\n1,${cell}\n`))[0]
  for (const cell of ['5" pipe', '55"', '5\'10"', 'a"b', 'Bob "Bo" Ray', '2" x 4"', 'a""b']) {
    t.strictSame(await row(cell), ['1', cell])
  }
  for (const cell of ['Bob" Ray', 'say "hi', 'end"', '"x"y', '"x" y', '"a"b"c']) {
    t.equal(await row(cell), 'stray_quote', cell)
  }
})

t.test('a record is mended only when one meaning is left', async (t) => {
  const mend = (record: string) => {
    const bytes = Buffer.from(record)
    const mended = mendRecord(bytes, 0, bytes.length, 44)
    return mended && `${mended.cells}: ${mended.bytes}`
  }
  t.equal(mend('a,b'), '2: a,b')
  t.equal(mend('a, "b" ,5" pipe'), '3: a,"b","5"" pipe"')
  t.equal(mend('"5" pipe",1'), '2: "5"" pipe",1')
  t.equal(mend('"a""b","c" d"'), '2: "a""b","c"" d"')
  t.equal(mend('"x"y,1'), null)
  t.equal(mend('"x"y,"z",w'), null)
  t.equal(mend('"a "b", c",d'), null)
  t.equal(mend('a,"b'), null)
  t.equal(mend('"a\nb" ,c'), '2: "a\nb",c')
  t.equal(mend(''), '1: ')
})

t.test('a scan says what it found, and when more bytes are needed', async (t) => {
  const scan = createScan(44, 2)
  const look = (text: string, atEnd = false, maxBytes = 100) =>
    scanRecord(scan, Buffer.from(text), 0, text.length, atEnd, maxBytes)
  t.equal(look('a,"b'), 'more')
  t.equal(look('a,"b"'), 'more')
  t.equal(look('a,"b"\n'), 'ended')
  t.match(scan, { cells: 2, lines: 1, end: 5, quotedFrom: 2, quotedTo: 5, loose: false })
  t.equal(look('a,"b\n""c"', true), 'ended')
  t.match(scan, { cells: 2, lines: 2, end: 9, escaped: true })
  t.equal(look('a,"b\nc', true), 'open')
  t.equal(look('a,"b"c,d'), 'stray')
  t.equal(look('a,"b\ncd\n', false, 5), 'long')
  t.equal(look('a,b,"c\nd"\n'), 'stray', 'more cells than the header when a line ends in quotes')
  t.equal(look('a,b,"c",d\n'), 'ended')
})

t.test('what a row is does not depend on the rows before it', async (t) => {
  const lines = ['1,"x', '2,y', '"p"q,r', '3,"a\nb"', '4,5" z', 'x",y,"z', '5,"q']
  const whole = await readCsv(`a,b\n${lines.join('\n')}\n`)
  for (const { offset } of whole.rows) {
    const rest = Buffer.from(`a,b\n${lines.join('\n')}\n`).subarray(offset)
    const alone = await readCsv(`a,b\n${rest}`)
    const expected = whole.rows.filter((row) => row.offset >= offset).map(brief)
    t.strictSame(alone.rows.map(brief), expected)
  }
})
