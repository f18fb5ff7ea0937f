// Built-in lists: small types with little but a name, which other types refer to.
// Source: domain rules section 9 (the lists its references name) and 3.2 (their columns).

import { nameField, recordType, referenceField, rule, similarNameRule } from '../define-field.ts'
import type { RecordType } from '../types.ts'

function list(
  name: string,
  type_id: number,
  label: string,
  description: string,
  sample: string
): RecordType {
  return recordType({
    name,
    type_id,
    label,
    description,
    // Not a name that somebody's list may really have: the row would be taken for the sample.
    fields: [nameField('The name shown in drop-down lists.', `Sample ${sample}`)],
    match_rules: [rule('name', 1, ['name']), similarNameRule()]
  })
}

export const organizationTypes = list(
  'organization_types',
  10,
  'Organization types',
  'Kinds of organizations, such as Customer or Vendor.',
  'Customer'
)

export const organizationStatuses = list(
  'organization_statuses',
  11,
  'Organization statuses',
  'States of an organization, such as Active or Inactive.',
  'Active'
)

export const contactTypes = list(
  'contact_types',
  12,
  'Contact types',
  'Kinds of contacts, such as Decision maker or Technical.',
  'Decision maker'
)

export const configurationTypes = list(
  'configuration_types',
  13,
  'Configuration types',
  'Kinds of configurations, such as Server or Printer.',
  'Server'
)

export const configurationStatuses = list(
  'configuration_statuses',
  14,
  'Configuration statuses',
  'States of a configuration, such as Active or Retired.',
  'Active'
)

export const manufacturers = list(
  'manufacturers',
  15,
  'Manufacturers',
  'Makers of devices and software.',
  'Devices'
)

/** Two manufacturers may have a model of the same name: a model is found inside its maker. */
export const models: RecordType = recordType({
  name: 'models',
  type_id: 16,
  label: 'Models',
  description: 'Models of devices, each of one manufacturer.',
  fields: [
    nameField('The name of the model, written exactly as it is known.', 'Sample model', {
      aliases: ['Model', 'Model Name', 'Model Number']
    }),
    referenceField(
      'manufacturer',
      'Manufacturer',
      'The maker of the model, by name or id; a new one is added to the list.',
      { type: 'manufacturers', rule: 'name', on_missing: 'create' },
      { aliases: ['Make', 'Vendor'], required: true, show_in_list: true, sample: 'Sample Devices' }
    )
  ],
  match_rules: [
    rule('name', 1, ['name'], { scope: { field: 'manufacturer' } }),
    similarNameRule({ field: 'manufacturer' })
  ]
})

export const operatingSystems = list(
  'operating_systems',
  17,
  'Operating systems',
  'Operating systems of configurations.',
  'Debian 13'
)

export const passwordCategories = list(
  'password_categories',
  18,
  'Password categories',
  'Kinds of passwords, such as Administrative or Wi-Fi.',
  'Administrative'
)

export const brands = list(
  'brands',
  19,
  'Brands',
  'Brands of a helpdesk, named by their subdomain.',
  'sample-help'
)
