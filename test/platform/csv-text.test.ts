// CSV that leaves the service: quoted where it must be, and harmless in a spreadsheet program.

import t from 'tap'
import { csvLine, escapeFormula } from '../../src/platform/csv-text.ts'

t.test('quotes delimiters, quotes, line breaks and outer spaces, and nothing else', async (t) => {
  t.equal(csvLine(['a', 'b c', 1, null, undefined]), 'a,b c,1,,\r\n')
  t.equal(csvLine(['a,b', 'say "hi"', 'x\ny', ' z ']), '"a,b","say ""hi""","x\ny"," z "\r\n')
  t.equal(csvLine(['a,b', 'c;d'], ';'), 'a,b;"c;d"\r\n')
})

t.test('puts a quote in front of what would run as a formula', async (t) => {
  for (const start of ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
    t.equal(escapeFormula(`${start}1`), `'${start}1`)
  }
  for (const plain of ['', 'a=1', '1-2', "it's", "'tis", ' =1'])
    t.equal(escapeFormula(plain), plain)
})

t.test('taking one quote off again gives back exactly what was', async (t) => {
  const off = (cell: string) => cell.replace(/^'('*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])/, '$1')
  for (const cell of ['=1', "'=1", "''=1", "'a", 'a', '-5']) {
    t.equal(off(escapeFormula(cell)), cell)
  }
})

t.test('numbers are written as numbers', async (t) => {
  t.equal(csvLine([-5, 0]), '-5,0\r\n')
})
