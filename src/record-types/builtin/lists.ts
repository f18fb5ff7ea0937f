// Built-in lists: small types with nothing but a name, which other types refer to.
// Source: domain rules, IT documentation systems (organization type and status, contact type).

import { field } from '../define-field.ts'
import type { RecordType } from '../types.ts'

function list(name: string, type_id: number, label: string, description: string): RecordType {
  return {
    name,
    type_id,
    label,
    description,
    title_fields: ['name'],
    organization_field: null,
    fields: [
      field('name', 'Name', 'text', 'The name shown in drop-down lists.', {
        required: true,
        max_length: 255
      })
    ],
    match_rules: [
      {
        name: 'name',
        code: 1,
        fields: ['name'],
        folding: 'exact',
        identity: true,
        scope: 'account'
      }
    ]
  }
}

export const organizationTypes = list(
  'organization_types',
  10,
  'Organization types',
  'Kinds of organizations, such as Customer or Vendor.'
)

export const organizationStatuses = list(
  'organization_statuses',
  11,
  'Organization statuses',
  'States of an organization, such as Active or Inactive.'
)

export const contactTypes = list(
  'contact_types',
  12,
  'Contact types',
  'Kinds of contacts, such as Decision maker or Technical.'
)
