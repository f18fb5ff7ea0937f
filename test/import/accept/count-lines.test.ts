// Lines are counted as they pass: exactly without quotes, and up to the first quote otherwise.

import t from 'tap'
import { createLineCounter } from '../../../src/import/accept/count-lines.ts'

const cases: [string, string, { lines: number; quoted: boolean }][] = [
  ['nothing', '', { lines: 0, quoted: false }],
  ['lines', 'a\nb\nc\n', { lines: 3, quoted: false }],
  ['a last line without an end', 'a\nb', { lines: 2, quoted: false }],
  ['no blank lines', '\na\r\n\r\n \t\n b\n\n', { lines: 2, quoted: false }],
  ['lines before the first quote', 'a\nb\nc,"d\ne"\nf\n', { lines: 3, quoted: true }],
  ['nothing behind a quote at once', '"a"\nb\n', { lines: 0, quoted: true }]
]
for (const [title, text, count] of cases) {
  t.test(`counts ${title}`, async (t) => {
    for (const size of [100, 1, 2]) {
      const counter = createLineCounter()
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; at += size) counter.add(bytes.subarray(at, at + size))
      t.same(counter.count, count, `in cuts of ${size}`)
    }
  })
}
