// Built-in types: members (the own people of a project desk) and their teams.
// Source: domain rules S3 and section 5: matched by e-mail address; the team must exist.

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

export const members = recordType({
  name: 'members',
  type_id: 22,
  label: 'Members',
  description: 'Own people of a project desk, to whom work is assigned.',
  title_fields: ['first_name', 'last_name'],
  fields: [
    externalIdField('MEM-0001'),
    ...identityFields,
    referenceField(
      'team',
      'Team',
      'The team of the member, by name or id; it must exist.',
      { type: 'teams', rule: 'name', on_missing: 'fail' },
      { aliases: ['Team Name'], show_in_list: true, sample: 'Projects' }
    ),
    field('title', 'Title', 'text', 'Position, such as Head of IT.', {
      aliases: ['Job Title', 'Position'],
      max_length: 255,
      sample: 'Project manager'
    }),
    field('start_date', 'Start Date', 'date', 'The first day of work, as yyyy-mm-dd.', {
      aliases: ['Joined', 'Hire Date'],
      sample: '2026-01-15'
    }),
    ...addressFields,
    notesField(),
    tagsField('projects'),
    archivedField('the member')
  ],
  match_rules: [externalIdRule(), rule('email', 2, ['email'], { folding: 'folded' })]
})

export const teams = recordType({
  name: 'teams',
  type_id: 25,
  label: 'Teams',
  description: 'Teams of members of a project desk.',
  fields: [
    nameField('The name of the team.', 'Sample team', { aliases: ['Team', 'Team Name'] }),
    field('description', 'Description', 'textbox', 'What the team does.', {
      sample: 'Runs projects for customers.'
    })
  ],
  match_rules: [rule('name', 1, ['name']), similarNameRule()]
})
