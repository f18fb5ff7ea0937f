// Built-in type: contacts (people of an organization).
// Source: domain rules section 9 (contact), match tiers inside the organization:
// id, external id, any e-mail address, first and last name. A blank last name is compared as well:
// every row has a key by that, and the same file sent again changes nothing.

import { field, referenceField } from '../define-field.ts'
import type { RecordType } from '../types.ts'

export const contacts: RecordType = {
  name: 'contacts',
  type_id: 2,
  label: 'Contacts',
  description: 'People, each of one organization.',
  title_fields: ['first_name', 'last_name'],
  organization_field: 'organization',
  fields: [
    field('external_id', 'External ID', 'text', 'The id in the system the data comes from.', {
      aliases: ['External Identifier', 'Source ID'],
      max_length: 255
    }),
    referenceField(
      'organization',
      'Organization',
      'The organization the person belongs to, by name or id; a new one is created.',
      { type: 'organizations', rule: 'name', on_missing: 'create' },
      { aliases: ['Organization Name', 'Company', 'Company Name', 'Account'], required: true }
    ),
    field('first_name', 'First Name', 'text', 'Given name.', {
      aliases: ['Given Name', 'Forename'],
      required: true,
      max_length: 255
    }),
    field('last_name', 'Last Name', 'text', 'Family name.', {
      aliases: ['Surname', 'Family Name'],
      max_length: 255
    }),
    field('title', 'Title', 'text', 'Position, such as Head of IT.', {
      aliases: ['Job Title', 'Position'],
      max_length: 255
    }),
    referenceField(
      'contact_type',
      'Contact Type',
      'Kind of contact; a new one is added to the list.',
      { type: 'contact_types', rule: 'name', on_missing: 'create' },
      { aliases: ['Type'] }
    ),
    field('important', 'Important', 'boolean', 'Whether the contact is marked as important.'),
    field('emails', 'Emails', 'email', 'E-mail addresses, the main one first, separated by |.', {
      aliases: ['Email', 'E-mail', 'Email Address', 'Primary Email'],
      many: { separator: '|' }
    }),
    field('phones', 'Phones', 'phone', 'Phone numbers, the main one first, separated by |.', {
      aliases: ['Phone', 'Phone Number', 'Telephone', 'Primary Phone'],
      many: { separator: '|' }
    }),
    field('notes', 'Notes', 'textbox', 'Free notes; may have several lines.'),
    field('tags', 'Tags', 'text', 'Labels, separated by commas.', { many: { separator: ',' } }),
    field('archived', 'Archived', 'boolean', 'Whether the contact is kept but out of use.')
  ],
  match_rules: [
    {
      name: 'external_id',
      code: 1,
      fields: ['external_id'],
      folding: 'folded',
      identity: true,
      scope: 'organization'
    },
    {
      name: 'email',
      code: 2,
      fields: ['emails'],
      folding: 'folded',
      identity: true,
      scope: 'organization'
    },
    {
      name: 'full_name',
      code: 3,
      fields: ['first_name', 'last_name'],
      may_be_blank: ['last_name'],
      folding: 'exact',
      identity: false,
      scope: 'organization'
    }
  ]
}
