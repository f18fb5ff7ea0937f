// Built-in types: what the clients of a brokerage belong to.
// Source: domain rules S1.8, S1.13 and section 6: projects and desks have ids of 24 hexadecimal
// digits; a desk belongs to a project, a manager to a project and a desk.

import {
  field,
  nameField,
  recordType,
  referenceField,
  rule,
  similarNameRule
} from '../define-field.ts'

const ownId = (name: string, label: string, aliases: string[]) =>
  field(name, label, 'text', 'Its id: 24 hexadecimal digits, made for new ones.', {
    aliases: ['ID', '_id', ...aliases],
    format: 'hex24',
    generated: 'hex24',
    immutable: true
  })

const projectField = referenceField(
  'project',
  'Project',
  'The project it belongs to, by its id or name; it must exist.',
  { type: 'projects', rule: 'project_id', also: 'name', on_missing: 'fail' },
  {
    aliases: ['projectId', 'Project Name'],
    required: true,
    show_in_list: true,
    sample: 'Retail'
  }
)

export const projects = recordType({
  name: 'projects',
  type_id: 31,
  label: 'Projects',
  description: 'Projects of a brokerage.',
  fields: [
    ownId('project_id', 'Project ID', ['projectId']),
    nameField('The name of the project.', 'Sample project', {
      aliases: ['Project', 'Project Name']
    })
  ],
  match_rules: [
    rule('project_id', 1, ['project_id'], { folding: 'folded' }),
    rule('name', 2, ['name']),
    similarNameRule()
  ]
})

/** Each project may have a desk of the same name: a desk is found inside its project. */
export const desks = recordType({
  name: 'desks',
  type_id: 32,
  label: 'Desks',
  description: 'Desks of a brokerage, each of one project.',
  fields: [
    ownId('desk_id', 'Desk ID', ['deskId']),
    nameField('The name of the desk.', 'Sample desk', { aliases: ['Desk', 'Desk Name'] }),
    projectField
  ],
  match_rules: [
    rule('desk_id', 1, ['desk_id'], { folding: 'folded' }),
    rule('name', 2, ['name'], { scope: { field: 'project' } }),
    similarNameRule({ field: 'project' })
  ]
})

export const managers = recordType({
  name: 'managers',
  type_id: 33,
  label: 'Managers',
  description: 'Managers of clients, each of one project and one of its desks.',
  fields: [
    ownId('manager_id', 'Manager ID', ['managerId']),
    nameField('The full name.', 'Alex Sample', { aliases: ['Manager', 'Full Name'] }),
    field('email', 'Email', 'email', 'The e-mail address; no two managers have the same.', {
      aliases: ['E-mail', 'Email Address'],
      required: true,
      show_in_list: true,
      sample: 'alex@brokerage.example'
    }),
    projectField,
    referenceField(
      'desk',
      'Desk',
      'The desk of the manager, by its id or name; it belongs to the project.',
      { type: 'desks', rule: 'desk_id', also: 'name', on_missing: 'fail', within: 'project' },
      { aliases: ['deskId', 'Desk Name'], show_in_list: true, sample: 'London' }
    )
  ],
  match_rules: [
    rule('manager_id', 1, ['manager_id'], { folding: 'folded' }),
    rule('email', 2, ['email'], { folding: 'folded' })
  ],
  shared_fields: [{ reference: 'desk', fields: { project: 'project' } }]
})
