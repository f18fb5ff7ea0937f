// Record types of accounts for tests: one to define, and the requests that define it.

import type { Setup } from '../setup.ts'

/** A definition that makes sense, with whatever else. */
export const asset = (more: object = {}) => ({
  name: 'firewalls',
  label: 'Firewalls',
  fields: [
    { name: 'name', label: 'Name', kind: 'text', required: true },
    { name: 'serial', label: 'Serial', kind: 'text', unique: true }
  ],
  ...more
})

/** Sends a definition. */
export const post = (s: Setup, body: object, key?: string) =>
  s.request('POST', '/record-types', { body, ...(key && { key }) })
/** Changes a definition. */
export const put = (s: Setup, name: string, body: object) =>
  s.request('PUT', `/record-types/${name}`, { body })

/** A record of a type, written past the import: only that it is there matters. */
export async function addRecord(s: Setup, type: string) {
  await s.pool.query(
    `INSERT INTO records (account_id, type_id, id, data)
    SELECT t.account_id, t.type_id, nextval('record_ids'), '{"name": "x"}'
    FROM record_types t WHERE t.account_id = $1 AND t.name = $2`,
    [s.account_id, type]
  )
}
