// Built-in type: organizations (customers, vendors, the own company).
// Source: domain rules section 9 (organization), match tiers id, external id, exact name; section 4
// for the columns that helpdesks add.

import {
  archivedField,
  externalIdField,
  externalIdRule,
  field,
  listField,
  nameField,
  notesField,
  recordType,
  referenceField,
  rule,
  similarNameRule,
  tagsField
} from '../define-field.ts'

export const organizations = recordType({
  name: 'organizations',
  type_id: 1,
  label: 'Organizations',
  description: 'Companies and other bodies that everything else belongs to.',
  fields: [
    externalIdField('ORG-0001'),
    nameField('The name, written exactly as it is known.', 'Sample Bakery Ltd', {
      aliases: ['Organization', 'Organization Name', 'Company', 'Company Name']
    }),
    field('short_name', 'Short Name', 'text', 'A short code for the organization.', {
      aliases: ['Identifier', 'Account Number'],
      max_length: 25,
      sample: 'SAMPLE'
    }),
    listField('organization_type', 'Organization Type', 'organization_types', {
      aliases: ['Type'],
      show_in_list: true,
      sample: 'Customer'
    }),
    listField('organization_status', 'Organization Status', 'organization_statuses', {
      aliases: ['Status'],
      default: 'Active',
      show_in_list: true,
      sample: 'Active'
    }),
    referenceField(
      'parent',
      'Parent Organization',
      'The organization this one is a part of, by name or id; it must exist.',
      { type: 'organizations', rule: 'name', on_missing: 'fail' },
      { aliases: ['Parent', 'Parent Company'], sample: 'Sample Holding Ltd' }
    ),
    field('primary', 'Primary', 'boolean', 'Whether this is the account holder itself.', {
      sample: 'No'
    }),
    field('description', 'Description', 'textbox', 'What the organization does.', {
      sample: 'Bakes bread for hotels.'
    }),
    field('quick_notes', 'Quick Notes', 'textbox', 'Notes shown first on the organization.', {
      sample: 'Ring the bell at the back door.'
    }),
    field('alert', 'Alert', 'text', 'A warning shown to everybody who opens the organization.', {
      max_length: 1000,
      sample: 'No visits before 10:00'
    }),
    field('domains', 'Domains', 'host', 'Mail and web domains, separated by |.', {
      aliases: ['Domain', 'Domain Names', 'Website', 'Default'],
      many: { separator: '|' },
      sample: 'sample-bakery.example|samplebakery.example'
    }),
    field('details', 'Details', 'textbox', 'Address and other details.', {
      sample: '1 Sample Street, London'
    }),
    notesField(),
    referenceField(
      'group',
      'Group',
      'The helpdesk group that gets its tickets, by name or id; it must exist.',
      { type: 'groups', rule: 'external_id', also: 'name', on_missing: 'fail' },
      { aliases: ['Group ID', 'Group Name'], sample: 'First line' }
    ),
    field(
      'shared_tickets',
      'Shared Tickets',
      'boolean',
      'Whether its people see all its tickets.',
      {
        aliases: ['Shared'],
        sample: 'No'
      }
    ),
    field(
      'shared_comments',
      'Shared Comments',
      'boolean',
      'Whether its people comment on all its tickets.',
      { sample: 'No' }
    ),
    tagsField('bakery,london'),
    archivedField('the organization')
  ],
  match_rules: [externalIdRule(), rule('name', 2, ['name']), similarNameRule()]
})
