// Built-in type: domains (internet domains of an organization).
// Source: domain rules section 9 (domain) and 3.2: found inside the organization by id, external id
// or name, which is kept as a bare host name.

import {
  archivedField,
  externalIdField,
  externalIdRule,
  field,
  notesField,
  organizationField,
  recordType,
  rule,
  tagsField
} from '../define-field.ts'

export const domains = recordType({
  name: 'domains',
  type_id: 6,
  label: 'Domains',
  description: 'Internet domains, each of one organization.',
  organization_field: 'organization',
  fields: [
    externalIdField('DOM-0001'),
    organizationField('The organization that holds the domain'),
    field('name', 'Name', 'host', 'The domain; scheme, path and www. are taken off.', {
      aliases: ['Domain', 'Domain Name'],
      required: true,
      max_length: 253,
      show_in_list: true,
      sample: 'sample-bakery.example'
    }),
    field('registrar', 'Registrar', 'text', 'Where the domain is registered.', {
      aliases: ['Registrar Name'],
      max_length: 255,
      sample: 'Sample Registrar'
    }),
    field('expires_on', 'Expires On', 'date', 'The day the registration ends.', {
      aliases: ['Expires', 'Expiration', 'Expiration Date', 'Expiry Date'],
      expiration: true,
      show_in_list: true,
      sample: '2027-06-30'
    }),
    notesField(),
    tagsField('web'),
    archivedField('the domain')
  ],
  match_rules: [
    externalIdRule('organization'),
    rule('name', 2, ['name'], { scope: 'organization' }),
    // The same domain in another organization is most likely a slip.
    rule('elsewhere', 3, ['name'], { identity: false, suggests: true })
  ]
})
