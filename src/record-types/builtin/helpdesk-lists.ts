// Built-in types: what users of a helpdesk belong to.
// Source: domain rules S4.38, S4.49-S4.53 and section 4.

import {
  externalIdField,
  externalIdRule,
  field,
  nameField,
  recordType,
  rule,
  similarNameRule
} from '../define-field.ts'

const description = (sample: string) =>
  field('description', 'Description', 'textbox', 'What it is for.', { sample })

const match_rules = [externalIdRule(), rule('name', 2, ['name']), similarNameRule()]

export const groups = recordType({
  name: 'groups',
  type_id: 21,
  label: 'Groups',
  description: 'Groups of team members of a helpdesk.',
  fields: [
    externalIdField('GRP-0001'),
    nameField('The name of the group.', 'Sample group', { aliases: ['Group', 'Group Name'] }),
    description('Answers new tickets.')
  ],
  match_rules
})

export const customRoles = recordType({
  name: 'custom_roles',
  type_id: 26,
  label: 'Custom roles',
  description: 'Roles of team members that an account has made itself.',
  fields: [
    externalIdField('ROLE-0001'),
    nameField('The name of the role.', 'Sample role', { aliases: ['Role', 'Role Name'] }),
    description('Reads tickets and comments on them privately.')
  ],
  match_rules
})
