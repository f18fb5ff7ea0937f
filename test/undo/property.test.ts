// Import and undo: whatever the files hold, everything is as it was before, values and keys, except for
// what was changed since. Redo brings it all back, and undo again takes it away again.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { holds } from '../helpers/property.ts'
import {
  codesOf,
  faultsOf,
  importHere,
  readStore,
  rowsOf,
  type Store,
  undoHere
} from '../helpers/undo-ways.ts'
import { type Setup, setup } from '../setup.ts'

// Few values, so that rows meet each other in every way.
const oneOf = (...texts: string[]) => fc.constantFrom(...texts)

interface File {
  type: string
  rows: string[][]
  repeats: string
  batchRows: number
}

const contactRow = fc.tuple(
  oneOf('A', 'A', 'B', 'C'),
  oneOf('', '', 'x1', 'x2', 'x3'),
  oneOf('', '', 'e1@x.io', 'e2@x.io', 'e3@x.io', 'e1@x.io|e2@x.io'),
  oneOf('F1', 'F2', 'F3'),
  oneOf('', 'L1', 'L2'),
  oneOf('', 'T1', 'T2'),
  oneOf('', '', 'K1', 'K2')
)
const contactHeaders = [
  'organization',
  'external_id',
  'emails',
  'first_name',
  'last_name',
  'title',
  'contact_type'
]

const organizationRow = fc.tuple(
  oneOf('', 'x1', 'x2', 'x3'),
  oneOf('A', 'B', 'C', 'D'),
  oneOf('', '', 'A', 'B', 'C', 'D'),
  oneOf('', 'T1', 'T2'),
  oneOf('', 'S1', 'S2')
)
const organizationHeaders = ['external_id', 'name', 'parent', 'organization_type', 'status']

// Models live inside their manufacturers: what one row makes by naming it are chains.
const configurationRow = fc.tuple(
  oneOf('A', 'B'),
  oneOf('', 'x1', 'x2'),
  oneOf('N1', 'N2', 'N3'),
  oneOf('', 's1', 's2', 's3'),
  oneOf('M1', 'M2'),
  oneOf('', 'm1', 'm2'),
  oneOf('C1', 'C2')
)
const configurationHeaders = [
  'organization',
  'external_id',
  'name',
  'serial_number',
  'manufacturer',
  'model',
  'configuration_type'
]

const fileOf = (type: string, headers: string[], row: fc.Arbitrary<string[]>) =>
  fc
    .tuple(
      fc.array(row, { minLength: 1, maxLength: 8 }),
      oneOf('merge', 'reject'),
      fc.constantFrom(1, 2, 3, 3_000)
    )
    .map(([rows, repeats, batchRows]): File => {
      return { type, rows: [headers, ...rows], repeats, batchRows }
    })

const anyFile = fc.oneof(
  fileOf('contacts', contactHeaders, contactRow),
  fileOf('organizations', organizationHeaders, organizationRow),
  fileOf('configurations', configurationHeaders, configurationRow)
)

async function run(service: Setup, { type, rows, repeats, batchRows }: File) {
  return importHere(service, rows, { type, repeats }, { batchRows })
}

const wrote = ({ counts, references_created }: Awaited<ReturnType<typeof run>>) =>
  counts.created + counts.updated + Object.keys(references_created).length > 0

function same(what: string, actual: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(actual, wanted)) return
  throw new Error(`${what}: ${JSON.stringify({ actual, wanted }, null, 1)}`)
}

async function checkedStore(service: Setup): Promise<Store> {
  const store = await readStore(service)
  same('faults', await faultsOf(service, store), [])
  return store
}

async function emptied(service: Setup): Promise<void> {
  const tables = ['records', 'record_keys', 'record_changes', 'import_rows', 'import_references']
  for (const table of [...tables, 'pushes', 'imports'])
    await service.pool.query(`DELETE FROM ${table}`)
}

t.test('undo, redo, undo: as before, as after, as before', async (t) => {
  const service = await setup(t)
  const property = fc.asyncProperty(
    anyFile,
    anyFile,
    fc.constantFrom(1, 2, 3_000),
    async (one, two, batchRows) => {
      await emptied(service)
      const first = await run(service, one)
      const before = await checkedStore(service)
      const second = await run(service, two)
      const after = await checkedStore(service)
      if (!wrote(second)) return
      const undo = async (id: number, verb: 'undo' | 'redo', wanted: Store) => {
        const { undo, rows } = await undoHere(service, id, { verb }, { batchRows })
        same(verb, await checkedStore(service), wanted)
        same(`${verb}: state`, [undo.state, undo.counts.not_reached], ['completed', 0])
        same(
          `${verb}: outcomes`,
          codesOf(rows),
          rows.map(() => 'reverted')
        )
        return undo.id
      }
      const undone = await undo(second.id, 'undo', before)
      await undo(undone, 'redo', after)
      same('state', (await service.get(`/imports/${second.id}`)).body.state, second.state)
      await undo(second.id, 'undo', before)
      same('state', (await service.get(`/imports/${second.id}`)).body.state, 'undone')
      if (wrote(first)) await undo(first.id, 'undo', { records: {}, keys: [] })
    }
  )
  await holds(property, 20)
})

const stands = ['referred_to', 'identity_taken', 'reference_gone']

/** What a field has to be after an undo, by what it was before, after, and later. */
function checkField(codes: string[], [v1, v2, v3, v4]: unknown[], place: string): void {
  const isOurs = !isDeepStrictEqual(v1, v2)
  const isChanged = !isDeepStrictEqual(v2, v3)
  if (isOurs && !isChanged && isDeepStrictEqual(v4, v1)) return
  if (isOurs && !isChanged && !codes.some((code) => stands.includes(code))) {
    throw new Error(`${place} is ${v4}, not ${v1} as before; ${codes}`)
  }
  if (!isDeepStrictEqual(v4, v3)) throw new Error(`${place} is ${v4}, not ${v3} as it was left`)
}

/** Whether a field of a record came back to what it was two imports ago. */
const putBack = (...[s1, s2, s3]: [Store, Store, Store]) =>
  Object.entries(s1.records).some(([id, { data }]) =>
    [...new Set([...Object.keys(data), ...Object.keys(s3.records[Number(id)]?.data ?? {})])].some(
      (name) => {
        const [v1, v2, v3] = [s1, s2, s3].map(({ records }) => records[Number(id)]?.data[name])
        return isDeepStrictEqual(v1, v3) && !isDeepStrictEqual(v1, v2)
      }
    )
  )

t.test('what was changed since stays, and what it rests on; the rest goes', async (t) => {
  const service = await setup(t)
  const property = fc.asyncProperty(anyFile, anyFile, anyFile, async (one, two, three) => {
    await emptied(service)
    await run(service, one)
    const s1 = await checkedStore(service)
    const second = await run(service, two)
    const s2 = await checkedStore(service)
    const third = await run(service, three)
    const s3 = await checkedStore(service)
    if (!wrote(second)) return
    const { undo, rows } = await undoHere(service, second.id, {}, { batchRows: two.batchRows })
    const s4 = await checkedStore(service)
    for (const id of new Set([s1, s2, s3].flatMap(({ records }) => Object.keys(records)))) {
      const [r1, r2, r3, r4] = [s1, s2, s3, s4].map(({ records }) => records[Number(id)])
      const row = rows.find(({ record_id }) => record_id === Number(id))
      const codes = codesOf(row ? [row] : [])[0]?.split(' ') ?? []
      if (r2 && !r1) {
        const isSame = isDeepStrictEqual(r2.data, r3?.data)
        const goes = isSame && !codes.includes('referred_to')
        same(`record ${id} is there, ${codes}`, r4 !== undefined, !goes)
        continue
      }
      const names = new Set([r1, r2, r3, r4].flatMap((r) => Object.keys(r?.data ?? {})))
      for (const name of names) {
        const values = [r1, r2, r3, r4].map((r) => r?.data[name])
        checkField(codes, values, `record ${id}: ${name}`)
      }
    }
    same('each once', new Set(rows.map(({ record_id }) => record_id)).size, rows.length)
    same('all of them', undo.counts.not_reached, 0)
    // Once the later import is gone, nothing stands in the way any more.
    if (!wrote(third) || undo.state === 'completed') return
    const { undo: later } = await undoHere(service, third.id, {}, { batchRows: three.batchRows })
    await checkedStore(service)
    const state = (await service.get(`/imports/${second.id}`)).body.state
    if (later.state !== 'completed' || state === 'undone') return
    const { undo: rest } = await undoHere(service, second.id)
    const s6 = await checkedStore(service)
    const codesLeft = codesOf(await rowsOf(service, rest.id)).join()
    // Of what the later import had put back to what it was before, nothing was left to take back.
    if (rest.state === 'completed' && !putBack(s1, s2, s3)) {
      same(`all as before, ${codesLeft}`, s6, s1)
    }
  })
  await holds(property, 25)
})
