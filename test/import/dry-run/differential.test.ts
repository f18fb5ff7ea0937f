// A dry run says what the import does, writes nothing, and applied makes the same of the same files:
// outcomes, records, keys and history, also when it is interrupted again and again.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { importFiles, importWithDrift, type Way, type WayFile } from '../../helpers/import-ways.ts'
import { holds } from '../../helpers/property.ts'
import {
  contacts,
  contactsFile,
  merging,
  mergingFile,
  organizations,
  organizationsFile,
  usersFile,
  withIds
} from '../../helpers/way-files.ts'
import { type Setup, setup } from '../../setup.ts'

const ways: Record<string, Way> = {
  'in one batch': { batchRows: 3_000, dryFirst: true },
  'in small batches': { batchRows: 2, dryFirst: true },
  'interrupted all the time': { batchRows: 1, dryFirst: true, interrupted: true }
}

// The organization that the option names must exist.
const first = organizations([['', '', 'A', '', '', '']])

async function check(service: Setup, files: WayFile[], names = Object.keys(ways)): Promise<void> {
  const all = [first, ...files]
  const wanted = await importFiles(service, all, { batchRows: 3 })
  for (const name of names) {
    const actual = await importFiles(service, all, ways[name] as Way)
    if (!isDeepStrictEqual(actual, wanted)) {
      throw new Error(`${name}: ${JSON.stringify({ files, actual, wanted }, null, 1)}`)
    }
  }
}

for (const [name, file] of [
  ['contacts', contactsFile],
  ['contacts that may repeat', mergingFile],
  ['users that may repeat', usersFile.map((file) => merging(file))],
  ['organizations', organizationsFile],
  ['organizations that may repeat', organizationsFile.map((file) => merging(file))],
  ['contacts with ids of other systems', withIds(contactsFile)]
] as const) {
  t.test(`${name}: a dry run that is applied does what the import does`, async (t) => {
    const service = await setup(t)
    const way = fc.constantFrom(...Object.keys(ways))
    const property = fc.asyncProperty(file, file, way, (one, two, way) =>
      check(service, [one, two, one], [way])
    )
    await holds(property, 6)
    t.pass('the same')
  })
}

for (const [name, file] of [
  ['contacts', contactsFile],
  ['contacts that may repeat', mergingFile],
  ['organizations that may repeat', organizationsFile.map((file) => merging(file))]
] as const) {
  t.test(`${name}: whatever has changed, each row is done as shown or has drifted`, async (t) => {
    const service = await setup(t)
    const way = fc.constantFrom(...Object.values(ways))
    let drifted = 0
    const property = fc.asyncProperty(file, file, file, way, async (before, one, two, way) => {
      const { shown, done } = await importWithDrift(service, [first, before, one, two], way)
      for (const [index, row] of done.entries()) {
        const then = shown[index]
        if (row.problems?.some(({ code }) => code === 'drifted')) drifted++
        else if (
          row.outcome !== then?.outcome ||
          !isDeepStrictEqual(row.changed_fields, then.changed_fields) ||
          // Left out then and now: whatever record it finds, it does nothing to it.
          (then.record_id !== null &&
            then.outcome !== 'skipped' &&
            then.record_id !== row.record_id)
        ) {
          throw new Error(JSON.stringify({ index, before, one, two, shown, done }))
        }
      }
    })
    await holds(property, 6)
    t.ok(drifted > 0, `${drifted} rows have drifted`)
  })
}

t.test('rows that meet records which the file itself makes', async (t) => {
  const service = await setup(t)
  await check(service, [
    organizations([
      ['', 'x1', 'A', 'B', '', ''],
      ['', 'x2', 'B', 'C', 'T1', 'S1'],
      ['', '', 'C', '', 'T2', ''],
      ['', 'x1', 'A', '', 'T2', '']
    ]),
    merging(
      contacts([
        ['', 'D', 'x1', 'e1@x.io', 'F1', 'L1', 'T1', 'K1'],
        ['', 'D', '', 'e1@x.io|e2@x.io', 'F1', 'L2', '', ''],
        ['', 'E', 'x1', '', 'F1', 'L1', '', '']
      ])
    )
  ])
  t.pass('the same')
})
