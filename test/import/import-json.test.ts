// Counts and progress of an import come from its counters alone.

import t from 'tap'
import { importJson } from '../../src/import/import-json.ts'
import type { ImportRow } from '../../src/import/import-row.ts'
import { completeOptions } from '../../src/import/resolve/import-options.ts'
import { contacts } from '../../src/record-types/builtin/contacts.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 31, 9, 30, second))

function row(over: Partial<ImportRow> = {}): ImportRow {
  return {
    id: 7,
    created_on: '2026-01-31',
    created_at: at(0),
    created_by: 3,
    created_by_name: 'nightly',
    type: 'contacts',
    kind: 'import',
    state: 'running',
    file_name: 'a.csv',
    file_key: 'key',
    file_bytes: 10_100,
    file_sha256: 'ab',
    dialect: { delimiter: ',', newline: '\n', headers: ['A', 'B'], dataOffset: 100, dataLine: 2 },
    profile: null,
    options: completeOptions(contacts, {}),
    mapping: ['first_name', null],
    next_offset: 2_600,
    rows_created: 20,
    rows_updated: 15,
    rows_unchanged: 10,
    rows_skipped: 0,
    rows_rejected: 4,
    rows_failed: 1,
    rows_reverted: 0,
    rows_kept: 0,
    rows_pushed: 5,
    rows_with_warnings: 2,
    references_created: { organizations: 1 },
    rows_total: null,
    applied_from: null,
    applied_by: null,
    undo_of: null,
    undone_by: null,
    state_before: null,
    error: null,
    queued_at: at(0),
    started_at: at(1),
    progressed_at: at(6),
    finished_at: null,
    file_dropped_at: null,
    rows_dropped_at: null,
    history_dropped_at: null,
    ...over
  }
}

t.test('a running import says how far it is and when it will be done', async (t) => {
  const json = importJson(row(), { organization: null })
  t.same(json.rows, { done: 50, total: null, per_second: 10, eta_seconds: 15 })
  t.same(json.bytes, { done: 2_600, total: 10_100 })
  t.equal(json.counts.not_reached, null, 'not known before the end of the file')
  t.same(json.created_by, { id: 3, name: 'nightly' })
  t.equal(json.started_at, '2026-01-31T09:30:01.000Z')
})

t.test('a finished import has done all its bytes and has no time left', async (t) => {
  const done = row({ state: 'completed', finished_at: at(11), rows_total: 50, next_offset: 10_000 })
  const json = importJson(done, { organization: null })
  t.same(json.rows, { done: 50, total: 50, per_second: 5, eta_seconds: null })
  t.same(json.bytes, { done: 10_100, total: 10_100 })
  t.equal(json.counts.not_reached, 0)
})

t.test('a cancelled import says how many rows were not reached, where that is known', async (t) => {
  const known = importJson(row({ state: 'cancelled', rows_total: 80 }), { organization: null })
  t.equal(known.counts.not_reached, 30)
})

t.test('an import that has not begun has no speed', async (t) => {
  const queued = row({
    state: 'queued',
    started_at: null,
    progressed_at: null,
    next_offset: 0,
    rows_created: 0,
    rows_updated: 0,
    rows_unchanged: 0,
    rows_rejected: 0,
    rows_failed: 0
  })
  const json = importJson(queued, { organization: null })
  t.same(json.rows, { done: 0, total: null, per_second: null, eta_seconds: null })
  t.equal(json.started_at, null)
})

t.test('what was not looked up is left out', async (t) => {
  const json = importJson(row({ created_by: null, created_by_name: null }), { organization: null })
  t.notOk('preview' in json)
  t.notOk('earlier_import' in json)
  t.equal(json.created_by, null)
})

t.test('an import says what of it is gone', async (t) => {
  t.same(importJson(row(), { organization: null }).expired, {
    file: null,
    rows: null,
    history: null
  })
  const gone = { file_dropped_at: at(1), rows_dropped_at: at(2), history_dropped_at: at(3) }
  t.same(importJson(row(gone), { organization: null }).expired, {
    file: at(1).toISOString(),
    rows: at(2).toISOString(),
    history: at(3).toISOString()
  })
})
