// Built-in type: clients of a brokerage.
// Source: domain rules S1 and sections 6 and 9 (client): only first name and e-mail are needed, all
// else has a default; found by id, then by e-mail, so that an address can be changed with the id
// given; type and project stay as they were made; the desk belongs to the project, and the manager
// to both.

import { field, recordType, referenceField, rule } from '../define-field.ts'
import type { Field } from '../types.ts'

const personFields: Field[] = [
  field(
    'client_id',
    'ID',
    'text',
    'The id of the client: 24 hexadecimal digits, made for new ones.',
    {
      aliases: ['id', '_id', 'Client ID'],
      format: 'hex24',
      generated: 'hex24',
      immutable: true
    }
  ),
  field('first_name', 'First Name', 'text', 'Given name.', {
    aliases: ['firstName', 'Given Name'],
    required: true,
    max_length: 255,
    show_in_list: true,
    sample: 'Sam'
  }),
  field('last_name', 'Last Name', 'text', 'Family name.', {
    aliases: ['lastName', 'Surname'],
    max_length: 255,
    show_in_list: true,
    sample: 'Sample'
  }),
  field('middle_name', 'Middle Name', 'text', 'Middle name.', {
    aliases: ['middleName'],
    max_length: 255,
    sample: 'Robin'
  }),
  field('username', 'Username', 'text', 'The name to sign in with; made up when it is blank.', {
    aliases: ['userName', 'Login'],
    generated: 'username',
    max_length: 255,
    sample: 'sam.sample'
  }),
  field('email', 'Email', 'email', 'The e-mail address; no two clients have the same.', {
    aliases: ['E-mail', 'Email Address', 'emailAddress'],
    required: true,
    show_in_list: true,
    sample: 'sam@sample-bakery.example'
  }),
  field('phone', 'Phone', 'phone', 'Phone number.', {
    aliases: ['Phone Number', 'phoneNumber'],
    sample: '+442079460018'
  }),
  field('gender', 'Gender', 'select', 'Gender, when it is known.', {
    options: ['Female', 'Male', 'Other'],
    sample: 'Other'
  })
]

// Ids come first; what a default names and nobody has made yet is made under the name.
const placeFields: Field[] = [
  referenceField(
    'project',
    'Project',
    'The project of the client, by its id or name; it stays as it was made.',
    { type: 'projects', rule: 'project_id', also: 'name', on_missing: 'fail' },
    {
      aliases: ['Project ID', 'projectId'],
      default: 'Default',
      immutable: true,
      show_in_list: true,
      sample: 'Retail'
    }
  ),
  referenceField(
    'desk',
    'Desk',
    'The desk of the client, by its id or name; it belongs to the project.',
    { type: 'desks', rule: 'desk_id', also: 'name', on_missing: 'fail', within: 'project' },
    { aliases: ['Desk ID', 'deskId'], default: 'Default', show_in_list: true, sample: 'London' }
  ),
  referenceField(
    'manager',
    'Manager',
    'The manager of the client, by e-mail or id; one of the same project and desk.',
    { type: 'managers', rule: 'manager_id', also: 'email', on_missing: 'fail' },
    { aliases: ['Manager ID', 'managerId', 'Manager Email'], sample: 'alex@brokerage.example' }
  )
]

const stateFields: Field[] = [
  field('active', 'Active', 'boolean', 'Whether the client is active.', {
    aliases: ['isActive'],
    default: true,
    show_in_list: true,
    sample: 'True'
  }),
  field('type', 'Type', 'select', 'Kind of client; it stays as it was made.', {
    aliases: ['Client Type', 'Account Type'],
    options: ['Personal', 'Business', 'Joint'],
    default: 'Personal',
    immutable: true,
    sample: 'Personal'
  }),
  field('status', 'Status', 'text', 'How far the client has come, such as New or Verified.', {
    aliases: ['Client Status'],
    max_length: 255,
    sample: 'New'
  }),
  field('created', 'Created', 'datetime', 'When the client was made; now, when it is blank.', {
    aliases: ['createdAt', 'Created On', 'Date Created'],
    generated: 'now',
    sample: '2026-01-31T09:30:00.000Z'
  }),
  field('comments', 'Comments', 'textbox', 'Free comments; may have several lines.', {
    aliases: ['Comment', 'Notes'],
    sample: 'Sample row: delete it before you import.'
  })
]

export const clients = recordType({
  name: 'clients',
  type_id: 30,
  label: 'Clients',
  description: 'Clients of a brokerage, each of one project and one of its desks.',
  title_fields: ['first_name', 'last_name'],
  limits: { max_rows: 5000 },
  plain_text_only: true,
  fields: [...personFields, ...placeFields, ...stateFields],
  match_rules: [
    rule('client_id', 1, ['client_id'], { folding: 'folded' }),
    rule('email', 2, ['email'], { folding: 'folded' })
  ],
  shared_fields: [
    { reference: 'desk', fields: { project: 'project' } },
    { reference: 'manager', fields: { project: 'project', desk: 'desk' } }
  ]
})
