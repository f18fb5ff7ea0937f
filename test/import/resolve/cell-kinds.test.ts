// Every kind of cell: what it takes, in which form it is kept, and what it refuses.

import t from 'tap'
import { cellReader } from '../../../src/import/resolve/cell-kinds.ts'
import { field } from '../../../src/record-types/define-field.ts'
import {
  type Field,
  type FieldKind,
  fieldKinds,
  type Json
} from '../../../src/record-types/types.ts'

type Rest = Partial<Field>

/** The reader of a made-up field. */
const reader = (kind: FieldKind, rest: Rest = {}, default_country: string | null = null) =>
  cellReader(field('f', 'F', kind, 'Made up.', rest), { default_country })

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
  ['integer', '-0', 0],
  ['number', '3.50', 3.5],
  ['number', '.5', 0.5],
  ['percent', '50%', 50],
  ['percent', '12.5 %', 12.5],
  ['percent', '7', 7],
  ['date', '2024-02-29', '2024-02-29'],
  ['date', '2000-02-29', '2000-02-29'],
  ['datetime', '2024-02-29T23:30:00+02:00', '2024-02-29T21:30:00.000Z'],
  ['datetime', '2024-02-29 23:30', '2024-02-29T23:30:00.000Z'],
  ['datetime', '2024-12-31T23:30:05.1234-0130', '2025-01-01T01:00:05.123Z'],
  ['email', 'Ann.Lee+x@Mail.Example.com', 'Ann.Lee+x@mail.example.com'],
  ['email', 'jörg@exämple.de', 'jörg@exämple.de'],
  ['phone', '+1 (555) 010-2030 x12', '+15550102030 x12'],
  ['phone', '+1 555 010 2030 ext. 12', '+15550102030 x12'],
  ['phone', '+49 (0)30 123 456', '+4930123456'],
  ['phone', '+15550102030', '+15550102030'],
  ['phone', '030 / 123 456', '030 / 123 456'],
  ['url', 'https://example.com/a?b=c', 'https://example.com/a?b=c'],
  ['host', 'https://www.Example.com/path', 'example.com'],
  ['host', 'example.co.uk.', 'example.co.uk'],
  ['host', '.example.com:8080', 'example.com'],
  ['host', '*.Example.com', '*.example.com'],
  ['host', 'Müller.example', 'xn--mller-kva.example'],
  ['ip', '192.0.2.10', '192.0.2.10'],
  ['ip', '2001:DB8:0:0:0:0:0:10', '2001:db8::10'],
  ['mac', '00:1a:2b:3c:4d:5e', '00:1A:2B:3C:4D:5E'],
  ['mac', '00-1A-2B-3C-4D-5E', '00:1A:2B:3C:4D:5E'],
  ['mac', '001a.2b3c.4d5e', '00:1A:2B:3C:4D:5E'],
  ['mac', '001A2B3C4D5E', '00:1A:2B:3C:4D:5E'],
  ['password', ' p"a,ss|w%rd ', ' p"a,ss|w%rd '],
  ['reference', 'Happy Frog', 'Happy Frog'],
  ['json', '[{"name": "eth0"}]', [{ name: 'eth0' }]],
  ['json', '"text"', 'text']
]

const refused: [FieldKind, string, string][] = [
  ['text', 'one\ntwo', 'line_break'],
  ['text', 'one\rtwo', 'line_break'],
  ['boolean', 'perhaps', 'invalid_boolean'],
  ['integer', '1.5', 'invalid_number'],
  ['integer', '1e3', 'invalid_number'],
  ['number', '1,5', 'invalid_number'],
  ['number', 'NaN', 'invalid_number'],
  ['number', '9'.repeat(400), 'invalid_number'],
  ['percent', '50%%', 'invalid_percent'],
  ['percent', '%', 'invalid_percent'],
  ['date', '2023-02-29', 'invalid_date'],
  ['date', '1900-02-29', 'invalid_date'],
  ['date', '2023-04-31', 'invalid_date'],
  ['date', '0000-01-01', 'invalid_date'],
  ['date', '29/02/2024', 'invalid_date'],
  ['date', '24/02/29', 'invalid_date'],
  ['date', '2024-2-9', 'invalid_date'],
  ['date', '2024-0a-09', 'invalid_date'],
  ['datetime', '2024-13-01T00:00:00Z', 'invalid_datetime'],
  ['datetime', '2024-12-01T24:00:00Z', 'invalid_datetime'],
  ['datetime', '2024-12-01T23:60', 'invalid_datetime'],
  ['datetime', '2024-12-01', 'invalid_datetime'],
  ['email', 'ann', 'invalid_email'],
  ['email', 'ann@example', 'invalid_email'],
  ['email', 'ann@@example.com', 'invalid_email'],
  ['email', 'ann lee@example.com', 'invalid_email'],
  ['email', '<ann@example.com>', 'invalid_email'],
  ['phone', 'call me', 'invalid_phone'],
  ['phone', '12', 'invalid_phone'],
  ['phone', '+123', 'invalid_phone'],
  ['phone', '+1234567890123456', 'invalid_phone'],
  ['phone', '(--------)', 'invalid_phone'],
  ['url', 'example.com', 'invalid_url'],
  ['url', 'javascript:alert(1)', 'invalid_url'],
  ['host', 'localhost', 'invalid_host'],
  ['host', 'exa mple.com', 'invalid_host'],
  ['host', `${'a'.repeat(64)}.com`, 'invalid_host'],
  ['ip', '192.0.2.256', 'invalid_ip'],
  ['ip', '192.0.2.1/24', 'invalid_ip'],
  ['ip', 'fe80::1%eth0', 'invalid_ip'],
  ['mac', '00:1A:2B:3C:4D', 'invalid_mac'],
  ['mac', '00:1A-2B:3C:4D:5E', 'invalid_mac'],
  ['mac', '00:1A:2B:3C:4D:5E, 00:1A:2B:3C:4D:5F', 'invalid_mac'],
  ['password', 'one\ntwo', 'line_break'],
  ['reference', 'one\ntwo', 'line_break'],
  ['json', '{name: 1}', 'invalid_json'],
  ['json', 'null', 'invalid_json'],
  ['json', '["\\u0000"]', 'invalid_json'],
  ['json', '{"\\ud800": 1}', 'invalid_json'],
  ['json', '1e400', 'invalid_json'],
  ['json', '['.repeat(5000) + ']'.repeat(5000), 'invalid_json']
]

t.test('takes what is of the kind, in its normal form', async (t) => {
  for (const [kind, text, value] of taken) t.strictSame(reader(kind).read(text), value, text)
})

t.test('a normal form is read as itself', async (t) => {
  for (const [kind, , value] of taken) {
    if (typeof value === 'string' && kind !== 'json') t.equal(reader(kind).read(value), value)
  }
})

t.test('refuses what is not of the kind, and says so', async (t) => {
  for (const [kind, text, code] of refused) {
    t.equal(reader(kind).read(text), undefined, text.slice(0, 80))
    t.equal(reader(kind).problem(text).code, code)
  }
})

t.test('a select takes its options to the letter', async (t) => {
  const select = reader('select', {
    options: ['gold', 'silver'],
    option_labels: { gold: 'Gold plan', silver: 'Silver plan' }
  })
  t.equal(select.read('gold'), 'gold')
  t.equal(select.read('Gold'), undefined)
  t.strictSame(select.problem('Gold'), {
    code: 'invalid_enum',
    args: { options: 'gold, silver' }
  })
  t.equal(select.read('Gold plan'), undefined)
  t.strictSame(select.problem('gold plan'), {
    code: 'label_instead_of_tag',
    args: { tag: 'gold' }
  })
  t.equal(reader('select').read('constructor'), undefined, 'no options, no value')
})

t.test('texts may have a form of their own', async (t) => {
  const hex = reader('text', { format: 'hex24' })
  t.equal(hex.read('666C2C2F32735479FD3E9A5C'), '666c2c2f32735479fd3e9a5c')
  t.equal(hex.read('666c2c2f32735479fd3e9a5'), undefined)
  t.match(hex.problem('x'), { code: 'invalid_format', args: { expected: /24/ } })
  const base32 = reader('text', { format: 'base32' })
  t.equal(base32.read('jbsw y3dp-ehpk 3pxp'), 'JBSWY3DPEHPK3PXP')
  t.equal(base32.read('JBSWY3DP1EHPK3PXP'), undefined)
})

t.test('a secret with a form is kept as it was typed', async (t) => {
  const secret = reader('password', { format: 'base32' })
  t.equal(secret.read('jbsw y3dp ehpk 3pxp'), 'jbsw y3dp ehpk 3pxp')
  t.equal(secret.read('not base32!'), undefined)
  t.equal(reader('textbox', { sensitive: true }).read('a\nb'), 'a\nb')
})

t.test('short dates are taken where the field says so', async (t) => {
  const date = reader('date', { short_dates: true })
  t.equal(date.read('24/02/29'), '2024-02-29')
  t.equal(date.read('69/12/31'), '2069-12-31')
  t.equal(date.read('70/01/01'), '1970-01-01')
  t.equal(date.read('2024-02-29'), '2024-02-29')
  t.equal(date.read('23/02/29'), undefined)
  t.equal(date.problem('x').code, 'invalid_date')
})

t.test('a strict phone number needs its country code', async (t) => {
  const strict = reader('phone', { strict: true })
  t.equal(strict.read('+49 30 123456'), '+4930123456')
  t.equal(strict.read('030 123456'), undefined)
  t.equal(strict.problem('030 123456').code, 'invalid_phone')
})

t.test('the country of an import completes phone numbers', async (t) => {
  const german = reader('phone', { strict: true }, 'DE')
  t.equal(german.read('030 / 123456 x9'), '+4930123456 x9')
  t.equal(german.read('0044 20 7946 0018'), '+442079460018')
  t.equal(german.read('+44 20 7946 0018'), '+442079460018')
  t.equal(german.read('110'), undefined, 'nothing that can be called from elsewhere')
  t.equal(reader('phone', {}, 'DE').read('110'), '110', 'where that is no must, it stays')
  t.equal(reader('phone', {}, 'ZZ').read('030 123456'), '030 123456', 'an unknown country')
})

t.test('hostile text costs no more time than its length', async (t) => {
  const texts = ['a', '1', '-', ':', '[', '*.', '+1', '1.', 'f:', '%', '"', '('].flatMap((one) => [
    one.repeat(50_000),
    `${one.repeat(25_000)}@`,
    `a@${one.repeat(25_000)}`,
    `https://${one.repeat(25_000)}`
  ])
  const started = process.hrtime.bigint()
  for (const kind of fieldKinds) {
    for (const text of texts) reader(kind, {}, 'US').read(text)
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  t.ok(seconds < 5, `${seconds} s for all`)
})
