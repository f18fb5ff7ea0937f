// Files that are named .csv and are something else.

import { gzipSync } from 'node:zlib'
import t from 'tap'
import { checkContent } from '../../../src/import/parse/sniff-content.ts'

const filler = '\x01\x02\x03 and more bytes of it'

t.test('other formats are named by what they are', async (t) => {
  const files: [Buffer | string, RegExp][] = [
    ['PK\x03\x04\x14\0xl/workbook.xml', /Excel workbook/],
    ['PK\x03\x04\x14\0\x06[Content_Types].xml', /Office file/],
    ['PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet', /OpenDocument/],
    ['PK\x03\x04\x14\0file.csv', /ZIP archive/],
    ['PK\x05\x06\0\0\0\0', /ZIP archive/],
    [gzipSync('a,b\n1,2\n'), /gzip/],
    [Buffer.from('d0cf11e0a1b11ae1', 'hex'), /old format/],
    ['MZ\x90\0\x03\0\0\0\x04', /Windows program/],
    ['\x7fELF\x02\x01\x01\0', /ELF/],
    ['%PDF-1.7\n', /PDF/],
    ['\x89PNG\r\n\x1a\n\0\0\0\rIHDR', /PNG/],
    ['\xff\xd8\xff\xe0\0\x10JFIF', /JPEG/],
    ['GIF89a\x01\0', /GIF/],
    ['SQLite format 3\0', /SQLite/],
    ['7z\xbc\xaf\x27\x1c', /7-Zip/],
    ['\x28\xb5\x2f\xfd\x04', /zstd/],
    ['  <!doctype html><title>x', /HTML/],
    ['<HTML lang=en>', /HTML/],
    ['\xef\xbb\xbf<?xml version="1.0"?>', /XML/],
    ['{ "id": 1 }', /JSON/],
    [`a,b\n\0\0\0\0${filler}`, /NUL/]
  ]
  for (const [file, found] of files) {
    const bytes = typeof file === 'string' ? Buffer.from(file, 'latin1') : file
    t.throws(() => checkContent(bytes), { code: 'not_csv', message: found }, String(found))
  }
})

t.test('UTF-16 and UTF-32 are named, with and without a byte order mark', async (t) => {
  const text = 'name,city\r\nAnn,Oslo\r\nBjörn,Malmö\r\n'
  const little = Buffer.from(text, 'utf16le')
  const big = Buffer.from(little).swap16()
  const wide = Buffer.alloc(little.length * 2)
  for (let i = 0; i < text.length; i++) wide.writeUInt32LE(text.charCodeAt(i), i * 4)
  const wideBig = Buffer.from(wide).swap32()
  const mark = (hex: string, bytes: Buffer) => Buffer.concat([Buffer.from(hex, 'hex'), bytes])
  const files: [Buffer, string][] = [
    [little, 'UTF-16LE'],
    [big, 'UTF-16BE'],
    [wide, 'UTF-32LE'],
    [wideBig, 'UTF-32BE'],
    [mark('fffe', little), 'UTF-16LE'],
    [mark('feff', big), 'UTF-16BE'],
    [mark('fffe0000', wide), 'UTF-32LE'],
    [mark('0000feff', wideBig), 'UTF-32BE']
  ]
  for (const [bytes, name] of files) {
    const expected = { code: 'encoding_unsupported', message: new RegExp(`as ${name}\\.`) }
    t.throws(() => checkContent(bytes), expected, name)
  }
})

t.test('text passes, also when it looks a little like something else', async (t) => {
  const texts = [
    'MZ,PK,GIF\n1,2,3\n',
    '[id],[name]\n1,2\n',
    '{id},{name}\n1,2\n',
    '<id>,<name>\n1,2\n',
    '%PDF,x\n1,2\n',
    `a,b\n1,\0\n2,${'x'.repeat(20)}\n`,
    'größe,名前\n1,2\n'
  ]
  for (const text of texts) t.equal(checkContent(Buffer.from(text)), 0, JSON.stringify(text))
  t.equal(checkContent(Buffer.from('\ufeffa,b\n')), 3)
  t.equal(checkContent(Buffer.alloc(0)), 0)
})
