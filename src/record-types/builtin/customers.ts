// Built-in types: customers of a project desk and the organizations they belong to.
// Source: domain rules S3 and section 5: matched by e-mail address; the organization, whose only
// required field is its name, must exist.

import {
  archivedField,
  externalIdField,
  externalIdRule,
  field,
  nameField,
  notesField,
  recordType,
  referenceField,
  rule,
  similarNameRule,
  tagsField
} from '../define-field.ts'
import { addressFields, identityFields } from './person-fields.ts'

export const customers = recordType({
  name: 'customers',
  type_id: 23,
  label: 'Customers',
  description: 'People who ask a project desk for work.',
  title_fields: ['first_name', 'last_name'],
  fields: [
    externalIdField('CUS-0001'),
    ...identityFields,
    referenceField(
      'customer_organization',
      'Customer Organization',
      'The organization of the customer, by name or id; it must exist.',
      { type: 'customer_organizations', rule: 'external_id', also: 'name', on_missing: 'fail' },
      {
        aliases: ['Organization', 'Organization Name', 'Company', 'Company Name'],
        show_in_list: true,
        sample: 'Sample Bakery Ltd'
      }
    ),
    field('title', 'Title', 'text', 'Position, such as Head of IT.', {
      aliases: ['Job Title', 'Position'],
      max_length: 255,
      sample: 'Owner'
    }),
    field(
      'customer_since',
      'Customer Since',
      'date',
      'The first day as a customer, as yyyy-mm-dd.',
      {
        aliases: ['Since'],
        sample: '2026-01-15'
      }
    ),
    ...addressFields,
    notesField(),
    tagsField('bakery'),
    archivedField('the customer')
  ],
  match_rules: [externalIdRule(), rule('email', 2, ['email'], { folding: 'folded' })]
})

export const customerOrganizations = recordType({
  name: 'customer_organizations',
  type_id: 24,
  label: 'Customer organizations',
  description: 'Organizations of the customers of a project desk.',
  fields: [
    externalIdField('CORG-0001'),
    nameField('The name, written exactly as it is known.', 'Sample Bakery Ltd', {
      aliases: ['Organization', 'Organization Name', 'Company', 'Company Name']
    }),
    field('website', 'Website', 'url', 'The web site.', {
      aliases: ['URL', 'Web Site'],
      max_length: 2000,
      sample: 'https://www.sample-bakery.example'
    }),
    ...addressFields,
    notesField(),
    archivedField('the organization')
  ],
  match_rules: [externalIdRule(), rule('name', 2, ['name']), similarNameRule()]
})
