// Built-in type: SSL certificates of hosts.
// Source: domain rules section 9 (ssl_certificate) and 3.2: found inside the organization by id,
// external id, or host and serial number; a renewed certificate has another number and is a new one.

import {
  archivedField,
  externalIdField,
  externalIdRule,
  field,
  nameLookupRule,
  notesField,
  organizationField,
  recordType,
  referenceField,
  rule,
  tagsField
} from '../define-field.ts'

export const sslCertificates = recordType({
  name: 'ssl_certificates',
  type_id: 7,
  label: 'SSL certificates',
  description:
    'Certificates of hosts, each of one organization. Private keys are stored encrypted.',
  title_fields: ['host'],
  organization_field: 'organization',
  fields: [
    externalIdField('SSL-0001'),
    organizationField('The organization that uses the certificate'),
    field('host', 'Host', 'host', 'The host it is for; *. in front for all of a domain.', {
      aliases: ['Host Name', 'Common Name', 'Subject'],
      required: true,
      max_length: 253,
      show_in_list: true,
      sample: 'shop.sample-bakery.example'
    }),
    field('name', 'Name', 'text', 'What people call the certificate.', {
      aliases: ['Certificate Name'],
      max_length: 255,
      sample: 'Web shop'
    }),
    field('issuer', 'Issuer', 'text', 'Who issued it.', {
      aliases: ['Issued By', 'Issuer Name'],
      max_length: 255,
      sample: 'Sample CA'
    }),
    field('serial', 'Serial', 'text', 'The serial number of the certificate.', {
      aliases: ['Serial Number'],
      max_length: 255,
      sample: '04A1B2C3D4E5F6'
    }),
    field('valid_from', 'Valid From', 'date', 'The first day it is valid.', {
      aliases: ['Issued On', 'Not Before'],
      sample: '2026-01-01'
    }),
    field('valid_until', 'Valid Until', 'date', 'The last day it is valid.', {
      aliases: ['Valid To', 'Expires', 'Expires On', 'Not After'],
      expiration: true,
      show_in_list: true,
      sample: '2026-12-31'
    }),
    field('certificate', 'Certificate', 'textbox', 'The certificate itself (PEM).', {
      aliases: ['Public Certificate', 'Certificate Body'],
      sample: 'sample certificate'
    }),
    field('private_key', 'Private Key', 'textbox', 'The private key (PEM).', {
      aliases: ['Key'],
      sensitive: true,
      sample: 'sample key'
    }),
    referenceField(
      'domain',
      'Domain',
      'The domain of the organization it belongs to, by name or id; left empty when unknown.',
      { type: 'domains', rule: 'name', on_missing: 'ignore', within: 'organization' },
      { aliases: ['Domain Name'], sample: 'sample-bakery.example' }
    ),
    notesField(),
    tagsField('web'),
    archivedField('the certificate')
  ],
  match_rules: [
    externalIdRule('organization'),
    rule('host_serial', 2, ['host', 'serial'], {
      may_be_blank: ['serial'],
      folding: 'serial',
      scope: 'organization'
    }),
    nameLookupRule('host')
  ]
})
