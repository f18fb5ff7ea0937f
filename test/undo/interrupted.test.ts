// Undos that do not run through: cut off after every batch, cancelled, overtaken, failing, tried out.

import t from 'tap'
import { claimImport } from '../../src/import/write/import-state.ts'
import {
  askUndo,
  codesOf,
  faultsOf,
  readStore,
  rowsOf,
  runJob,
  undoHere
} from '../helpers/undo-ways.ts'
import { type Setup, setup } from '../setup.ts'

const header = 'organization,external_id,first_name\n'
const fileOf = (count: number, name: string) =>
  `${header}${Array.from({ length: count }, (_, i) => `A,x${i},${name}${i}\n`).join('')}`

/** Ten records, changed by one import. */
async function changed(service: Setup) {
  const first = await service.uploadCsv(fileOf(10, 'Ann'))
  await runJob(service, first.body.id)
  const before = await readStore(service)
  const second = await service.uploadCsv(fileOf(12, 'Bob'))
  await runJob(service, second.body.id)
  return { first: first.body.id, second: second.body.id, before }
}

/** A property, or a method that knows whose it is. */
function bound(target: object, name: string | symbol) {
  const value = Reflect.get(target, name, target)
  return typeof value === 'function' ? value.bind(target) : value
}

const show = async (service: Setup, id: number) => (await service.get(`/imports/${id}`)).body

t.test('cut off after every batch it goes on where it was, and does nothing twice', async (t) => {
  const service = await setup(t)
  const { second, before } = await changed(service)
  const id = await askUndo(service, second)
  t.match(await show(service, second), { state: 'undoing', undone_by: id })
  let attempts = 0
  let last = -1
  for (; (await show(service, id)).finished_at === null && attempts < 50; attempts++) {
    const { rows, state } = await runJob(service, id, { batchRows: 2, looks: 2 })
    if (state === 'queued') t.equal(rows.total, 12, 'known from the start')
    t.ok(rows.done > last || state === 'completed', 'it gets on')
    last = rows.done
  }
  t.ok(attempts > 3, 'really in pieces')
  t.strictSame(codesOf(await rowsOf(service, id)), Array(12).fill('reverted'))
  t.strictSame(await readStore(service), before)
  t.equal((await show(service, second)).state, 'undone')
  const { rows } = await service.pool.query(
    'SELECT count(*), count(DISTINCT record_id) AS records FROM record_changes WHERE import_id = $1',
    [id]
  )
  t.strictSame(rows, [{ count: 12, records: 12 }], 'one change for each record')
})

t.test('a worker that was overtaken leaves nothing', async (t) => {
  const service = await setup(t)
  const { second } = await changed(service)
  const id = await askUndo(service, second)
  const before = await readStore(service)
  // Another worker takes it over while this one has its first batch in hand.
  const { pool, account_id } = service
  const taken = { done: false }
  const connect = pool.connect.bind(pool)
  const slow = new Proxy(pool, {
    get(target, name) {
      if (name !== 'connect') return bound(target, name)
      return async () => {
        if (taken.done) return connect()
        taken.done = true
        await claimImport(pool, account_id, id, 'undo')
        return connect()
      }
    }
  })
  await runJob({ ...service, pool: slow } as Setup, id)
  t.strictSame(await readStore(service), before)
  t.match(await show(service, id), { state: 'running', rows: { done: 0 } })
  t.match(await runJob(service, id), { state: 'completed', counts: { reverted: 12 } })
})

t.test(
  'cancelled in the middle: what was taken back stays so, undo again takes the rest',
  async (t) => {
    const service = await setup(t)
    const { second, before } = await changed(service)
    const id = await askUndo(service, second)
    await runJob(service, id, { batchRows: 2, looks: 3 })
    const done = (await show(service, id)).counts.reverted
    t.ok(done > 0 && done < 12, `${done} of 12`)
    await service.pool.query(`UPDATE imports SET state = 'running' WHERE id = $1`, [id])
    t.equal((await service.request('POST', `/imports/${id}/cancel`)).body.state, 'cancelling')
    const ended = await runJob(service, id, { batchRows: 2 })
    t.match(ended, { state: 'cancelled', counts: { reverted: done, not_reached: 12 - done } })
    t.equal((await show(service, second)).state, 'partially_undone')
    const { undo, rows } = await undoHere(service, second, {}, { batchRows: 2 })
    t.match(undo, { state: 'completed', rows: { total: 12 - done } })
    t.equal(rows.length, 12 - done)
    t.strictSame(await readStore(service), before)
    t.equal((await show(service, second)).state, 'undone')
    // Redo of the first part alone.
    t.match(await undoHere(service, id, { verb: 'redo' }), { undo: { state: 'completed' } })
    t.equal((await show(service, second)).state, 'partially_undone')
    t.match(await undoHere(service, undo.id, { verb: 'redo' }), { undo: { state: 'completed' } })
    t.equal((await show(service, second)).state, 'completed')
  }
)

t.test('the redo of an undo can be taken back, and that again', async (t) => {
  const service = await setup(t)
  const { second, before } = await changed(service)
  const after = await readStore(service)
  const states = async (...ids: number[]) =>
    (await Promise.all(ids.map((id) => show(service, id)))).map(({ state }) => state)
  const one = (await undoHere(service, second)).undo.id
  const two = (await undoHere(service, one)).undo.id
  t.strictSame(await readStore(service), after)
  t.strictSame(await states(second, one, two), ['completed', 'undone', 'completed'])
  const three = (await undoHere(service, two)).undo.id
  t.strictSame(await readStore(service), before)
  t.strictSame(await states(second, one, two), ['undone', 'completed', 'undone'])
  await undoHere(service, three, { verb: 'redo' })
  t.strictSame(await readStore(service), after)
  t.strictSame(await states(second, one, two), ['completed', 'undone', 'completed'])
})

t.test('cancelled before it began: the import is as it had ended', async (t) => {
  const service = await setup(t)
  const { second } = await changed(service)
  const id = await askUndo(service, second)
  t.match(await service.request('POST', `/imports/${id}/cancel`), { body: { state: 'cancelled' } })
  t.equal((await show(service, second)).state, 'completed')
  t.equal((await undoHere(service, second)).undo.state, 'completed')
})

t.test('asked to pause it stops after its batch, and goes on later', async (t) => {
  const service = await setup(t)
  const { second, before } = await changed(service)
  const id = await askUndo(service, second)
  await service.pool.query(`UPDATE imports SET state = 'pausing', asked = 'pause' WHERE id = $1`, [
    id
  ])
  t.equal((await runJob(service, id)).state, 'paused')
  t.equal((await show(service, second)).state, 'undoing')
  await service.pool.query(`UPDATE imports SET state = 'queued' WHERE id = $1`, [id])
  t.equal((await runJob(service, id)).state, 'completed')
  t.strictSame(await readStore(service), before)
})

t.test('a record that the database refuses is failed, and the others are not', async (t) => {
  const service = await setup(t)
  const { second, first } = await changed(service)
  await service.pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING ERRCODE = '23514'; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON records FOR EACH ROW
    WHEN (NEW.data ->> 'first_name' = 'Ann7') EXECUTE FUNCTION refuse()`)
  const tried = await undoHere(service, second, { dry_run: true }, { batchRows: 4 })
  const { undo, rows } = await undoHere(service, second, {}, { batchRows: 4 })
  t.match(undo, { state: 'completed_with_errors', counts: { reverted: 11, failed: 1 } })
  t.strictSame(codesOf(tried.rows).sort(), codesOf(rows).sort())
  t.equal(rows.filter(({ outcome }) => outcome === 'failed').length, 1)
  await service.pool.query('DROP TRIGGER refuse ON records')
  t.match(await undoHere(service, second), {
    undo: { state: 'completed', counts: { reverted: 1 } }
  })
  t.match(await undoHere(service, first), { undo: { state: 'completed' } })
  t.strictSame((await readStore(service)).keys, [])
})

t.test('a dry run writes nothing but its outcomes', async (t) => {
  const service = await setup(t)
  const { second } = await changed(service)
  const before = await readStore(service)
  const versions = () =>
    service.pool.query('SELECT id, version, fingerprint FROM records ORDER BY id')
  const { rows: was } = await versions()
  const { undo, rows } = await undoHere(service, second, { dry_run: true }, { batchRows: 5 })
  t.match(undo, {
    state: 'completed',
    dry_run: true,
    counts: { reverted: 12 },
    rows: { total: 12 }
  })
  t.equal(rows.length, 12)
  t.strictSame(await readStore(service), before)
  t.strictSame((await versions()).rows, was)
  t.match(await show(service, second), { state: 'completed', undone_by: null })
  const { rows: changes } = await service.pool.query(
    'SELECT changes FROM import_rows WHERE import_id = $1 ORDER BY row_number',
    [undo.id]
  )
  t.strictSame(changes.at(-1).changes, { first_name: { from: 'Bob0', to: 'Ann0' } })
  t.match(changes[0].changes, { first_name: { from: 'Bob11', to: null } })
  t.match(
    await service.request('POST', `/imports/${undo.id}/redo`),
    { status: 409, body: { code: 'nothing_to_undo' } },
    'there is nothing to redo'
  )
  // Cut off, it has left nothing, and begins anew.
  const id = await askUndo(service, second, { dry_run: true })
  t.equal((await runJob(service, id, { batchRows: 5, looks: 3 })).state, 'queued')
  t.equal((await rowsOf(service, id)).length, 0)
  t.match(await runJob(service, id), { state: 'completed', counts: { reverted: 12 } })
})

t.test('somebody who restores records while they are taken back is seen', async (t) => {
  const service = await setup(t)
  const count = 30
  for (const name of ['Ann', 'Bob']) {
    const { body } = await service.uploadCsv(fileOf(count, name))
    await runJob(service, body.id)
  }
  const { body } = await service.get('/records?type=contacts&limit=100')
  const ids: number[] = body.data.map(({ id }: { id: number }) => id)
  const id = await askUndo(service, 2)
  const restored = (async () => {
    for (const one of ids.toReversed()) {
      const wanted = { body: { version: 1 } }
      t.equal((await service.request('POST', `/records/${one}/restore`, wanted)).status, 200)
    }
  })()
  const undo = await runJob(service, id, { batchRows: 2 })
  await restored
  t.match(undo, { state: 'completed', counts: { reverted: count, failed: 0 } })
  const { body: after } = await service.get('/records?type=contacts&limit=100')
  for (const { data } of after.data) t.match(data.first_name, /^Ann/)
  t.strictSame(await faultsOf(service, await readStore(service)), [])
})

t.test('an import that refers to what goes, while it goes: nothing dangles', async (t) => {
  const service = await setup(t, { worker: true, config: { batchRows: 3, workerConcurrency: 4 } })
  const csv = (count: number, name: number) =>
    `name\n${Array.from({ length: count }, (_, i) => `Org ${name} ${i}\n`).join('')}`
  for (let round = 0; round < 3; round++) {
    const orgs = await service.runCsv(csv(40, round), { type: 'organizations' })
    const rows = Array.from(
      { length: 40 },
      (_, i) => `Org ${round} ${39 - i},${round}-${i},Ann${i}\n`
    )
    const [people, undo] = await Promise.all([
      service.runCsv(header + rows.join('')),
      service
        .request('POST', `/imports/${orgs.id}/undo`)
        .then(({ body }) => service.waitForImport(body.id))
    ])
    t.match(people.counts, { created: 40 })
    t.equal(undo.counts.not_reached, 0)
    t.strictSame(await faultsOf(service, await readStore(service)), [])
  }
})

t.test('the number of statements does not grow with the records of a batch', async (t) => {
  const counts: number[] = []
  for (const count of [3, 60]) {
    const service = await setup(t)
    const first = await service.uploadCsv(fileOf(count, 'Ann'))
    await runJob(service, first.body.id)
    const id = await askUndo(service, first.body.id)
    const { pool } = service
    let statements = 0
    const connect = pool.connect.bind(pool)
    const counting = new Proxy(pool, {
      get(target, name) {
        if (name !== 'connect') return bound(target, name)
        return async () => {
          const tx = await connect()
          return new Proxy(tx, {
            get(client, key) {
              if (key === 'query') statements++
              return bound(client, key)
            }
          })
        }
      }
    })
    await runJob({ ...service, pool: counting } as Setup, id)
    t.match(await show(service, id), { counts: { reverted: count + 1 } })
    counts.push(statements)
  }
  t.equal(counts[0], counts[1])
  t.ok((counts[0] ?? 0) < 40, `${counts[0]}`)
})
