// An import, its undos and their redos: one of them is at work at a time, and an import that was
// retried is taken back as a whole or not at all.

import t from 'tap'
import { canMove, type ImportState } from '../../src/import/status.ts'
import { askUndo, codesOf, readStore, runJob, undoHere } from '../helpers/undo-ways.ts'
import { type Setup, setup } from '../setup.ts'

const header = 'organization,external_id,first_name\n'
const fileOf = (count: number, name: string) =>
  header + Array.from({ length: count }, (_, i) => `A,x${i},${name}${i}\n`).join('')

const importHere = async (s: Setup, csv: string) =>
  await runJob(s, (await s.uploadCsv(csv)).body.id)

const ask = (s: Setup, id: number, verb: string) => s.request('POST', `/imports/${id}/${verb}`)

const stateOf = async (s: Setup, id: number) => (await s.get(`/imports/${id}`)).body.state

/** An import of 30 contacts that was cancelled on its way, its undo, and the redo of that. */
async function redone(s: Setup) {
  await importHere(s, `${header}A,keep,Kim\n`)
  const { id } = (await s.uploadCsv(fileOf(30, 'Ann'))).body
  await runJob(s, id, { batchRows: 5, looks: 4 })
  await ask(s, id, 'cancel')
  const undo = (await undoHere(s, id)).undo.id
  const redo = (await undoHere(s, undo, { verb: 'redo' })).undo.id
  return { id, undo, redo }
}

t.test(
  'a field that an undo had to leave is taken up by the next one, and only that',
  async (t) => {
    const s = await setup(t)
    const row = (...cells: string[]) =>
      importHere(s, `organization,external_id,first_name,last_name,title\nA,x1,${cells}\n`)
    await row('Ann', 'Lee', 'a')
    const first = await row('Ann1', 'Lee1', 'a1')
    const later = await row('Ann1', 'Lee2', 'a1')
    const { undo, rows } = await undoHere(s, first.id)
    t.strictSame(codesOf(rows), ['reverted changed_since'])
    t.equal(undo.state, 'completed_with_errors')
    t.equal(await stateOf(s, first.id), 'partially_undone')
    // Set to what the import had left, on purpose.
    await row('Ann', 'Lee2', 'a1')
    await undoHere(s, later.id)
    const again = await undoHere(s, first.id)
    t.match(again.rows, [{ outcome: 'reverted', changed_fields: ['last_name'], problems: [] }])
    t.equal(await stateOf(s, first.id), 'undone')
    const { body } = await s.get('/records?type=contacts')
    t.match(body.data[0].data, { first_name: 'Ann', last_name: 'Lee', title: 'a1' })
  }
)

t.test('of two undos that each took a part the older one is redone', async (t) => {
  const s = await setup(t)
  const row = (...cells: string[]) =>
    importHere(s, `organization,external_id,first_name,last_name,title\nA,x1,${cells}\n`)
  const titled = async () => (await s.get('/records?type=contacts')).body.data[0].data
  await row('Ann', 'Lee', 'a')
  const first = await row('Ann', 'Lee1', 'a1')
  const later = await row('Ann', 'Lee2', 'a1')
  const older = await undoHere(s, first.id)
  await undoHere(s, later.id)
  await undoHere(s, first.id)
  t.equal(await stateOf(s, first.id), 'undone')
  await undoHere(s, older.undo.id, { verb: 'redo' })
  t.match(await titled(), { last_name: 'Lee', title: 'a1' })
  t.equal(await stateOf(s, first.id), 'partially_undone')
  const again = await undoHere(s, first.id)
  t.match(again.rows, [{ outcome: 'reverted', changed_fields: ['title'] }])
  t.match(await titled(), { last_name: 'Lee', title: 'a' })
  t.equal(await stateOf(s, first.id), 'undone')
})

t.test('the redo of an import that was retried since is not taken back', async (t) => {
  const s = await setup(t)
  const { id, redo } = await redone(s)
  t.equal((await ask(s, id, 'retry')).status, 202)
  const queued = await ask(s, redo, 'undo')
  t.match(queued, { status: 409, body: { code: 'import_state_conflict' } }, 'queued')
  t.match(queued.body.detail, `Import ${id} is queued`)
  await runJob(s, id, { batchRows: 2, looks: 2 })
  await ask(s, id, 'pause')
  t.equal(await stateOf(s, id), 'paused')
  t.match(await ask(s, redo, 'undo'), { status: 409, body: { code: 'import_state_conflict' } })
  await ask(s, id, 'resume')
  const ended = await runJob(s, id)
  t.match(ended, { state: 'completed', counts: { created: 30 } })
  t.ok(ended.finished_at)
  const late = await ask(s, redo, 'undo')
  t.match(late, { status: 409, body: { code: 'import_state_conflict' } }, 'ended')
  t.match(late.body.detail, /retried since: take it back as a whole/)
  const { undo } = await undoHere(s, id)
  t.match(undo, { state: 'completed', counts: { reverted: 30 } })
  t.equal(await stateOf(s, id), 'undone')
  t.equal(Object.keys((await readStore(s)).records).length, 2, 'Kim and the organization')
  const again = await undoHere(s, undo.id, { verb: 'redo' })
  t.match(again.undo, { state: 'completed', counts: { reverted: 30 } })
  t.equal(await stateOf(s, id), 'completed', 'as it ended last')
})

t.test('an import is not retried while the redo of its undo is being taken back', async (t) => {
  const s = await setup(t)
  const { id, undo, redo } = await redone(s)
  const last = await askUndo(s, redo)
  t.equal(await stateOf(s, id), 'cancelled')
  const refused = await ask(s, id, 'retry')
  t.match(refused, { status: 409, body: { code: 'import_state_conflict' } })
  t.match(refused.body.detail, `Import ${last} is queued`)
  await ask(s, last, 'cancel')
  t.same([await stateOf(s, id), await stateOf(s, undo)], ['cancelled', 'undone'])
  t.equal((await ask(s, id, 'retry')).status, 202)
  t.match(await runJob(s, id), { state: 'completed', counts: { created: 30 } })
})

t.test('an import is not undone again while an undo of it is being redone', async (t) => {
  const s = await setup(t)
  await importHere(s, fileOf(6, 'Ann'))
  const before = await readStore(s)
  const { id } = await importHere(s, fileOf(6, 'Bob'))
  const later = await importHere(s, `${header}A,x0,Zed\n`)
  const first = (await undoHere(s, id)).undo
  t.match(first, { counts: { reverted: 5, kept: 1 } })
  await undoHere(s, later.id)
  const redo = await askUndo(s, first.id, { verb: 'redo' })
  await runJob(s, redo, { batchRows: 1, looks: 4 })
  t.match(await ask(s, redo, 'pause'), { body: { state: 'paused' } })
  t.equal(await stateOf(s, id), 'partially_undone')
  const refused = await ask(s, id, 'undo')
  t.match(refused, { status: 409, body: { code: 'import_state_conflict' } })
  t.match(refused.body.detail, `Import ${redo} is paused`)
  await ask(s, redo, 'resume')
  t.match(await runJob(s, redo), { state: 'completed', counts: { reverted: 5 } })
  t.equal(await stateOf(s, id), 'completed')
  t.match((await undoHere(s, id)).undo, { state: 'completed', counts: { reverted: 6 } })
  t.equal(await stateOf(s, id), 'undone')
  t.same(await readStore(s), before)
})

t.test('a dry run in the family is in nobody’s way', async (t) => {
  const s = await setup(t)
  const { id } = await importHere(s, fileOf(3, 'Ann'))
  await askUndo(s, id, { dry_run: true })
  const { undo } = await undoHere(s, id)
  await askUndo(s, undo.id, { verb: 'redo', dry_run: true })
  t.match((await undoHere(s, undo.id, { verb: 'redo' })).undo, { state: 'completed' })
  t.equal(await stateOf(s, id), 'completed')
})

t.test(
  'every move of an import whose undo is redone, and that undone, is in the table',
  async (t) => {
    const s = await setup(t)
    await importHere(s, fileOf(3, 'Ann'))
    const { id } = await importHere(s, fileOf(4, 'Bob'))
    const states: ImportState[] = [await stateOf(s, id)]
    let last = id
    for (let n = 0; n < 4; n++) {
      last = await askUndo(s, last)
      states.push(await stateOf(s, id))
      await runJob(s, last)
      states.push(await stateOf(s, id))
    }
    t.same(states, [
      'completed',
      ...['undoing', 'undone'],
      ...['undone', 'completed'],
      ...['completed', 'undone'],
      ...['undone', 'completed']
    ])
    const moves = states.slice(1).map((to, i) => [states[i] as ImportState, to] as const)
    t.same(
      moves.filter(([from, to]) => from !== to && !canMove(from, to)),
      []
    )
  }
)
