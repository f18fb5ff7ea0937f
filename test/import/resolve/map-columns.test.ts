// header -> mapping: what is suggested, what a caller may say, what is refused.

import t from 'tap'
import { completeOptions } from '../../../src/import/resolve/import-options.ts'
import {
  parseMapping,
  suggestColumns,
  suggestMapping,
  unmappedRequired
} from '../../../src/import/resolve/map-columns.ts'
import { contacts } from '../../../src/record-types/builtin/contacts.ts'
import { field } from '../../../src/record-types/define-field.ts'
import type { Field, RecordType } from '../../../src/record-types/types.ts'

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
  t.strictSame(suggestMapping(['Name', 'ID', 'id'], contacts), [null, 'external_id', null])
})

t.test('leaves the problem columns of a rejects file alone', async (t) => {
  const headers = ['first_name', 'muster_line', 'muster_codes', 'muster_problems']
  t.strictSame(suggestMapping(headers, contacts), ['first_name', null, null, null])
})

t.test('ids of other systems stand under their own name, for every type', async (t) => {
  const headers = ['external_ids.psa', 'External_IDs.psa', 'external_ids.', 'external_ids.a b', 'x']
  t.strictSame(suggestMapping(headers, contacts), ['external_ids.psa', null, null, null, null])
  t.strictSame(suggestColumns(headers, contacts)[0]?.mapped_by, 'key')
  const given = { x: 'external_ids.psa' }
  t.strictSame(parseMapping(headers, contacts, given), [null, null, null, null, 'external_ids.psa'])
  t.throws(() => parseMapping(['x'], contacts, { x: 'external_ids.A' }), {
    code: 'mapping_invalid',
    details: {
      faults: [
        '"external_ids.A" names no system (up to 40 lower-case letters, digits, - and _, beginning with a letter; column "x")'
      ]
    }
  })
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
  const upsert = completeOptions(contacts, {})
  t.strictSame(unmappedRequired(['title', null], contacts, upsert), ['organization', 'first_name'])
  t.strictSame(unmappedRequired(['first_name'], contacts, { ...upsert, organization_id: 7 }), [])
})

t.test('an import that only updates needs something to find records by', async (t) => {
  const update = completeOptions(contacts, { mode: 'update_only' })
  const missing = (...mapped: string[]) => unmappedRequired(mapped, contacts, update)
  t.strictSame(missing('title'), ['external_id', 'organization'])
  t.strictSame(missing('title', 'id'), [])
  t.strictSame(missing('emails', 'title', 'organization'), [])
  t.strictSame(missing('emails', 'title'), ['external_id', 'organization'], 'and where to look')
  t.strictSame(unmappedRequired(['emails'], contacts, { ...update, organization_id: 7 }), [])
  t.strictSame(missing('first_name', 'organization'), [], 'a last name may be blank')
})

t.test('an import that needs the external id needs its column', async (t) => {
  const strict = completeOptions(contacts, { mode: 'update_only', require_external_id: true })
  t.strictSame(unmappedRequired(['emails', 'id'], contacts, strict), [
    'external_id',
    'organization'
  ])
  t.strictSame(unmappedRequired(['external_id', 'organization'], contacts, strict), [])
})

t.test('a required field with a default or a made-up value needs no column', async (t) => {
  const type = withFields([
    field('plan', 'Plan', 'text', '', { required: true, default: 'basic' }),
    field('code', 'Code', 'text', '', { required: true, generated: 'hex24' }),
    field('city', 'City', 'text', '', { required: true })
  ])
  t.strictSame(unmappedRequired([], type, completeOptions(type, {})), ['city'])
})

const withFields = (fields: Field[]): RecordType => ({
  ...contacts,
  organization_field: null,
  match_rules: [],
  fields
})

t.test('only the header of our exports means our own id', async (t) => {
  t.strictSame(suggestColumns(['Muster ID'], contacts), [{ field: 'id', mapped_by: 'label' }])
  t.strictSame(suggestColumns(['muster_id'], contacts), [{ field: 'id', mapped_by: 'folded' }])
  for (const header of ['ID', 'id', 'Record ID']) {
    t.strictSame(suggestMapping([header], contacts), ['external_id'], header)
  }
  t.strictSame(parseMapping(['id'], contacts, { id: 'id' }), ['id'], 'unless the caller says so')
  const clients = withFields([field('client_id', 'ID', 'text', 'Theirs.')])
  for (const header of ['ID', 'id', 'Id']) {
    t.strictSame(suggestMapping([header], clients), ['client_id'], header)
  }
  t.strictSame(suggestMapping(['ID', 'Muster ID'], clients), ['client_id', 'id'])
})

t.test('custom fields are found by dotted headers too', async (t) => {
  const type = withFields([
    field('plan', 'Plan', 'text', '', { custom: true, aliases: ['Tariff'] }),
    field('name', 'Name', 'text', ''),
    field('a.b', 'Dotted', 'text', '', { custom: true }),
    field('ab', 'Ab', 'text', '', { custom: true })
  ])
  const found = (header: string) => suggestMapping([header], type)[0]
  t.equal(found('custom_fields.plan'), 'plan')
  t.equal(found('custom_fields.Tariff'), 'plan')
  t.equal(found('Custom Fields.PLAN'), 'plan')
  t.equal(found('plan'), 'plan')
  t.equal(found('custom_fields.name'), null, 'which is no custom field')
  t.equal(found('custom_fields.a.b'), 'a.b')
  t.equal(found('A.B'), 'a.b')
  t.equal(found('AB'), 'ab', 'a dot makes a difference where both are there')
})
