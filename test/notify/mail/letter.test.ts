// The letter of an import, as text and HTML: what it says, and that hostile text in it stays text.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { rowProblem } from '../../../src/errors.ts'
import {
  type ImportFacts,
  type ImportSurroundings,
  importLetter
} from '../../../src/notify/mail/import-letter.ts'
import { plain, renderHtml, renderSubject, renderText } from '../../../src/notify/mail/letter.ts'
import { noticeLetter } from '../../../src/notify/mail/notice.ts'

const none = {
  created: 0,
  updated: 0,
  unchanged: 0,
  skipped: 0,
  rejected: 0,
  failed: 0,
  reverted: 0,
  kept: 0
}

const facts: ImportFacts = {
  type: 'contacts',
  kind: 'import',
  state: 'completed_with_errors',
  undo_of: null,
  redo: false,
  dry_run: false,
  file_name: 'contacts.csv',
  counts: { ...none, created: 980, updated: 12, rejected: 8 },
  rows_total: 1_000,
  error: null,
  started_at: '2026-01-31T09:30:00.123+00:00',
  finished_at: '2026-01-31T09:30:04.5+00:00'
}

const bad = rowProblem('invalid_email', { column: 'E-Mail', field: 'emails', value: 'ann@exam<b>' })
const missing = rowProblem('required_missing', { field: 'organization' })

const around: ImportSurroundings = {
  import_id: 12,
  started_by: 'nightly "sync" & more',
  problems: [
    { line: 17, problem: bad },
    { line: 18, problem: missing }
  ],
  has_secrets: false,
  publicUrl: 'https://muster.example.com'
}

const fixture = (name: string) => readFile(join(import.meta.dirname, 'letters', name), 'utf8')
const subject = (over: Partial<ImportFacts>) =>
  renderSubject(importLetter({ ...facts, ...over }, around))

t.test('an import with errors, as it is sent', async (t) => {
  const letter = importLetter(facts, around)
  t.equal(
    renderSubject(letter),
    'Import 12 of contacts.csv: completed with errors (980 created, 12 updated, 8 rejected)'
  )
  t.equal(renderText(letter), await fixture('import.txt'))
  t.equal(renderHtml(letter), await fixture('import.html'))
})

t.test('subjects say what happened', async (t) => {
  t.equal(
    subject({ state: 'completed', counts: { ...none, created: 500_000 } }),
    'Import 12 of contacts.csv: completed (500,000 created)'
  )
  t.equal(
    subject({ dry_run: true, state: 'ready', counts: { ...none, created: 3, skipped: 1 } }),
    'Dry run 12 of contacts.csv: ready (3 to be created, 1 skipped)'
  )
  t.equal(subject({ state: 'failed', counts: none }), 'Import 12 of contacts.csv: failed')
  t.equal(
    subject({ state: 'cancelled', counts: { ...none, created: 2 } }),
    'Import 12 of contacts.csv: cancelled (2 created)'
  )
  t.equal(
    subject({ kind: 'undo', undo_of: 7, counts: { ...none, reverted: 5, kept: 1 } }),
    'Undo of import 7 of contacts.csv: completed with errors (5 reverted, 1 kept)'
  )
  const long = subject({ file_name: `${'x'.repeat(250)}.csv` })
  t.match(long, /x…: completed with errors \(980 created, 12 updated, 8 rejected\)$/)
})

t.test('a dry run says that nothing was written, and how to apply it', async (t) => {
  const letter = importLetter({ ...facts, dry_run: true, state: 'ready' }, around)
  for (const form of [renderText(letter), renderHtml(letter)]) {
    t.match(form, /nothing was written/)
    t.match(form, /POST \/imports\/12\/apply/)
    t.match(form, /to be created/)
  }
})

t.test('an import that failed says why; one that was cancelled, what stays', async (t) => {
  const error = { code: 'upload_gone', message: 'The file is gone.' }
  const failed = importLetter({ ...facts, state: 'failed', error }, around)
  t.match(renderText(failed), 'The file is gone. (upload_gone)')
  const cancelled = importLetter({ ...facts, state: 'cancelled' }, around)
  t.match(renderText(cancelled), 'What was written until then stays.')
})

t.test(
  'a dry run of an undo, a redo, a cancelled dry run: what is not done is not said',
  async (t) => {
    const counts = { ...none, reverted: 3, kept: 1 }
    const undo = { kind: 'undo', undo_of: 7, state: 'completed', counts } as const
    const text = (over: Partial<ImportFacts>) =>
      renderText(importLetter({ ...facts, ...over }, around))
    const dry = { ...undo, dry_run: true }
    t.equal(
      subject(dry),
      'Dry run of the undo of import 7 of contacts.csv: completed (3 to be reverted, 1 to be kept)'
    )
    t.match(text(dry), /nothing was written/)
    t.match(text(dry), 'To do that, send POST /imports/7/undo.')
    t.notMatch(text(dry), /as it was before/)
    const redo = { ...undo, redo: true }
    t.match(subject(redo), /^Redo of undo 7 of contacts\.csv: completed/)
    t.match(text(redo), 'Every record is as it was before the undo.')
    t.match(text({ ...redo, dry_run: true }), 'POST /imports/7/redo.')
    t.match(text({ ...undo, state: 'completed_with_errors' }), /the rest was kept as it is/)
    const cancelled = text({ dry_run: true, state: 'cancelled' })
    t.match(cancelled, /nothing was written/)
    t.notMatch(cancelled, /stays/)
  }
)

t.test('an undo has no file to mend', async (t) => {
  const letter = importLetter({ ...facts, kind: 'undo', undo_of: 7 }, around)
  t.notMatch(renderText(letter), 'rejects.csv')
})

t.test('without an address of the service the links are paths that lead nowhere', async (t) => {
  const letter = importLetter(facts, { ...around, publicUrl: null })
  t.match(renderText(letter), /^ {2}\/imports\/12\/rejects\.csv$/m)
  t.notMatch(renderHtml(letter), /href/)
})

t.test('at most ten problems', async (t) => {
  const problems = Array.from({ length: 30 }, (_, index) => ({ line: index + 2, problem: bad }))
  const text = renderText(importLetter(facts, { ...around, problems }))
  t.equal(text.match(/invalid_email/g)?.length, 10)
  t.match(text, 'The first 10 problems')
})

t.test('of a type with secrets no cell is quoted, whatever column it is in', async (t) => {
  const conflict = rowProblem('immutable_field', {
    field: 'name',
    value: 'hunter2',
    args: { current: 'hunter1' }
  })
  const problems = [
    { line: 17, problem: bad },
    { line: 18, problem: conflict }
  ]
  const letter = importLetter(facts, { ...around, problems, has_secrets: true })
  for (const form of [renderText(letter), renderHtml(letter)]) {
    t.notMatch(form, /hunter|ann@exam/)
    t.match(form, /invalid_email/)
    t.match(form, /is not an e-mail address/)
    t.match(form, /name cannot be changed once the record exists/)
  }
  const old = { ...bad, code: 'code_of_old' as 'invalid_email' }
  const unknown = { ...around, problems: [{ line: 1, problem: old }], has_secrets: true }
  t.notMatch(renderText(importLetter(facts, unknown)), /ann@exam/)
})

const hostile = [
  'a.csv\r\nBcc: all@example.com',
  'a.csv\nBcc: all@example.com\n\n<html>',
  'a.csv\rBcc: all@example.com',
  'a.csv\u2028Bcc: all@example.com\u2029x',
  'a.csv\u0085Bcc: all@example.com\v\f',
  '\u202Evsc.elif\u2066\u200Fx',
  'a\0b\u001b[31mc',
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  '<img src=x onerror=alert(1)>&lt;',
  '=?utf-8?Q?=0D=0ABcc:_all@example.com?=',
  'half \ud83d',
  '{{7*7}}$&$1'
]

t.test('hostile text stays text, in every place', async (t) => {
  for (const [index, text] of hostile.entries()) {
    const problem = { ...bad, column: text, message: text, code: text as 'invalid_email' }
    const error = { code: text, message: text }
    const letter = importLetter(
      { ...facts, type: text, file_name: text, state: 'failed', error },
      { ...around, started_by: text, problems: [{ line: 1, problem }] }
    )
    t.notMatch(renderSubject(letter), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, `number ${index}`)
    for (const form of [renderText(letter), renderHtml(letter)]) {
      t.notMatch(form.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      t.ok(form.isWellFormed())
      t.notMatch(form, /^Bcc:/m)
    }
    const lines = (name: string) => {
      const other = { ...letter, subject: name, paragraphs: [name] }
      return renderHtml(other).match(/<[^>]+>/g)?.length
    }
    t.equal(lines(text), lines('x'), 'no element of its own')
  }
})

t.test('a notice is its text, in paragraphs', async (t) => {
  const letter = noticeLetter({ subject: 'Endpoint 3 was\r\n disabled', text: 'One.\n\nTwo <b>.' })
  t.equal(renderSubject(letter), 'Endpoint 3 was  disabled')
  t.match(renderText(letter), /\n\nOne\.\n\nTwo <b>\.\n\n/)
  t.match(renderHtml(letter), 'Two &lt;b&gt;.')
})

t.test('a text is cut between characters', async (t) => {
  t.equal(plain('a😀b', 3), 'a\ufffd…')
  t.equal(plain('abc', 3), 'abc')
})
