// Built-in type: organizations (customers, vendors, the own company).
// Source: domain rules section 9 (organization), match tiers id, external id, exact name.

import { field, referenceField } from '../define-field.ts'
import type { RecordType } from '../types.ts'

export const organizations: RecordType = {
  name: 'organizations',
  type_id: 1,
  label: 'Organizations',
  description: 'Companies and other bodies that everything else belongs to.',
  title_fields: ['name'],
  organization_field: null,
  fields: [
    field('external_id', 'External ID', 'text', 'The id in the system the data comes from.', {
      aliases: ['External Identifier', 'Source ID'],
      max_length: 255
    }),
    field('name', 'Name', 'text', 'The name, written exactly as it is known.', {
      aliases: ['Organization', 'Organization Name', 'Company', 'Company Name'],
      required: true,
      max_length: 255
    }),
    field('short_name', 'Short Name', 'text', 'A short code for the organization.', {
      aliases: ['Identifier', 'Account Number'],
      max_length: 25
    }),
    referenceField(
      'organization_type',
      'Organization Type',
      'Kind of organization; a new one is added to the list.',
      { type: 'organization_types', rule: 'name', on_missing: 'create' },
      { aliases: ['Type'] }
    ),
    referenceField(
      'organization_status',
      'Organization Status',
      'State of the organization; a new one is added to the list.',
      { type: 'organization_statuses', rule: 'name', on_missing: 'create' },
      { aliases: ['Status'], default: 'Active' }
    ),
    referenceField(
      'parent',
      'Parent Organization',
      'The organization this one is a part of, by name or id; it must exist.',
      { type: 'organizations', rule: 'name', on_missing: 'fail' },
      { aliases: ['Parent', 'Parent Company'] }
    ),
    field('primary', 'Primary', 'boolean', 'Whether this is the account holder itself.'),
    field('description', 'Description', 'textbox', 'What the organization does.'),
    field('quick_notes', 'Quick Notes', 'textbox', 'Notes shown first on the organization.'),
    field('alert', 'Alert', 'text', 'A warning shown to everybody who opens the organization.'),
    field('domains', 'Domains', 'host', 'Mail and web domains, separated by |.', {
      aliases: ['Domain', 'Domain Names', 'Website'],
      many: { separator: '|' }
    }),
    field('details', 'Details', 'textbox', 'Address and other details.'),
    field('notes', 'Notes', 'textbox', 'Free notes; may have several lines.'),
    field('shared_tickets', 'Shared Tickets', 'boolean', 'Whether its people see all its tickets.'),
    field(
      'shared_comments',
      'Shared Comments',
      'boolean',
      'Whether its people comment on all its tickets.'
    ),
    field('tags', 'Tags', 'text', 'Labels, separated by commas.', { many: { separator: ',' } }),
    field('archived', 'Archived', 'boolean', 'Whether the organization is kept but out of use.')
  ],
  match_rules: [
    {
      name: 'external_id',
      code: 1,
      fields: ['external_id'],
      folding: 'folded',
      identity: true,
      scope: 'account'
    },
    { name: 'name', code: 2, fields: ['name'], folding: 'exact', identity: true, scope: 'account' }
  ]
}
