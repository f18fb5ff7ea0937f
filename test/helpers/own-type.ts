// A type of the account for tests that change it: things with a name and whatever fields are wanted.

import type { Setup } from '../setup.ts'
import { runJob } from './undo-ways.ts'

type Field = Record<string, unknown>

/** A field of a definition. */
export const field = (name: string, kind: string, more: Field = {}): Field => ({
  name,
  label: name,
  kind,
  ...more
})

const fieldsOf = (fields: Field[]) => [
  field('name', 'text', { required: true, unique: true }),
  ...fields
]

/** Defines the type `things`. */
export async function defineThings(s: Setup, fields: Field[]): Promise<void> {
  const body = { name: 'things', label: 'Things', fields: fieldsOf(fields) }
  const answer = await s.request('POST', '/record-types', { body })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
}

/** Gives the type other fields. */
export async function changeThings(s: Setup, fields: Field[]): Promise<void> {
  const body = { label: 'Things', fields: fieldsOf(fields) }
  const answer = await s.request('PUT', '/record-types/things', { body })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
}

/** Imports things here and now. Out: the JSON of the import. */
export async function importThings(s: Setup, columns: string, ...rows: string[]) {
  const csv = [`organization,${columns}`, ...rows.map((row) => `Acme,${row}`)].join('\n')
  const { status, body } = await s.uploadCsv(`${csv}\n`, { type: 'things' })
  if (status !== 202) throw new Error(JSON.stringify(body))
  return runJob(s, body.id)
}
