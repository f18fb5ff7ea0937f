// Records come back into a type that was changed while they were gone: what it no longer takes stays
// away, with the reason.

import t, { type Test } from 'tap'
import { changeThings, defineThings, field, importThings } from '../helpers/own-type.ts'
import { askUndo, codesOf, faultsOf, readStore, runJob, undoHere } from '../helpers/undo-ways.ts'
import { type Setup, setup } from '../setup.ts'

const toOrganizations = { reference: { type: 'organizations', rule: 'name' } }

/** The things there are, by name. */
async function things(s: Setup) {
  const { body } = await s.get('/records?type=things')
  return Object.fromEntries(
    body.data.map(({ data }: { data: Record<string, unknown> }) => {
      const { organization: _, name, ...rest } = data
      return [name, rest]
    })
  )
}

/** The codes of those that did not come back. */
const keptOf = (rows: Parameters<typeof codesOf>[0]) =>
  codesOf(rows)
    .filter((text) => text !== 'reverted')
    .sort()

/** Imports things, takes that back, changes the type and redoes it. */
async function redoChanged(
  t: Pick<Test, 'same'>,
  s: Setup,
  was: ReturnType<typeof field>[],
  is: ReturnType<typeof field>[],
  ...[columns, ...rows]: [string, ...string[]]
) {
  await defineThings(s, was)
  const { id } = await importThings(s, columns, ...rows)
  const { undo } = await undoHere(s, id)
  await changeThings(s, is)
  const redone = await undoHere(s, undo.id, { verb: 'redo' })
  t.same(await faultsOf(s, await readStore(s)), [])
  return { ...redone, id }
}

t.test('values of another kind, options that are gone, and what is too long now', async (t) => {
  const s = await setup(t)
  const { undo, rows, id } = await redoChanged(
    t,
    s,
    [field('size', 'text'), field('opt', 'select', { options: ['a', 'b'] }), field('tag', 'text')],
    [
      field('size', 'date'),
      field('opt', 'select', { options: ['b'] }),
      field('tag', 'text', { max_length: 3 })
    ],
    'name,size,opt,tag',
    'kind,huge,b,abc',
    'option,2026-01-31,a,abc',
    'length,2026-01-31,b,abcd',
    'all,huge,a,abcd',
    'fine,2026-01-31,b,abc'
  )
  t.match(undo, { state: 'completed_with_errors', counts: { kept: 4 } })
  t.same(keptOf(rows), [
    'kept option_gone',
    'kept option_gone value_unfit value_unfit',
    'kept value_unfit',
    'kept value_unfit'
  ])
  const messages = rows.flatMap(({ problems }) =>
    problems.map(({ message }: { message: string }) => message)
  )
  t.ok(
    messages.includes(
      'size was "huge", and takes only values of the kind date now; it stays as it is.'
    )
  )
  t.ok(messages.includes('tag was "abcd", and takes only 3 characters now; it stays as it is.'))
  t.same(await things(s), { fine: { size: '2026-01-31', opt: 'b', tag: 'abc' } })
  t.equal((await s.get(`/imports/${id}`)).body.state, 'partially_undone')
})

t.test('a text is no number, whatever it says; no text is no matter', async (t) => {
  const s = await setup(t)
  const { rows } = await redoChanged(
    t,
    s,
    [field('n', 'text')],
    [field('n', 'number')],
    'name,n',
    'x,12',
    'y,'
  )
  t.same(keptOf(rows), ['kept value_unfit'])
  t.same(await things(s), { y: {} })
})

t.test('a number that became a reference refers to nothing', async (t) => {
  const s = await setup(t)
  const acme = await s.uploadCsv('Name\nAcme\n', { type: 'organizations' })
  t.equal(acme.status, 202)
  const { rows } = await redoChanged(
    t,
    s,
    [field('n', 'integer')],
    [field('n', 'reference', toOrganizations)],
    'name,n',
    'x,1',
    'y,99'
  )
  t.same(keptOf(rows), ['kept value_unfit', 'kept value_unfit'])
  t.same(await things(s), {})
})

t.test(
  'a text that became a reference: the new values come back, the old ones do not',
  async (t) => {
    const s = await setup(t)
    const { rows } = await redoChanged(
      t,
      s,
      [field('owner', 'text')],
      [field('owner', 'reference', toOrganizations)],
      'name,owner',
      'x,Bob'
    )
    t.same(keptOf(rows), ['kept value_unfit'])
    const again = await importThings(s, 'name,owner', 'x,Acme')
    const before = await readStore(s)
    const { undo } = await undoHere(s, again.id)
    t.same(codesOf((await undoHere(s, undo.id, { verb: 'redo' })).rows), ['reverted'])
    t.same(await readStore(s), before)
  }
)

t.test('a field that is required now', async (t) => {
  const s = await setup(t)
  const { rows } = await redoChanged(
    t,
    s,
    [field('r', 'text')],
    [field('r', 'text', { required: true })],
    'name,r',
    'x,',
    'y,set'
  )
  t.same(keptOf(rows), ['kept required_since'])
  t.same(await things(s), { y: { r: 'set' } })
})

t.test('of two records with one identity by now, the first comes back', async (t) => {
  const s = await setup(t)
  const { undo, rows } = await redoChanged(
    t,
    s,
    [field('serial', 'text')],
    [field('serial', 'text', { unique: true })],
    'name,serial',
    'x,S1',
    'y,S1',
    'z,S2'
  )
  t.match(undo, { counts: { reverted: 3, kept: 1 } })
  t.same(keptOf(rows), ['kept identity_taken'])
  t.same(
    Object.values(await things(s))
      .map((data) => (data as { serial: string }).serial)
      .sort(),
    ['S1', 'S2']
  )
})

t.test('a type that was deleted and defined anew is another one', async (t) => {
  const s = await setup(t)
  await defineThings(s, [field('a', 'text')])
  const { id } = await importThings(s, 'name,a', 'x,1')
  const { undo } = await undoHere(s, id)
  const queued = (await undoHere(s, undo.id, { verb: 'redo' })).undo.id
  const last = await askUndo(s, queued)
  await runJob(s, last)
  const redo = () => s.request('POST', `/imports/${last}/redo`)
  t.equal((await s.request('DELETE', '/record-types/things')).status, 204)
  t.match(await redo(), { status: 422, body: { code: 'unknown_record_type' } }, 'deleted')
  await defineThings(s, [field('a', 'text')])
  const refused = await redo()
  t.match(refused, { status: 422, body: { code: 'unknown_record_type' } }, 'defined anew')
  t.match(refused.body.detail, /the one of before/)
  t.equal((await s.get(`/imports/${last}`)).body.state, 'completed')
  t.same(await things(s), {})
  const anew = await importThings(s, 'name,a', 'x,2')
  const undone = await undoHere(s, anew.id)
  await undoHere(s, undone.undo.id, { verb: 'redo' })
  t.same(await things(s), { x: { a: '2' } })
})

t.test('a type stays while a redo waits for it', async (t) => {
  const s = await setup(t)
  await defineThings(s, [field('a', 'text')])
  const { id } = await importThings(s, 'name,a', 'x,1')
  const { undo } = await undoHere(s, id)
  const redo = await askUndo(s, undo.id, { verb: 'redo' })
  await s.request('POST', `/imports/${redo}/pause`)
  t.match(await s.request('DELETE', '/record-types/things'), {
    status: 409,
    body: { code: 'type_conflict' }
  })
  await s.request('POST', `/imports/${redo}/resume`)
  t.match(await runJob(s, redo), { state: 'completed' })
  t.same(await things(s), { x: { a: '1' } })
})

t.test('a dry run says nothing of a secret whose field is gone', async (t) => {
  const s = await setup(t)
  await defineThings(s, [field('pin', 'password'), field('a', 'text')])
  const { id } = await importThings(s, 'name,pin,a', 'x,canary,1')
  await changeThings(s, [field('a', 'text')])
  const { undo, rows } = await undoHere(s, id, { dry_run: true })
  t.match(rows[0].changes, { pin: { from: { secret: true }, to: null }, a: { from: '1' } })
  const kept = await s.pool.query(
    'SELECT changes::text FROM import_rows WHERE account_id = $1 AND import_id = $2',
    [s.account_id, undo.id]
  )
  t.notMatch(JSON.stringify(kept.rows), /enc:|canary/)
})
