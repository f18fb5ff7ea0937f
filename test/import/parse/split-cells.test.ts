// What we rely on inside csv-parser. These fail first when a new version of it works differently.

import csvParser from 'csv-parser'
import t from 'tap'
import { createCellSplitter } from '../../../src/import/parse/split-cells.ts'

function split(record: string, delimiter = ',') {
  const bytes = Buffer.from(record)
  const splitCells = createCellSplitter(delimiter)
  const encoding = /^[\0-\x7f]*$/.test(record) ? 'latin1' : 'utf8'
  return splitCells({ bytes, start: 0, end: bytes.length, encoding, escaped: /""/.test(record) })
}

t.test('csv-parser has the methods that are replaced and called', async (t) => {
  const parser = csvParser({ headers: false }) as unknown as Record<string, unknown>
  for (const name of ['parseLine', 'parseCell', 'parseValue', 'writeRow']) {
    t.type(parser[name], 'function', name)
  }
})

t.test('csv-parser splits the records and our writer of rows gets the cells', async (t) => {
  t.strictSame(split('"a","b"'), ['a', 'b'])
  t.strictSame(split('"a",b,"c"'), ['a', 'b', 'c'])
  t.strictSame(split('"a","",'), ['a', '', ''])
  t.strictSame(split('"a ""b""",""""'), ['a "b"', '"'])
  t.strictSame(split('"x\ny\r\nz","ü, ö"'), ['x\ny\r\nz', 'ü, ö'])
  t.strictSame(split('"ü ""ö""","漢"'), ['ü "ö"', '漢'])
  t.strictSame(split('"a;b";c', ';'), ['a;b', 'c'])
  t.strictSame(split('"a"\t"b\tc"', '\t'), ['a', 'b\tc'])
  t.strictSame(split('""'), [''])
})

t.test('a splitter keeps nothing from one record to the next', async (t) => {
  const splitCells = createCellSplitter(',')
  const read = (text: string, escaped: boolean) => {
    const bytes = Buffer.from(`xx${text},yy`)
    return splitCells({ bytes, start: 2, end: 2 + text.length, encoding: 'latin1', escaped })
  }
  t.strictSame(read('"a"",b"', true), ['a",b'])
  t.strictSame(read('"c","d"', false), ['c', 'd'])
  t.strictSame(read('"e"', false), ['e'])
})
