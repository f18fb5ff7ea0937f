// `import.undone`: once for each time that an import comes to be undone, whole or in part.

import t from 'tap'
import { askUndo, runJob, undoHere } from '../helpers/undo-ways.ts'
import { type Setup, setup } from '../setup.ts'

const header = 'organization,external_id,first_name,title\n'
const fileOf = (count: number, name: string) =>
  header + Array.from({ length: count }, (_, i) => `A,x${i},${name},\n`).join('')

const importHere = async (s: Setup, csv: string): Promise<number> =>
  (await runJob(s, (await s.uploadCsv(csv)).body.id)).id

/** What `import.undone` has told since it was asked last: id of the import, its state. */
function teller({ pool }: Setup) {
  let seen = 0
  return async () => {
    const { rows } = await pool.query(
      `SELECT import_id, data -> 'import' ->> 'state' AS state
      FROM events WHERE type = 'import.undone' ORDER BY position OFFSET $1`,
      [seen]
    )
    seen += rows.length
    return rows.map(({ import_id, state }) => [import_id, state])
  }
}

/** An undo that is cancelled: before its first batch, or after some. */
async function cancelled(s: Setup, id: number, batches: number): Promise<number> {
  const undo = await askUndo(s, id)
  if (batches > 0) await runJob(s, undo, { batchRows: 1, looks: batches + 1 })
  await s.request('POST', `/imports/${undo}/cancel`)
  t.match((await s.get(`/imports/${undo}`)).body, { state: 'cancelled' })
  return undo
}

t.test('an undo is told of once, and so is each of undo, redo and undo', async (t) => {
  const s = await setup(t)
  const told = teller(s)
  const id = await importHere(s, fileOf(3, 'Ann'))
  await undoHere(s, id, { dry_run: true })
  t.same(await told(), [], 'a dry run takes nothing back')
  const first = (await undoHere(s, id)).undo.id
  t.same(await told(), [[id, 'undone']])
  await undoHere(s, first, { verb: 'redo' })
  t.same(await told(), [[first, 'undone']], 'the redo takes the undo back')
  const second = (await undoHere(s, id)).undo.id
  t.same(await told(), [[id, 'undone']])
  const redo = (await undoHere(s, second, { verb: 'redo' })).undo.id
  t.same(await told(), [[second, 'undone']])
  await undoHere(s, redo)
  t.same(await told(), [
    [redo, 'undone'],
    [id, 'undone']
  ])
})

t.test('an undo that leaves something, and the one that takes the rest, are told of', async (t) => {
  const s = await setup(t)
  const told = teller(s)
  await importHere(s, fileOf(3, 'Ann'))
  const id = await importHere(s, fileOf(3, 'Bob'))
  const later = await importHere(s, `${header}A,x0,Zed,\n`)
  t.match((await undoHere(s, id)).undo, { counts: { reverted: 2, kept: 1 } })
  t.same(await told(), [[id, 'partially_undone']])
  t.match((await undoHere(s, id)).undo, { counts: { reverted: 0, kept: 1 } })
  t.same(await told(), [], 'nothing more was taken back')
  await undoHere(s, later)
  t.same(await told(), [[later, 'undone']])
  await undoHere(s, id)
  t.same(await told(), [[id, 'undone']])
})

t.test('what somebody else put back makes the import undone, which is told of', async (t) => {
  const s = await setup(t)
  const told = teller(s)
  await importHere(s, fileOf(3, 'Ann'))
  const id = await importHere(s, fileOf(3, 'Bob'))
  await importHere(s, `${header}A,x0,Zed,\n`)
  await undoHere(s, id)
  await importHere(s, `${header}A,x0,Ann,\n`)
  t.same(await told(), [[id, 'partially_undone']])
  await undoHere(s, id)
  t.same(await told(), [[id, 'undone']])
})

t.test('a cancelled undo is told of when it took something back', async (t) => {
  const s = await setup(t)
  const told = teller(s)
  await importHere(s, fileOf(4, 'Ann'))
  const id = await importHere(s, fileOf(4, 'Bob'))
  await cancelled(s, id, 0)
  t.same(await told(), [])
  await cancelled(s, id, 2)
  t.same(await told(), [[id, 'partially_undone']])
  await cancelled(s, id, 0)
  t.same(await told(), [], 'it stays what it was')
  await cancelled(s, id, 1)
  t.same(await told(), [[id, 'partially_undone']], 'more was taken back')
  await undoHere(s, id)
  t.same(await told(), [[id, 'undone']])
})

t.test('a redo in part is told of for the undo and for the import', async (t) => {
  const s = await setup(t)
  const told = teller(s)
  await importHere(s, fileOf(4, 'Ann'))
  const id = await importHere(s, fileOf(4, 'Bob'))
  const undo = (await undoHere(s, id)).undo.id
  await told()
  await cancelled(s, undo, 0)
  t.same(await told(), [])
  const redo = await askUndo(s, undo)
  await runJob(s, redo, { looks: 0 })
  await s.request('POST', `/imports/${redo}/cancel`)
  t.same(await told(), [], 'a worker that stops before it begins moves nothing')
  await cancelled(s, undo, 2)
  t.same(await told(), [
    [undo, 'partially_undone'],
    [id, 'partially_undone']
  ])
  await cancelled(s, undo, 0)
  t.same(await told(), [])
  await undoHere(s, undo, { verb: 'redo' })
  t.same(await told(), [[undo, 'undone']])
  t.match((await s.get(`/imports/${id}`)).body, { state: 'completed' })
})
