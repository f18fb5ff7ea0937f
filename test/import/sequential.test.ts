// Batches are invisible: whatever rows a file holds and however they are put together, outcomes and
// records are those of a worker that takes one row after the other. Where rows may meet again
// (repeats=merge) and none waits for a later one, they are even those of an import for each row.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { importFiles, type Way, type WayFile } from '../helpers/import-ways.ts'
import { holds } from '../helpers/property.ts'
import {
  contacts,
  contactsFile,
  merging,
  mergingFile,
  oneOf,
  organizations,
  organizationsFile,
  usersFile,
  withIds
} from '../helpers/way-files.ts'
import { type Setup, setup } from '../setup.ts'

const ways: Record<string, Way> = {
  'in one batch': { batchRows: 3_000 },
  'in batches of three': { batchRows: 3 },
  'in batches of one': { batchRows: 1 },
  'all or nothing': { batchRows: 4, atomicFirst: true }
}

/** Imports the files row by row and in the given ways, and compares all there is to see. */
async function checkWays(
  service: Setup,
  files: WayFile[],
  names: string[],
  rowByRow = true
): Promise<void> {
  // The organization that the option names must exist.
  const first = organizations([['', '', 'A', '', '', '']])
  const all = [first, ...files]
  const wanted = await importFiles(service, all, { batchRows: 1, rowByRow })
  for (const name of names) {
    const actual = await importFiles(service, all, ways[name] as Way)
    if (!isDeepStrictEqual(actual, wanted)) {
      throw new Error(`${name}: ${JSON.stringify({ actual, wanted }, null, 1)}`)
    }
  }
  for (const [index, file] of all.entries()) {
    if (all[index + 1] === file) checkSecondTime(file, wanted.outcomes.slice(index, index + 2))
  }
}

type Outcomes = Awaited<ReturnType<typeof importFiles>>['outcomes']

/** A file of which every row made a record finds them all when it is sent again at once. */
function checkSecondTime(file: WayFile, [before, again]: Outcomes): void {
  if (!before?.every((row) => row.outcome === 'created')) return
  // An id that named nothing the first time may name a record by now.
  if (file.rows.some((row) => row.some((cell) => cell.startsWith('#')))) return
  const expected = file.options?.mode === 'create_only' ? 'skipped' : 'unchanged'
  if (again?.every((row) => row.outcome === expected)) return
  throw new Error(`sent again: ${JSON.stringify({ file, again }, null, 1)}`)
}

for (const [name, file, rowByRow] of [
  ['contacts that may repeat', mergingFile, true],
  ['contacts', contactsFile, false],
  ['users that may repeat', usersFile.map((file) => merging(file)), true],
  ['users', usersFile, false],
  ['organizations that may repeat', organizationsFile.map(merging), false],
  ['organizations', organizationsFile, false],
  ['contacts with ids of other systems', withIds(mergingFile), true],
  ['users with ids of other systems', withIds(usersFile.map(merging)), true],
  ['organizations with ids of other systems', withIds(organizationsFile), false]
] as const) {
  t.test(`${name} become the same however their rows are put together`, async (t) => {
    const service = await setup(t)
    const property = fc.asyncProperty(file, file, oneOf(...Object.keys(ways)), (one, two, way) =>
      checkWays(service, [one, two, two, one], [way], rowByRow)
    )
    await holds(property, 8)
    t.pass('every way made the same')
  })
}

// Files whose rows once depended on where a batch was cut.
const found: Record<string, WayFile[]> = {
  'a contact that is renamed, and a row with the name of two': [
    contacts([['', 'B', '', 'e1@x.io', 'F3', 'L2', '', '']]),
    contacts([['', 'B', '', 'e2@x.io', 'F3', 'L3', '', '']]),
    contacts([['', 'B', '', 'e2@x.io', 'F3', 'L2', '', '']]),
    contacts([
      ['', 'B', '', 'e1@x.io', 'F1', '', '', ''],
      ['', 'B', '', '', 'F3', 'L2', '', '']
    ])
  ],
  'a contact that takes its external id to another organization': [
    contacts([['', 'A', 'x1', '', 'F1', 'L1', '', '']]),
    contacts([
      ['#1', 'B', '', '', 'F1', '', '', ''],
      ['', 'B', 'x1', '', 'F2', '', '', '']
    ])
  ],
  'one organization for the file, and a contact of another': [
    contacts([['', 'B', 'x1', '', 'F1', 'L1', '', '']]),
    contacts([['#1', '', '', '', 'F1', '', 'T1', '']], { organization: 'A' })
  ],
  'a parent that is renamed between two rows that name it': [
    organizations([['', 'x1', 'B', '', '', '']]),
    organizations([
      ['', '', 'C', 'B', '', ''],
      ['', 'x1', 'D', '', '', ''],
      ['', '', 'E', 'B', '', '']
    ])
  ]
}

t.test('rows see what the rows before them changed', async (t) => {
  const service = await setup(t)
  for (const [name, files] of Object.entries(found)) {
    await checkWays(service, files.map(merging), Object.keys(ways))
    t.pass(name)
  }
})
