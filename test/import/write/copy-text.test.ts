// COPY text format: what comes out of the database is what went in.

import t from 'tap'
import { copyNullable, copyText, copyTextArray } from '../../../src/import/write/copy-text.ts'

t.test('escapes what has a meaning in COPY', async (t) => {
  t.equal(copyText('plain'), 'plain')
  t.equal(copyText('a\tb\nc\rd\\e'), 'a\\tb\\nc\\rd\\\\e')
  t.equal(copyNullable(null), '\\N')
  t.equal(copyNullable('\\N'), '\\\\N')
})

t.test('writes arrays with quotes and backslashes', async (t) => {
  t.equal(copyTextArray(['a', 'b"c', 'd\\e', '', 'NULL']), '{"a","b\\\\"c","d\\\\\\\\e","","NULL"}')
  t.equal(copyTextArray(null), '\\N')
})
