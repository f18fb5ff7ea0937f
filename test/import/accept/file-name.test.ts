// Names of files are hostile text: shown safely, never used as a path.

import t from 'tap'
import { attachment, cleanFileName } from '../../../src/import/accept/file-name.ts'

const cases: [string, string | undefined, string][] = [
  ['an ordinary name stays', 'contacts.csv', 'contacts.csv'],
  ['letters of any script stay', 'Kontakte Österreich 東京.csv', 'Kontakte Österreich 東京.csv'],
  ['folders go', '../../etc/passwd', 'passwd'],
  ['folders of Windows go', 'C:\\Users\\ann\\contacts.csv', 'contacts.csv'],
  ['control characters go', 'a\u0000b\r\nSet-Cookie: x\u001b.csv', 'abSet-Cookie: x.csv'],
  ['characters that turn the text around go', 'invoice\u202Evsc.exe', 'invoicevsc.exe'],
  ['half of a surrogate pair is replaced', 'a\ud800.csv', 'a\ufffd.csv'],
  ['only dots are no name', '..', 'upload.csv'],
  ['no name gets one', undefined, 'upload.csv'],
  ['only spaces are no name', '   ', 'upload.csv']
]
for (const [title, given, wanted] of cases) {
  t.test(title, async (t) => t.equal(cleanFileName(given), wanted))
}

t.test('a long name is cut to 255 characters, not inside a character', async (t) => {
  const name = cleanFileName('😀'.repeat(500))
  t.ok(name.length <= 255)
  t.equal(name, name.toWellFormed())
})

t.test('a download header holds nothing but the name, whatever the name holds', async (t) => {
  const name = 'a"; filename="evil.exe\\%41é\'(1)*.csv'
  const header = attachment(name)
  t.match(header, /^attachment; filename="[^"\\%]*"; filename\*=UTF-8''[A-Za-z0-9%._~!-]*$/)
  t.equal(decodeURIComponent(header.split("UTF-8''")[1] ?? ''), name)
})
