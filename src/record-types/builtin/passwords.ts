// Built-in type: passwords (credentials of an organization, on their own or of another record).
// Source: domain rules section 9 (password) and 3.2. Found inside the organization by id, external
// id, or name, user name and what it is for: twenty switches may each have an `Admin` of their own.

import {
  archivedField,
  externalIdField,
  externalIdRule,
  field,
  listField,
  nameField,
  nameLookupRule,
  notesField,
  organizationField,
  recordType,
  rule,
  tagsField
} from '../define-field.ts'

export const passwords = recordType({
  name: 'passwords',
  type_id: 5,
  label: 'Passwords',
  description: 'Credentials, each of one organization. Secrets are stored encrypted.',
  organization_field: 'organization',
  fields: [
    externalIdField('PW-0001'),
    organizationField('The organization it belongs to'),
    nameField('What the password is for.', 'Router admin', { aliases: ['Password Name'] }),
    field('username', 'Username', 'text', 'The name to sign in with.', {
      aliases: ['User', 'User Name', 'Login'],
      max_length: 255,
      show_in_list: true,
      sample: 'admin'
    }),
    field('password', 'Password', 'password', 'The password; a blank cell never changes it.', {
      required: true,
      max_length: 4000,
      sample: 'sample-password'
    }),
    field('otp_secret', 'OTP Secret', 'password', 'The secret of one-time passwords, in base32.', {
      aliases: ['OTP Secret Key', 'OTP', 'TOTP', 'TOTP Secret'],
      format: 'base32',
      max_length: 255,
      sample: 'JBSWY3DPEHPK3PXP'
    }),
    field('url', 'URL', 'url', 'Where to sign in.', {
      aliases: ['Website', 'Link'],
      max_length: 2000,
      sample: 'https://router.sample-bakery.example/login'
    }),
    listField('password_category', 'Password Category', 'password_categories', {
      aliases: ['Category', 'Password Category Name'],
      show_in_list: true,
      sample: 'Administrative'
    }),
    field('resource_type', 'Resource Type', 'text', 'Kind of the record the password is part of.', {
      max_length: 255,
      sample: 'Configuration'
    }),
    field('resource', 'Resource', 'text', 'Name or id of the record the password is part of.', {
      aliases: ['Resource ID', 'Resource Name'],
      max_length: 255,
      sample: 'SRV-01'
    }),
    field('folder', 'Folder', 'text', 'The folder it is kept in.', {
      aliases: ['Password Folder'],
      max_length: 255,
      sample: 'Network'
    }),
    field('password_updated_at', 'Password Updated At', 'datetime', 'When it was changed last.', {
      aliases: ['Password Changed', 'Last Changed'],
      sample: '2026-01-31T09:30:00.000Z'
    }),
    notesField('Free notes, encrypted like the password; may have several lines.', {
      sensitive: true
    }),
    tagsField('network'),
    archivedField('the password')
  ],
  match_rules: [
    externalIdRule('organization'),
    rule('name_username', 2, ['name', 'username', 'resource_type', 'resource'], {
      may_be_blank: ['username', 'resource_type', 'resource'],
      scope: 'organization'
    }),
    nameLookupRule()
  ]
})
