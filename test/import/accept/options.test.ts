// Form fields become typed choices; what makes no sense is refused with what would.

import t from 'tap'
import { AppError } from '../../../src/errors.ts'
import {
  defaultOptions,
  optionNames,
  readOption,
  requireType
} from '../../../src/import/accept/options.ts'

function read(fields: Record<string, string>) {
  const options = defaultOptions()
  for (const [name, text] of Object.entries(fields)) readOption(options, name, text)
  return options
}

t.test('a form that says nothing gets the defaults', async (t) => {
  t.same(read({}), {
    type: null,
    mode: 'create_and_update',
    allow_partial: true,
    organization: null,
    mapping: null,
    delimiter: null,
    start: true
  })
})

t.test('every option is read', async (t) => {
  const options = read({
    type: 'contacts',
    mode: 'update_only',
    allow_partial: 'false',
    organization: 'Acme',
    mapping: '{"E-Mail":"emails","Fax":null}',
    delimiter: ';',
    start: 'false'
  })
  t.match(options, {
    type: { name: 'contacts' },
    mode: 'update_only',
    allow_partial: false,
    organization: 'Acme',
    mapping: { 'E-Mail': 'emails', Fax: null },
    delimiter: ';',
    start: false
  })
  t.equal(requireType(options).name, 'contacts')
})

t.test('a blank option counts as not given', async (t) => {
  const blank = Object.fromEntries(optionNames.map((name) => [name, '']))
  t.same(read(blank), defaultOptions())
})

t.test('a tab can be written as a word', async (t) => {
  for (const text of ['tab', '\\t', '\t']) t.equal(read({ delimiter: text }).delimiter, '\t')
})

const refused: [string, string, string, RegExp][] = [
  ['typo', 'x', 'unknown_option', /Known options: type, mode, allow_partial, organization/],
  ['__proto__', 'x', 'unknown_option', /Known options/],
  ['toString', 'x', 'unknown_option', /Known options/],
  ['type', 'contact', 'unknown_record_type', /Known types: organizations, contacts/],
  ['mode', 'upsert', 'invalid_option', /create_only, update_only, create_and_update/],
  ['allow_partial', 'yes', 'invalid_option', /true or false/],
  ['start', '1', 'invalid_option', /true or false/],
  ['mapping', '{', 'invalid_option', /JSON object/],
  ['mapping', '[]', 'invalid_option', /JSON object/],
  ['mapping', 'null', 'invalid_option', /JSON object/],
  ['mapping', '{"a":1}', 'invalid_option', /JSON object/],
  ['delimiter', ',,', 'invalid_option', /one ASCII character/],
  ['delimiter', 'a', 'invalid_option', /one ASCII character/],
  ['delimiter', '"', 'invalid_option', /one ASCII character/],
  ['delimiter', '\n', 'invalid_option', /one ASCII character/],
  ['delimiter', '·', 'invalid_option', /one ASCII character/]
]
for (const [name, text, code, message] of refused) {
  t.test(`refuses ${name}=${JSON.stringify(text)} as ${code}`, async (t) => {
    t.throws(() => read({ [name]: text }), { code, message })
  })
}

t.test('the record type has no default', async (t) => {
  t.throws(() => requireType(defaultOptions()), {
    code: 'invalid_option',
    message: /Option "type".*required.*organizations, contacts/
  })
})

t.test('a hostile value is cut before it is repeated', async (t) => {
  try {
    read({ mode: 'x'.repeat(100_000) })
    t.fail('accepted')
  } catch (error) {
    t.ok(error instanceof AppError && error.message.length < 300)
  }
})
