// Generated files over tiny value sets, whose rows meet each other in every way: for tests that compare
// what different ways of importing them make of it.

import fc from 'fast-check'
import type { WayFile } from './import-ways.ts'

// Few values, so that rows meet each other in every way. `#1` is the second record ever made.
export const oneOf = (...texts: string[]) => fc.constantFrom(...texts)
const mode = oneOf('create_and_update', 'create_and_update', 'create_only', 'update_only')

const contactHeaders = [
  'Muster ID',
  'organization',
  'external_id',
  'emails',
  'first_name',
  'last_name'
]
const contactRow = fc.tuple(
  oneOf('', '', '', '', '#0', '#1', '#2', '#3'),
  oneOf('A', 'A', 'A', 'B', 'C'),
  oneOf('', '', 'x1', 'x2', 'X2', 'x3'),
  oneOf('', '', 'e1@x.io', 'e2@x.io', 'E3@x.io', 'e1@x.io|e2@x.io', 'e3@x.io|e1@x.io', 'bad'),
  oneOf('F1', 'F2', 'F3'),
  oneOf('', 'L1', 'L2'),
  oneOf('', 'T1', 'T2'),
  oneOf('', '', '', 'K1', 'K2')
)

export function contacts(rows: string[][], options: WayFile['options'] = {}): WayFile {
  const headers = [...contactHeaders, 'title', 'contact_type']
  return { type: 'contacts', headers, rows, options }
}

const organizationRow = fc.tuple(
  oneOf('', '', '', '#0', '#1', '#2'),
  oneOf('', '', 'x1', 'x2', 'X3'),
  oneOf('A', 'B', 'C', 'D'),
  oneOf('', '', 'A', 'B', 'C', 'D', '#1'),
  oneOf('', 'T1', 'T2'),
  oneOf('', '', 'S1', 'S2')
)

export function organizations(rows: string[][], options: WayFile['options'] = {}): WayFile {
  const headers = ['Muster ID', 'external_id', 'name', 'parent', 'organization_type', 'status']
  return { type: 'organizations', headers, rows, options }
}

const userRow = fc.tuple(
  oneOf('', '', '', '', '#0', '#1', '#2'),
  oneOf('', '', 'x1', 'x2', 'X2'),
  oneOf('', 'e1@x.io', 'e2@x.io', 'E3@x.io', 'e1@x.io|e2@x.io', 'e3@x.io|e1@x.io'),
  oneOf('', '', '+4930111111', '+4930222222', '+4930111111|+4930222222'),
  oneOf('N1', 'N2', ''),
  oneOf('', '', 'a', 'b', 'a,b')
)

function users(rows: string[][], options: WayFile['options'] = {}): WayFile {
  const headers = ['Muster ID', 'external_id', 'emails', 'phones', 'name', 'tags']
  return { type: 'users', headers, rows, options }
}

// A row of blanks is none.
const isFilled = (row: string[]) => row.some((cell) => cell !== '' && !cell.startsWith('#'))
const rowsOf = (row: fc.Arbitrary<string[]>) =>
  fc.array(row.filter(isFilled), { minLength: 1, maxLength: 9 })
export const contactsFile = fc
  .tuple(rowsOf(contactRow), mode, fc.constantFrom({}, {}, { organization: 'A' }))
  .map(([rows, mode, more]) => contacts(rows, { mode, ...more }))
export const usersFile = fc
  .tuple(rowsOf(userRow), mode)
  .map(([rows, mode]) => users(rows, { mode, require_external_id: false }))
export const mergingFile = contactsFile.map((file) => merging(file))
export const organizationsFile = fc
  .tuple(rowsOf(organizationRow), mode)
  .map(([rows, mode]) => organizations(rows, { mode }))

/** The files with ids of two other systems in their last columns. */
export const withIds = (files: fc.Arbitrary<WayFile>): fc.Arbitrary<WayFile> =>
  files.chain((file) => {
    const count = { minLength: file.rows.length, maxLength: file.rows.length }
    const ids = fc.tuple(oneOf('', '', 'p1', 'p2', 'P2', 'p3', '__CLEAR__'), oneOf('', '', '7'))
    return fc.array(ids, count).map((cells) => ({
      ...file,
      headers: [...file.headers, 'external_ids.psa', 'external_ids.crm'],
      rows: file.rows.map((row, index) => [...row, ...(cells[index] as string[])])
    }))
  })

export const merging = (file: WayFile): WayFile => {
  return { ...file, options: { ...file.options, repeats: 'merge' } }
}
