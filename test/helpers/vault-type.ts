// A record type of an account with everything that secrets and exports have to do with, and records
// of it that are put into the database directly.

import { field, referenceField } from '../../src/record-types/define-field.ts'
import { keysOf } from '../../src/record-types/match-keys.ts'
import { loadTypes } from '../../src/record-types/store.ts'
import type { RecordData, RecordType } from '../../src/record-types/types.ts'
import type { Setup } from '../setup.ts'

const vaults: RecordType = {
  name: 'vaults',
  type_id: 1000,
  version: 1,
  label: 'Vaults',
  description: 'Things with secrets.',
  title_fields: ['name'],
  organization_field: 'organization',
  match_policy: 'first_tier',
  blank: 'keep',
  limits: {},
  fields: [
    referenceField('organization', 'Organization', 'Whose it is.', {
      type: 'organizations',
      rule: 'name',
      on_missing: 'create'
    }),
    field('name', 'Name', 'text', 'Its name.', { required: true }),
    field('password', 'Password', 'password', 'Opens it.'),
    field('codes', 'Codes', 'text', 'One each.', { many: { separator: '|' }, sensitive: true }),
    referenceField(
      'friends',
      'Friends',
      'Contacts of the same organization.',
      { type: 'contacts', rule: 'external_id', on_missing: 'fail', within: 'organization' },
      { many: { separator: '|' } }
    ),
    referenceField(
      'twin',
      'Twin',
      'A contact that no name finds: it is not said inside which organization.',
      {
        type: 'contacts',
        rule: 'full_name',
        on_missing: 'fail'
      }
    ),
    referenceField('mate', 'Mate', 'A contact by full name.', {
      type: 'contacts',
      rule: 'full_name',
      on_missing: 'fail',
      within: 'organization'
    }),
    field('tags', 'Tags', 'text', 'Labels.', { many: { separator: ',' } }),
    field('open', 'Open', 'boolean', 'Whether it is open.'),
    field('share', 'Share', 'percent', 'How much.'),
    field('size', 'Size', 'number', 'How large.'),
    field('settings', 'Settings', 'json', 'Anything.'),
    field('notes', 'Notes', 'textbox', 'Text.')
  ],
  match_rules: [
    {
      name: 'name',
      code: 1,
      fields: ['name'],
      folding: 'exact',
      identity: true,
      scope: 'organization'
    }
  ]
}

/** Defines the type `vaults` in the account. */
export async function defineVaults({ pool, account_id }: Setup): Promise<void> {
  const { name, type_id, version } = vaults
  await pool.query(
    `INSERT INTO record_types (account_id, type_id, name, version, definition)
    VALUES ($1, $2, $3, $4, $5)`,
    [account_id, type_id, name, version, vaults]
  )
}

/** Puts a record of any type into the account, with its keys. Out: its id. */
export async function makeRecord(
  { pool, account_id }: Setup,
  name: string,
  data: RecordData
): Promise<number> {
  const type = (await loadTypes(pool, account_id)).require(name)
  const organization = type.organization_field ? (data[type.organization_field] ?? null) : null
  const { rows } = await pool.query(
    `INSERT INTO records (account_id, type_id, id, organization_id, data)
    VALUES ($1, $2, nextval('record_ids'), $3, $4) RETURNING id`,
    [account_id, type.type_id, organization, data]
  )
  const { id } = rows[0]
  for (const rule of type.match_rules) {
    const scope = rule.scope === 'account' ? null : (organization as number | null)
    await pool.query(
      `INSERT INTO record_keys (account_id, type_id, rule, record_id, value)
      SELECT $1, $2, $3, $4, v FROM unnest($5::text[]) AS v`,
      [account_id, type.type_id, rule.code, id, keysOf(rule, data, scope)]
    )
  }
  return id
}
