// Built-in type: users (end users and team members of a helpdesk).
// Source: domain rules S4 and sections 4 and 9 (user): matched by external id, each e-mail address
// and each phone number, which must all agree; e-mails and phones are appended, the rest replaced.
// Which role takes which restriction and group: rules/users.ts.

import {
  externalIdField,
  externalIdRule,
  field,
  nameField,
  recordType,
  referenceField,
  rule,
  tagsField
} from '../define-field.ts'
import type { Field } from '../types.ts'
import { checkUser, restrictions, roles } from './check-user.ts'

const identityFields: Field[] = [
  nameField('The full name.', 'Sam Sample', { aliases: ['Full Name', 'User Name'] }),
  field('emails', 'Emails', 'email', 'E-mail addresses, separated by |; new ones are added.', {
    aliases: ['Email', 'E-mail', 'Email Address'],
    many: { separator: '|' },
    on_update: 'append',
    show_in_list: true,
    sample: 'sam@sample-bakery.example'
  }),
  externalIdField('EMP-0001')
]

const accessFields: Field[] = [
  field('role', 'Role', 'select', 'End-user, Agent or Admin, written exactly so.', {
    options: [...roles],
    default: 'End-user',
    keeps_blank: true,
    show_in_list: true,
    sample: 'Agent'
  }),
  referenceField(
    'custom_role',
    'Custom Role',
    'A role of the account for a team member, by name or id; it must exist.',
    { type: 'custom_roles', rule: 'external_id', also: 'name', on_missing: 'fail' },
    {
      aliases: ['Custom Role ID', 'Agent Role'],
      // A custom role has no restriction beside it.
      sample: ''
    }
  ),
  field(
    'ticket_restriction',
    'Ticket Restriction',
    'select',
    'Which tickets the person sees; agents need one unless they have a custom role.',
    {
      aliases: ['Restriction'],
      options: [...restrictions],
      keeps_blank: true,
      sample: 'groups'
    }
  ),
  referenceField(
    'organizations',
    'Organizations',
    'Organizations of the person, by name or id, separated by |; they must exist.',
    { type: 'organizations', rule: 'name', on_missing: 'fail' },
    {
      aliases: ['Organization', 'Organization Name', 'Company'],
      many: { separator: '|', sorted: true },
      show_in_list: true,
      sample: 'Sample Bakery Ltd'
    }
  ),
  referenceField(
    'default_group',
    'Default Group',
    'The group of a team member, by name or id; it must exist.',
    { type: 'groups', rule: 'external_id', also: 'name', on_missing: 'fail' },
    { aliases: ['Default Group ID', 'Group'], sample: 'First line' }
  )
]

const otherFields: Field[] = [
  field('phones', 'Phones', 'phone', 'Direct numbers with + and country code, separated by |.', {
    aliases: ['Phone', 'Phone Number'],
    many: { separator: '|' },
    on_update: 'append',
    strict: true,
    sample: '+442079460018'
  }),
  field('shared_phone', 'Shared Phone', 'phone', 'A number that others have as well.', {
    strict: true,
    sample: '+442079460019'
  }),
  field(
    'shared_phone_number',
    'Shared Phone Number',
    'boolean',
    'Whether the number under phone is shared (older files).',
    { aliases: ['Phone Is Shared'], sample: 'false' }
  ),
  field('details', 'Details', 'textbox', 'Address and the like, for the team only.', {
    sample: '1 Sample Street, London'
  }),
  field('notes', 'Notes', 'textbox', 'Notes for the team only; may have several lines.', {
    sample: 'Sample row: delete it before you import.'
  }),
  tagsField('vip,bakery'),
  referenceField(
    'brand',
    'Brand',
    'The brand, by its subdomain; an unknown one is ignored.',
    { type: 'brands', rule: 'name', on_missing: 'ignore' },
    { aliases: ['Brand Subdomain'], sample: 'sample-help' }
  )
]

export const users = recordType({
  name: 'users',
  type_id: 20,
  label: 'Users',
  description: 'End users and team members of a helpdesk.',
  match_policy: 'all_agree',
  blank: 'overwrite',
  limits: { max_bytes: 1024 ** 3, max_row_bytes: 131_072, max_columns: 200 },
  update_by_external_id: true,
  fields: [...identityFields, ...accessFields, ...otherFields],
  match_rules: [
    externalIdRule(),
    rule('email', 2, ['emails'], { folding: 'folded' }),
    // Two people may have one number, so it alone is no identity.
    rule('phone', 3, ['phones'], { identity: false, unless: 'shared_phone_number' })
  ],
  check: checkUser
})
