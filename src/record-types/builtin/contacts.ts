// Built-in type: contacts (people of an organization).
// Source: domain rules section 9 (contact), match tiers inside the organization:
// id, external id, any e-mail address, first and last name. A blank last name is compared as well:
// every row has a key by that, and the same file sent again changes nothing.
// There is no rule for similar names: it would cost every row of the largest files an index entry.

import {
  archivedField,
  externalIdField,
  externalIdRule,
  field,
  listField,
  notesField,
  organizationField,
  recordType,
  referenceField,
  rule,
  tagsField
} from '../define-field.ts'

export const contacts = recordType({
  name: 'contacts',
  type_id: 2,
  label: 'Contacts',
  description: 'People, each of one organization.',
  title_fields: ['first_name', 'last_name'],
  organization_field: 'organization',
  fields: [
    externalIdField('CON-0001'),
    organizationField('The organization the person belongs to'),
    field('first_name', 'First Name', 'text', 'Given name.', {
      aliases: ['Given Name', 'Forename'],
      required: true,
      max_length: 255,
      show_in_list: true,
      sample: 'Sam'
    }),
    field('last_name', 'Last Name', 'text', 'Family name.', {
      aliases: ['Surname', 'Family Name'],
      max_length: 255,
      show_in_list: true,
      sample: 'Sample'
    }),
    field('title', 'Title', 'text', 'Position, such as Head of IT.', {
      aliases: ['Job Title', 'Position'],
      max_length: 255,
      sample: 'Head of IT'
    }),
    listField('contact_type', 'Contact Type', 'contact_types', {
      aliases: ['Type'],
      sample: 'Decision maker'
    }),
    referenceField(
      'location',
      'Location',
      'The site of the organization where the person works, by name or id; left empty when unknown.',
      { type: 'locations', rule: 'name', on_missing: 'ignore', within: 'organization' },
      { aliases: ['Location Name', 'Site', 'Office'], sample: 'Head Office' }
    ),
    field('important', 'Important', 'boolean', 'Whether the contact is marked as important.', {
      sample: 'Yes'
    }),
    field('emails', 'Emails', 'email', 'E-mail addresses, the main one first, separated by |.', {
      aliases: ['Email', 'E-mail', 'Email Address', 'Primary Email'],
      many: { separator: '|' },
      show_in_list: true,
      sample: 'sam@sample-bakery.example|office@sample-bakery.example'
    }),
    field('phones', 'Phones', 'phone', 'Phone numbers, the main one first, separated by |.', {
      aliases: ['Phone', 'Phone Number', 'Telephone', 'Primary Phone'],
      many: { separator: '|' },
      sample: '+442079460018'
    }),
    notesField(),
    tagsField('vip,newsletter'),
    archivedField('the contact')
  ],
  match_rules: [
    externalIdRule('organization'),
    rule('email', 2, ['emails'], { folding: 'folded', scope: 'organization' }),
    rule('full_name', 3, ['first_name', 'last_name'], {
      may_be_blank: ['last_name'],
      identity: false,
      scope: 'organization'
    })
  ]
})
