// Built-in type: configurations (devices and installed systems of an organization).
// Source: domain rules section 9 (configuration) and 3.2; match tiers of 3.4: MAC and serial number,
// MAC, serial number, asset tag, type and name.

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
  referenceField,
  rule,
  tagsField
} from '../define-field.ts'
import type { Field, MatchRule } from '../types.ts'

const kindFields: Field[] = [
  listField('configuration_type', 'Configuration Type', 'configuration_types', {
    aliases: ['Type', 'Device Type'],
    required: true,
    show_in_list: true,
    sample: 'Server'
  }),
  listField('configuration_status', 'Configuration Status', 'configuration_statuses', {
    aliases: ['Status'],
    default: 'Active',
    show_in_list: true,
    sample: 'Active'
  }),
  listField('manufacturer', 'Manufacturer', 'manufacturers', {
    aliases: ['Manufacturer Name', 'Make', 'Vendor'],
    sample: 'Sample Devices'
  }),
  referenceField(
    'model',
    'Model',
    'The model of that manufacturer, by name or id; a new one is added to the list.',
    { type: 'models', rule: 'name', on_missing: 'create', within: 'manufacturer' },
    { aliases: ['Model Name', 'Model Number'], sample: 'Rack 100' }
  ),
  listField('operating_system', 'Operating System', 'operating_systems', {
    aliases: ['Operating System Name', 'OS'],
    sample: 'Debian 13'
  }),
  field(
    'operating_system_notes',
    'Operating System Notes',
    'textbox',
    'License, edition, patch level.',
    { aliases: ['OS Notes'], sample: 'Updates every Tuesday.' }
  )
]

const networkFields: Field[] = [
  // Many devices have a bare name without a domain, so this is no field of kind host.
  field('hostname', 'Hostname', 'text', 'The name of the device in the network.', {
    aliases: ['Host Name', 'Computer Name', 'Device Name'],
    max_length: 253,
    sample: 'srv-01'
  }),
  field('primary_ip', 'Primary IP', 'ip', 'The main IP address.', {
    aliases: ['IP', 'IP Address', 'Primary IP Address'],
    sample: '192.0.2.10'
  }),
  field('default_gateway', 'Default Gateway', 'ip', 'The gateway of its network.', {
    aliases: ['Gateway'],
    sample: '192.0.2.1'
  }),
  field('mac_address', 'MAC Address', 'mac', 'The hardware address of the main interface.', {
    aliases: ['MAC', 'Primary MAC', 'Primary MAC Address'],
    sample: '00:00:5E:00:53:01'
  }),
  field(
    'configuration_interfaces',
    'Configuration Interfaces',
    'json',
    'All network interfaces, as a JSON list of objects with name, ip, mac, primary and notes.',
    {
      aliases: ['Interfaces', 'Network Interfaces'],
      sample: '[{"name": "eth0", "ip": "192.0.2.10", "mac": "00:00:5E:00:53:01", "primary": true}]'
    }
  )
]

const purchaseFields: Field[] = [
  field('serial_number', 'Serial Number', 'text', 'The serial number of the maker.', {
    aliases: ['Serial', 'Serial No', 'Service Tag'],
    max_length: 255,
    show_in_list: true,
    sample: 'SN-SAMPLE-0001'
  }),
  field('asset_tag', 'Asset Tag', 'text', 'The inventory number.', {
    aliases: ['Asset Number', 'Inventory Number', 'Tag Number'],
    max_length: 255,
    sample: 'A-0001'
  }),
  field('position', 'Position', 'text', 'Where it stands, such as rack and unit.', {
    max_length: 255,
    sample: 'Rack 1, unit 12'
  }),
  field('installed_at', 'Installed At', 'date', 'Date of installation.', {
    aliases: ['Installation Date', 'Install Date', 'Date Installed'],
    sample: '2026-01-20'
  }),
  field('installed_by', 'Installed By', 'text', 'Who installed it.', {
    max_length: 255,
    sample: 'Sam Sample'
  }),
  field('purchased_at', 'Purchased At', 'date', 'Date of purchase.', {
    aliases: ['Purchase Date', 'Date Purchased'],
    sample: '2026-01-10'
  }),
  field('purchased_by', 'Purchased By', 'text', 'Who bought it.', {
    max_length: 255,
    sample: 'Sam Sample'
  }),
  field('warranty_expires_at', 'Warranty Expires At', 'date', 'Last day of the warranty.', {
    aliases: ['Warranty Expiration', 'Warranty Expiration Date', 'Warranty Expires'],
    expiration: true,
    sample: '2029-01-10'
  })
]

const placeFields: Field[] = [
  referenceField(
    'location',
    'Location',
    'The site of the organization where it stands, by name or id; left empty when unknown.',
    { type: 'locations', rule: 'name', on_missing: 'ignore', within: 'organization' },
    { aliases: ['Location Name', 'Site'], sample: 'Head Office' }
  ),
  referenceField(
    'contact',
    'Contact',
    'The person of the organization who uses it, by first and last name, e-mail or id; left empty when unknown.',
    {
      type: 'contacts',
      rule: 'email',
      also: 'full_name',
      on_missing: 'ignore',
      within: 'organization'
    },
    { aliases: ['Contact Name', 'User', 'Assigned To'], sample: 'Sam Sample' }
  )
]

const inside = { scope: 'organization' } as const

// Every rule that names a serial number or MAC leaves out junk such as N/A and 00:00:00:00:00:00.
const rules: MatchRule[] = [
  externalIdRule('organization'),
  rule('mac_serial', 2, ['mac_address', 'serial_number'], { ...inside, folding: 'serial' }),
  rule('mac', 3, ['mac_address'], { ...inside, folding: 'serial' }),
  rule('serial', 4, ['serial_number'], { ...inside, folding: 'serial' }),
  rule('asset_tag', 5, ['asset_tag'], { ...inside, folding: 'folded', identity: false }),
  rule('type_name', 6, ['configuration_type', 'name'], { ...inside, identity: false }),
  nameLookupRule()
]

export const configurations = recordType({
  name: 'configurations',
  type_id: 4,
  label: 'Configurations',
  description: 'Devices and installed systems, each of one organization.',
  organization_field: 'organization',
  fields: [
    externalIdField('CFG-0001'),
    organizationField('The organization it belongs to'),
    nameField('The name of the configuration.', 'SRV-01', { aliases: ['Configuration Name'] }),
    ...kindFields,
    ...networkFields,
    ...purchaseFields,
    ...placeFields,
    notesField(),
    tagsField('backup,on-site'),
    archivedField('the configuration')
  ],
  match_rules: rules
})
