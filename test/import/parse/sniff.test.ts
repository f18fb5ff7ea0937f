// How a file is to be read, found from its first bytes. More files are in cases/.

import t from 'tap'
import { type SniffOptions, sniffCsv } from '../../../src/import/parse/sniff.ts'
import { readFrom, startOf } from './read.ts'

const options: SniffOptions = {
  isWhole: true,
  delimiter: null,
  maxColumns: 512,
  maxRowBytes: 1000
}

function sniff(csv: string | Buffer, more: Partial<SniffOptions> = {}) {
  return sniffCsv(Buffer.from(csv as string), { ...options, ...more })
}

/** `place`: where the data begin, for any text in front of `1,2`. */
function place(head: string) {
  const { dataOffset, dataLine } = sniff(`${head}1,2\n`)
  return { dataOffset, dataLine, wanted: Buffer.byteLength(head) }
}

t.test('data begin right behind the header, whatever is in front of it', async (t) => {
  const heads: [string, number][] = [
    ['a,b\n', 2],
    ['a,b\r\n', 2],
    ['\ufeffa,b\n', 2],
    ['\n \r\n\ra,b\n', 5],
    ['sep=,\na,b\n', 3],
    ['\ufeffsep=,\r\n\r\na,b\r\n', 4],
    ['"a\nb","c\r\nd"\n', 4],
    ['\n\nsep=,\n"ä\rö",b\n', 6]
  ]
  for (const [head, line] of heads) {
    const { dataOffset, dataLine, wanted } = place(head)
    t.equal(dataOffset, wanted, JSON.stringify(head))
    t.equal(dataLine, line, JSON.stringify(head))
  }
})

t.test('the place where data begin does not depend on how much of the file is known', async (t) => {
  const file = Buffer.from('sep=;\r\n\r\n"a\r\nb";c\r\n1;2\r\n')
  const whole = sniff(file)
  for (let length = file.indexOf('1;2'); length < file.length; length++) {
    t.strictSame(sniff(file.subarray(0, length), { isWhole: false }), whole)
  }
})

t.test('a line end cut in half belongs to the header', async (t) => {
  const file = Buffer.from('a,b\r\n1,2\r\n')
  t.throws(() => sniff(file.subarray(0, 4), { isWhole: false }), { code: 'header_invalid' })
  t.equal(sniff(file.subarray(0, 5), { isWhole: false }).dataOffset, 5)
})

t.test('the delimiter is the one by which most rows agree with the header', async (t) => {
  const files: [string, string][] = [
    ['a,b\n1,2\n', ','],
    ['a;b\n1,5;2,5\n', ';'],
    ['a\tb, c\n1\t2\n', '\t'],
    ['a|b|c\n1|2|3\n', '|'],
    ['a|x,b|y,c|z\n1,2,3\n4,5,6\n', ','],
    ['"a;b";"c,d,e"\n1;2\n', ';'],
    ['a;b,c\n1;"x\ny,z"\n3;4\n', ';'],
    ['a,b,c\n1,2\n1,2,3;4\n', ','],
    ['name\nSmith; John\n', ','],
    ['sep=|\na|b\n1|2\n', '|']
  ]
  for (const [csv, delimiter] of files) t.equal(sniff(csv).delimiter, delimiter, csv)
})

t.test('a delimiter that is asked for wins, also over a sep= line', async (t) => {
  t.equal(sniff('sep=;\na:b\n1:2\n', { delimiter: ':' }).delimiter, ':')
  for (const delimiter of ['', ',,', 'a', '7', '"', '\n', '\0', 'é']) {
    t.throws(() => sniff('a,b\n1,2\n', { delimiter }), { code: 'invalid_option' }, delimiter)
  }
})

t.test('a sep= line without a usable delimiter is the header', async (t) => {
  t.strictSame(sniff('sep=ab\nx\n').headers, ['sep=ab'])
  t.strictSame(sniff('sep=a\nx\n').headers, ['sep=a'])
})

t.test('line ends are looked for outside quotes', async (t) => {
  t.equal(sniff('"a\nb",c\r\n1,2\r\n').newline, '\r\n')
  t.equal(sniff('"a\r\nb",c\r1,2').newline, '\r')
  t.equal(sniff('a,b\n1,"2\r\n"\n').newline, '\n')
  t.equal(sniff('a,b\r\n1,2\n').newline, '\n')
})

t.test('names are trimmed, kept in order and never used as keys', async (t) => {
  const { headers } = sniff(' id ,__proto__,,id,"\u00a0x "\n1,2,3,4,5\n')
  t.strictSame(headers, ['id', '__proto__', '', 'id', 'x'])
})

t.test('too many columns are counted before they are split', async (t) => {
  const header = Array.from({ length: 513 }, (_, i) => `c${i}`).join(',')
  const limits = { maxRowBytes: 262_144 }
  t.throws(() => sniff(`${header}\n1\n`, limits), { code: 'too_many_columns' })
  t.throws(() => sniff(`${','.repeat(200_000)}\n1\n`, limits), {
    message: 'The header has 200001 columns; the limit is 512.'
  })
})

t.test('a header without an end is refused', async (t) => {
  t.throws(() => sniff('x'.repeat(1001), { isWhole: false }), { code: 'header_invalid' })
  t.throws(() => sniff(`"${'x\n'.repeat(600)}`, { isWhole: false }), {
    code: 'header_invalid',
    message: /opened on line 1/
  })
  t.throws(() => sniff('\n'.repeat(500), { isWhole: false }), { code: 'header_missing' })
})

t.test('the byte of the header that is no UTF-8 is named', async (t) => {
  const header = Buffer.from('\n\nid,größe\n1,2\n', 'latin1')
  t.throws(() => sniff(header), { code: 'encoding_invalid', message: /Line 3 .*byte 7 of/ })
  // Rows are judged one by one later.
  const row = Buffer.from('id,size\n1,größe\n', 'latin1')
  t.equal(sniff(row).headers.length, 2)
})

t.test('a character cut at the end of what is known is no reason to name a byte', async (t) => {
  const cut = Buffer.from('é'.repeat(20)).subarray(0, -1)
  t.throws(() => sniff(cut, { isWhole: false }), { code: 'header_invalid' })
})

t.test('a file without rows is only known as such when all of it is known', async (t) => {
  t.throws(() => sniff('a,b\n\n'), { code: 'no_rows' })
  t.strictSame(sniff('a,b\n\n', { isWhole: false }).headers, ['a', 'b'])
})

t.test('sniffing leaves the bytes as they are', async (t) => {
  const head = Buffer.from('"a ""b""","c"\n1,2\n')
  const before = Buffer.from(head)
  t.strictSame(sniff(head) && sniffCsv(head, options).headers, ['a "b"', 'c'])
  t.ok(head.equals(before))
})

t.test('a file of header and blank lines has no batch with rows', async (t) => {
  const bytes = Buffer.from('a,b\n\n\n')
  const dialect = sniff(bytes, { isWhole: false })
  const { rows, ends } = await readFrom(bytes, dialect, startOf(dialect))
  t.strictSame(rows, [])
  t.strictSame(ends, [{ rows: 0, offset: 6, line: 4, blankRows: 2 }])
})
