// Form fields become typed choices; what makes no sense is refused with what would.

import t from 'tap'
import { AppError } from '../../../src/errors.ts'
import {
  optionNames,
  readOption,
  requireType,
  type UploadOptions
} from '../../../src/import/accept/options.ts'
import { builtinTypes } from '../../../src/record-types/registry.ts'

function read(fields: Record<string, string>) {
  const options: UploadOptions = {}
  for (const [name, text] of Object.entries(fields)) readOption(options, builtinTypes, name, text)
  return options
}

t.test('a form that says nothing has said nothing', async (t) => t.same(read({}), {}))

t.test('every option is read', async (t) => {
  const { type, ...options } = read({
    type: 'contacts',
    profile: 'nightly',
    mode: 'update_only',
    dry_run: 'true',
    allow_partial: 'false',
    organization: 'Acme',
    mapping: '{"E-Mail":"emails","Fax":null}',
    delimiter: ';',
    encoding: 'latin1',
    blank: 'overwrite',
    clear_marker: ' (none) ',
    repeats: 'merge',
    similar: 'error',
    update: '{"tags":"append"}',
    separators: '{"tags":";"}',
    on_missing: '{"organization":"fail"}',
    default_country: 'de',
    require_external_id: 'true',
    notify_emails: 'a@b.de, c@B.de',
    push: 'all',
    start: 'false',
    callback_url: 'https://example.com',
    callback_secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
  })
  t.equal(type?.name, 'contacts')
  t.same(Object.keys({ type, ...options }), optionNames, 'none is missing here')
  t.same(options, {
    profile: 'nightly',
    mode: 'update_only',
    dry_run: true,
    allow_partial: false,
    organization: 'Acme',
    mapping: { 'E-Mail': 'emails', Fax: null },
    delimiter: ';',
    encoding: 'windows-1252',
    blank: 'overwrite',
    clear_marker: '(none)',
    repeats: 'merge',
    similar: 'error',
    update: { tags: 'append' },
    separators: { tags: ';' },
    on_missing: { organization: 'fail' },
    default_country: 'DE',
    require_external_id: true,
    notify_emails: ['a@b.de', 'c@b.de'],
    push: 'all',
    start: false,
    callback_url: 'https://example.com',
    callback_secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
  })
  t.equal(read({ clear_marker: 'none' }).clear_marker, null)
})

t.test('a blank option counts as not given', async (t) => {
  t.same(read(Object.fromEntries(optionNames.map((name) => [name, '']))), {})
})

t.test('a tab can be written as a word', async (t) => {
  for (const text of ['tab', '\\t', '\t']) t.equal(read({ delimiter: text }).delimiter, '\t')
})

const refused: [string, string, string, RegExp][] = [
  [
    'typo',
    'x',
    'unknown_option',
    /Known options: type, profile, mode, dry_run, allow_partial, organization/
  ],
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
  ['encoding', 'klingon', 'invalid_option', /windows-1252/],
  ['encoding', 'utf-7', 'invalid_option', /name of an encoding/],
  ['blank', 'clear', 'invalid_option', /overwrite, keep, default/],
  ['clear_marker', '   ', 'invalid_option', /at most 100/],
  ['clear_marker', 'x'.repeat(101), 'invalid_option', /at most 100/],
  ['repeats', 'first', 'invalid_option', /reject, merge/],
  ['similar', 'yes', 'invalid_option', /warn, error, ignore/],
  ['update', 'append', 'invalid_option', /JSON object: field name to one of replace, append/],
  ['update', '{"tags":"add"}', 'invalid_option', /one of replace, append/],
  ['separators', '{"tags":1}', 'invalid_option', /field name to a text/],
  ['on_missing', '{"organization":"make"}', 'invalid_option', /one of create, fail, ignore/],
  ['default_country', 'Germany', 'invalid_option', /ISO 3166-1/],
  ['default_country', 'EU', 'invalid_option', /ISO 3166-1/],
  ['default_country', 'QQ', 'invalid_option', /ISO 3166-1/],
  ['require_external_id', 'yes', 'invalid_option', /true or false/],
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
  t.throws(() => requireType({}, builtinTypes), {
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
