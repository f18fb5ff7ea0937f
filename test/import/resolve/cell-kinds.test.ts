// Every kind of cell: what it takes, in which form it is kept, and what it refuses.

import t from 'tap'
import { cellKinds } from '../../../src/import/resolve/cell-kinds.ts'
import type { FieldKind, Json } from '../../../src/record-types/types.ts'

const taken: [FieldKind, string, Json][] = [
  ['text', 'Head of IT', 'Head of IT'],
  ['textbox', 'one\ntwo', 'one\ntwo'],
  ['boolean', 'True', true],
  ['boolean', 'YES', true],
  ['boolean', '1', true],
  ['boolean', 'false', false],
  ['boolean', 'No', false],
  ['boolean', '0', false],
  ['integer', '-42', -42],
  ['number', '3.50', 3.5],
  ['number', '.5', 0.5],
  ['date', '2024-02-29', '2024-02-29'],
  ['datetime', '2024-02-29T23:30:00+02:00', '2024-02-29T21:30:00.000Z'],
  ['datetime', '2024-02-29 23:30', '2024-02-29T23:30:00.000Z'],
  ['email', 'Ann.Lee+x@Mail.Example.com', 'Ann.Lee+x@Mail.Example.com'],
  ['email', 'jörg@exämple.de', 'jörg@exämple.de'],
  ['phone', '+1 (555) 010-2030 x12', '+1 (555) 010-2030 x12'],
  ['url', 'https://example.com/a?b=c', 'https://example.com/a?b=c'],
  ['host', 'https://www.Example.com/path', 'example.com'],
  ['host', 'example.co.uk.', 'example.co.uk']
]

const refused: [FieldKind, string][] = [
  ['text', 'one\ntwo'],
  ['boolean', 'perhaps'],
  ['integer', '1.5'],
  ['integer', '1e3'],
  ['number', '1,5'],
  ['number', 'NaN'],
  ['date', '2023-02-29'],
  ['date', '29/02/2024'],
  ['date', '2024-2-9'],
  ['datetime', '2024-13-01T00:00:00Z'],
  ['email', 'ann'],
  ['email', 'ann@example'],
  ['email', 'ann@@example.com'],
  ['email', 'ann lee@example.com'],
  ['email', '<ann@example.com>'],
  ['phone', 'call me'],
  ['phone', '12'],
  ['url', 'example.com'],
  ['url', 'javascript:alert(1)'],
  ['host', 'localhost'],
  ['host', 'exa mple.com'],
  ['reference', 'one\ntwo']
]

t.test('takes what is of the kind, in its normal form', async (t) => {
  for (const [kind, text, value] of taken) t.strictSame(cellKinds[kind].read(text), value, text)
})

t.test('refuses what is not of the kind', async (t) => {
  for (const [kind, text] of refused) t.equal(cellKinds[kind].read(text), undefined, text)
})

t.test('hostile text costs no more time than its length', async (t) => {
  const texts = [
    `${'a'.repeat(50_000)}@`,
    `a@${'b.'.repeat(25_000)}`,
    '1'.repeat(50_000),
    '-'.repeat(50_000)
  ]
  for (const kind of Object.values(cellKinds)) {
    for (const text of texts) kind.read(text)
  }
  t.pass('all patterns came to an end')
})
