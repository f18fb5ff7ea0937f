// Batches are invisible: whatever rows a file holds and however they are put together, outcomes and
// records are those of a worker that takes one row after the other.

import fc from 'fast-check'
import t from 'tap'
import { importFiles, type WayFile } from '../helpers/import-ways.ts'
import { setup } from '../setup.ts'

const contactHeaders = [
  'id',
  'organization',
  'external_id',
  'emails',
  'first_name',
  'last_name',
  'title',
  'contact_type'
]
const oneOf = (...texts: string[]) => fc.constantFrom(...texts)
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
const mode = oneOf('create_and_update', 'create_and_update', 'create_only', 'update_only')
const contactFile = fc
  .record({
    rows: fc.array(contactRow, { minLength: 1, maxLength: 9 }),
    mode,
    organization: fc.constantFrom(null, null, 'A')
  })
  .map(({ rows, mode, organization }): WayFile => {
    const options = { mode, ...(organization && { organization }) }
    return { type: 'contacts', headers: contactHeaders, rows, options }
  })

const organizationHeaders = ['id', 'external_id', 'name', 'parent', 'organization_type', 'status']
const organizationRow = fc.tuple(
  oneOf('', '', '', '#0', '#1', '#2'),
  oneOf('', '', 'x1', 'x2', 'X3'),
  oneOf('A', 'B', 'C', 'D'),
  oneOf('', '', 'A', 'B', 'C', 'D', '#1'),
  oneOf('', 'T1', 'T2'),
  oneOf('', '', 'S1', 'S2')
)
const organizationFile = fc
  .record({ rows: fc.array(organizationRow, { minLength: 1, maxLength: 9 }), mode })
  .map(({ rows, mode }): WayFile => {
    return { type: 'organizations', headers: organizationHeaders, rows, options: { mode } }
  })

// The organization that the option names must exist.
const first: WayFile = { type: 'organizations', headers: ['name'], rows: [['A']] }

const ways = {
  'in one batch': { batchRows: 3_000, rowByRow: false },
  'in batches of three': { batchRows: 3, rowByRow: false },
  'in batches of one': { batchRows: 1, rowByRow: false }
}

for (const [name, file, numRuns] of [
  ['contacts', contactFile, 40],
  ['organizations', organizationFile, 40]
] as const) {
  t.test(`${name} become the same however their rows are put together`, async (t) => {
    const service = await setup(t)
    const property = fc.asyncProperty(fc.tuple(file, file), async (files) => {
      // The first file once more at the end: it meets records that have moved on.
      const all = [first, ...files, files[0]]
      const wanted = await importFiles(service, all, { batchRows: 1, rowByRow: true })
      for (const [way, options] of Object.entries(ways)) {
        const actual = await importFiles(service, all, options)
        if (!isSame(actual, wanted)) {
          throw new Error(`${way}: ${JSON.stringify({ actual, wanted }, null, 1)}`)
        }
      }
    })
    await fc.assert(property, { numRuns: Number(process.env.RUNS ?? numRuns), endOnFailure: false })
    t.pass('checked')
  })
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
