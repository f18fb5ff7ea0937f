// Built-in type: locations (sites of an organization).
// Source: domain rules section 9 (location) and 3.4: inside the organization by id, external id,
// name, else by the full address, which finds a site again that got another name.

import {
  archivedField,
  externalIdField,
  externalIdRule,
  field,
  nameField,
  notesField,
  organizationField,
  recordType,
  rule,
  similarNameRule,
  tagsField
} from '../define-field.ts'

const line = { max_length: 255 }

export const locations = recordType({
  name: 'locations',
  type_id: 3,
  label: 'Locations',
  description: 'Sites and addresses, each of one organization.',
  organization_field: 'organization',
  fields: [
    externalIdField('LOC-0001'),
    organizationField('The organization whose site it is'),
    nameField('The name of the site.', 'Head Office', {
      aliases: ['Location', 'Location Name', 'Site', 'Site Name']
    }),
    field('primary', 'Primary', 'boolean', 'Whether this is the main site.', {
      aliases: ['Primary Location', 'Main Site'],
      sample: 'Yes'
    }),
    field('address_1', 'Address 1', 'text', 'Street and number.', {
      ...line,
      aliases: ['Address', 'Address Line 1', 'Street', 'Street Address'],
      sample: '1 Sample Street'
    }),
    field('address_2', 'Address 2', 'text', 'Floor, suite and the like.', {
      ...line,
      aliases: ['Address Line 2', 'Suite'],
      sample: '2nd floor'
    }),
    field('city', 'City', 'text', 'City or town.', {
      ...line,
      aliases: ['Town'],
      show_in_list: true,
      sample: 'London'
    }),
    field('region', 'Region', 'text', 'State, province or county.', {
      ...line,
      aliases: ['Region Name', 'State', 'Province', 'County'],
      sample: 'Greater London'
    }),
    field('country', 'Country', 'text', 'Country, by name or code.', {
      ...line,
      aliases: ['Country Name', 'Country Code'],
      show_in_list: true,
      sample: 'United Kingdom'
    }),
    field('postal_code', 'Postal Code', 'text', 'Postal code.', {
      max_length: 40,
      aliases: ['Postcode', 'ZIP', 'ZIP Code'],
      sample: 'ZZ1 1ZZ'
    }),
    field('phone', 'Phone', 'phone', 'Phone number of the site.', {
      aliases: ['Phone Number', 'Telephone'],
      sample: '+442079460018'
    }),
    field('fax', 'Fax', 'phone', 'Fax number of the site.', {
      aliases: ['Fax Number'],
      sample: '+442079460019'
    }),
    notesField(),
    tagsField('office'),
    archivedField('the location')
  ],
  match_rules: [
    externalIdRule('organization'),
    // Not an identity: a site that was renamed is found by its address.
    rule('name', 2, ['name'], { identity: false, scope: 'organization' }),
    rule('address', 3, ['address_1', 'city', 'region', 'country'], {
      identity: false,
      scope: 'organization'
    }),
    similarNameRule('organization')
  ]
})
