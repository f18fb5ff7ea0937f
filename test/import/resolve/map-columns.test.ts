// header -> mapping: what is suggested, what a caller may say, what is refused.

import t from 'tap'
import {
  parseMapping,
  suggestColumns,
  suggestMapping,
  unmappedRequired
} from '../../../src/import/resolve/map-columns.ts'
import { contacts } from '../../../src/record-types/builtin/contacts.ts'

t.test('recognises label, key, alias and folded spellings, the surest way first', async (t) => {
  const columns = suggestColumns(
    ['First Name', 'last_name', 'Email', 'JOB  TITLE', 'Shoe size'],
    contacts
  )
  t.strictSame(columns, [
    { field: 'first_name', mapped_by: 'label' },
    { field: 'last_name', mapped_by: 'key' },
    { field: 'emails', mapped_by: 'alias' },
    { field: 'title', mapped_by: 'folded' },
    { field: null, mapped_by: null }
  ])
})

t.test('gives a field to one column only', async (t) => {
  t.strictSame(suggestMapping(['Email', 'E-mail', 'Emails'], contacts), [null, null, 'emails'])
  t.strictSame(suggestMapping(['Name', 'ID', 'id'], contacts), [null, 'id', null])
})

t.test('leaves the problem columns of a rejects file alone', async (t) => {
  const headers = ['first_name', 'muster_line', 'muster_codes', 'muster_problems']
  t.strictSame(suggestMapping(headers, contacts), ['first_name', null, null, null])
})

t.test('takes what the caller says over the suggestion', async (t) => {
  const headers = ['Vorname', 'First Name', 'Email']
  t.strictSame(parseMapping(headers, contacts, { Vorname: 'first_name', Email: null }), [
    'first_name',
    null,
    null
  ])
})

t.test('lists every fault of a mapping at once', async (t) => {
  const given = { Nope: 'title', 'First Name': 'shoe_size', A: 'notes', B: 'notes' }
  t.throws(() => parseMapping(['First Name', 'A', 'B'], contacts, given), {
    code: 'mapping_invalid',
    status: 422,
    details: {
      faults: [
        'the file has no column "Nope"',
        'contacts have no field "shoe_size" (column "First Name")',
        'columns 2 ("A") and 3 ("B") are both mapped to "notes"'
      ]
    }
  })
})

t.test('names the required fields that no column feeds', async (t) => {
  const upsert = { mode: 'create_and_update', organization_id: null }
  t.strictSame(unmappedRequired(['title', null], contacts, upsert), ['organization', 'first_name'])
  t.strictSame(unmappedRequired(['first_name'], contacts, { ...upsert, organization_id: 7 }), [])
})

t.test('an import that only updates needs something to find records by', async (t) => {
  const update = { mode: 'update_only', organization_id: null }
  t.strictSame(unmappedRequired(['title'], contacts, update), ['external_id'])
  t.strictSame(unmappedRequired(['title', 'id'], contacts, update), [])
  t.strictSame(unmappedRequired(['emails', 'title'], contacts, update), [])
})
