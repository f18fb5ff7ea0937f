// Files are stored unpacked and as UTF-8, however they were sent, in any cuts.

import { gzipSync } from 'node:zlib'
import t from 'tap'
import { convert } from '../../../src/import/accept/convert.ts'

const text = 'Name,Stadt\nÄnne,Köln €\n'
const wide = Buffer.from(`\ufeff${text}`, 'utf16le')
const big = Buffer.from(wide).swap16()
const western = Buffer.from('Name,Stadt\nÄnne,Köln \x80\n', 'latin1')

async function run(bytes: Buffer, given = {}, cut = bytes.length) {
  const facts = { gzip: false, encoding: null, marked: false }
  async function* source() {
    for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut)
  }
  const settings = { encoding: null, packed: false, maxBytes: 1e6, ...given }
  const chunks: Buffer[] = []
  for await (const chunk of convert(source(), settings, facts)) chunks.push(chunk)
  return { text: Buffer.concat(chunks).toString(), facts }
}

const gzipped = { gzip: true, encoding: null, marked: false }
const cases: [string, Buffer, object, object][] = [
  ['UTF-8 as it is', Buffer.from(text), {}, { gzip: false, encoding: null, marked: false }],
  ['UTF-8 that is named', Buffer.from(text), { encoding: 'utf-8' }, { encoding: null }],
  ['gzip', gzipSync(text), {}, gzipped],
  [
    'several gzip members',
    Buffer.concat([gzipSync(text.slice(0, 9)), gzipSync(text.slice(9))]),
    {},
    gzipped
  ],
  ['gzip by the request', gzipSync(text), { packed: true }, gzipped],
  [
    'a packed file that the request packed again',
    gzipSync(gzipSync(text)),
    { packed: true },
    gzipped
  ],
  ['UTF-16LE with a mark', wide, {}, { encoding: 'utf-16le', marked: true }],
  ['UTF-16BE with a mark', big, {}, { encoding: 'utf-16be', marked: true }],
  ['UTF-16 with a mark, whatever is said', wide, { encoding: 'windows-1252' }, { marked: true }],
  ['packed UTF-16', gzipSync(wide), {}, { gzip: true, encoding: 'utf-16le', marked: true }],
  ['UTF-16 that is named', wide.subarray(2), { encoding: 'utf-16le' }, { encoding: 'utf-16le' }],
  ['windows-1252', western, { encoding: 'windows-1252' }, { encoding: 'windows-1252' }]
]
for (const [title, bytes, given, facts] of cases) {
  t.test(`stores ${title}`, async (t) => {
    for (const cut of [bytes.length, 1, 3]) {
      const result = await run(bytes, given, cut)
      t.equal(result.text, text, `in cuts of ${cut}`)
      t.match(result.facts, facts)
    }
  })
}

t.test('a UTF-8 mark is surer than the encoding that is named', async (t) => {
  const { text: stored } = await run(Buffer.from(`\ufeff${text}`), { encoding: 'windows-1252' })
  t.equal(stored, `\ufeff${text}`)
})

t.test('keeps little and nothing as it is', async (t) => {
  for (const short of ['', 'a', '\x1f', 'ab']) t.equal((await run(Buffer.from(short))).text, short)
})

const faults: [string, Buffer, object, string][] = [
  ['gzip that is cut off', gzipSync(text.repeat(99)).subarray(0, 60), {}, 'gzip_invalid'],
  ['gzip that is damaged', Buffer.from(gzipSync(text).fill(7, 12, 20)), {}, 'gzip_invalid'],
  ['a body that is no gzip', Buffer.from(text), { packed: true }, 'gzip_invalid'],
  ['half a UTF-16 character', wide.subarray(0, -1), {}, 'encoding_mismatch'],
  ['bytes outside of the encoding', western, { encoding: 'shift_jis' }, 'encoding_mismatch'],
  ['more than the limit when unpacked', gzipSync(Buffer.alloc(2e6)), {}, 'too_large'],
  ['more than the limit in UTF-8', Buffer.alloc(6e5, 0xe4), { encoding: 'latin1' }, 'too_large']
]
for (const [title, bytes, given, code] of faults) {
  t.test(`refuses ${title}`, async (t) => {
    await t.rejects(run(bytes, given), { code })
    await t.rejects(run(bytes, given, 1000), { code })
  })
}

t.test('hands on what the source throws, not what unpacking makes of it', async (t) => {
  async function* source() {
    yield gzipSync(text.repeat(99)).subarray(0, 50)
    throw new Error('cut off')
  }
  const facts = { gzip: false, encoding: null, marked: false }
  const settings = { encoding: null, packed: false, maxBytes: 1e6 }
  await t.rejects(async () => {
    for await (const _ of convert(source(), settings, facts));
  }, /cut off/)
})

t.test('a bomb is given up at the limit, however far it would expand', async (t) => {
  // 1 GB of zeros is 1 MB packed.
  const piece = gzipSync(Buffer.alloc(16e6))
  const bomb = Buffer.concat(Array(64).fill(piece))
  const before = process.memoryUsage().arrayBuffers
  await t.rejects(run(bomb, { maxBytes: 5e6 }), { code: 'too_large' })
  t.ok(process.memoryUsage().arrayBuffers - before < 64e6)
})
