// Tells text from everything else that gets named .csv. In: the first bytes of a file. Out: the
// length of a byte order mark, or an error that names what was found. Called by sniff.ts.

import { appError } from '../../errors.ts'
import { NUL } from './bytes.ts'

/** Longest match first; bytes written as latin1. */
const byteOrderMarks: [name: string, bytes: string][] = [
  ['UTF-32LE', '\xff\xfe\0\0'],
  ['UTF-32BE', '\0\0\xfe\xff'],
  ['UTF-16LE', '\xff\xfe'],
  ['UTF-16BE', '\xfe\xff']
]

const signatures: [name: string, bytes: string][] = [
  ['a gzip archive', '\x1f\x8b'],
  ['a ZIP archive', 'PK\x05\x06'],
  ['an Excel or other Office file of the old format (OLE)', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
  ['a PDF document', '%PDF-'],
  ['a PNG image', '\x89PNG\r\n\x1a\n'],
  ['a JPEG image', '\xff\xd8\xff'],
  ['a GIF image', 'GIF87a'],
  ['a GIF image', 'GIF89a'],
  ['an ELF program', '\x7fELF'],
  ['a Java class file', '\xca\xfe\xba\xbe'],
  ['a bzip2 archive', 'BZh91AY&SY'],
  ['an xz archive', '\xfd7zXZ\0'],
  ['a zstd archive', '\x28\xb5\x2f\xfd'],
  ['a 7-Zip archive', '7z\xbc\xaf\x27\x1c'],
  ['a RAR archive', 'Rar!\x1a\x07'],
  ['an SQLite database', 'SQLite format 3\0'],
  ['an RTF document', '{\\rtf']
]

const markup: [name: string, pattern: RegExp][] = [
  ['an HTML page', /^\s*<(!doctype\s+html|html|head|body|table)\b/i],
  ['an XML document', /^\s*<\?xml\b/i],
  ['JSON', /^\s*(\{\s*"|\[\s*\{)/]
]

/** Length of the UTF-8 byte order mark (0 or 3). Throws encoding_unsupported for UTF-16 and UTF-32,
 *  with or without a mark, and not_csv for known other formats and binary data. */
export function checkContent(head: Buffer): number {
  // No signature is longer than the text that markup is looked for in.
  const start = head.toString('latin1', 0, 1024)
  const encoding =
    byteOrderMarks.find(([, bytes]) => start.startsWith(bytes))?.[0] ?? guessWideEncoding(head)
  if (encoding) throw appError('encoding_unsupported', { found: encoding })
  const mark = start.startsWith('\xef\xbb\xbf') ? 3 : 0
  const found = findFormat(head, start, start.slice(mark))
  if (found) throw appError('not_csv', { found })
  return mark
}

function findFormat(head: Buffer, start: string, text: string): string | null {
  if (start.startsWith('PK\x03\x04')) return nameZip(head)
  const signature = signatures.find(([, bytes]) => start.startsWith(bytes))
  if (signature) return signature[0]
  // Two letters may begin a header as well; a program has NUL bytes right behind them.
  if (start.startsWith('MZ') && start.slice(0, 64).includes('\0')) return 'a Windows program'
  const document = markup.find(([, pattern]) => pattern.test(text))
  if (document) return document[0]
  return hasManyNuls(head) ? 'binary data (NUL bytes)' : null
}

/** What is packed in the ZIP archive, as far as its first names tell. */
function nameZip(head: Buffer): string {
  if (head.includes('mimetypeapplication/vnd.oasis.opendocument')) return 'an OpenDocument file'
  if (head.includes('xl/')) return 'an Excel workbook (.xlsx)'
  if (head.includes('[Content_Types].xml')) return 'an Office file (.xlsx, .docx or the like)'
  return 'a ZIP archive'
}

/** A stray NUL is the problem of one row; a file full of them is no text. */
function hasManyNuls(head: Buffer): boolean {
  let count = 0
  for (let i = head.indexOf(NUL); i !== -1; i = head.indexOf(NUL, i + 1)) {
    count++
    if (count >= 4 && count * 100 > head.length) return true
  }
  return false
}

/** UTF-16 or UTF-32 without a mark: Latin letters have their NUL bytes always at the same places. */
function guessWideEncoding(head: Buffer): string | null {
  const length = Math.min(head.length, 2048) & ~3
  if (length < 4) return null
  const share = [0, 0, 0, 0]
  for (let i = 0; i < length; i++)
    if (head[i] === NUL) share[i % 4] = (share[i % 4] ?? 0) + 4 / length
  const zero = share.map((part) => (part > 0.6 ? '0' : part < 0.05 ? 'x' : '?')).join('')
  const names: Record<string, string> = {
    x0x0: 'UTF-16LE',
    '0x0x': 'UTF-16BE',
    x000: 'UTF-32LE',
    '000x': 'UTF-32BE'
  }
  return names[zero] ?? null
}
