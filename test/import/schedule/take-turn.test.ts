// Real workers and imports of several accounts: who is done before whom.

import t from 'tap'
import { startWorkers } from '../../../src/jobs.ts'
import { openServices } from '../../../src/start-up.ts'
import { until } from '../../helpers/until.ts'
import { type Setup, setup } from '../../setup.ts'

const contacts = (count: number, name = 'Ann') =>
  `organization,first_name,last_name\n${Array.from({ length: count }, (_, i) => `Acme,${name},No ${i}\n`).join('')}`
const named = (count: number, word: string) =>
  `name\n${Array.from({ length: count }, (_, i) => `${word} ${i}\n`).join('')}`

const ends = (body: { finished_at: string }) => Date.parse(body.finished_at)

/** Waits for an import of another account. */
async function endOf({ request }: Setup, id: number, key?: string) {
  const see = async () => (await request('GET', `/imports/${id}`, key ? { key } : {})).body
  await until('the end', async () => (await see()).finished_at !== null, 60_000)
  return see()
}

/** The service on one worker that gives way after each batch. */
const oneWorker = { workerConcurrency: 1, importSliceSeconds: 0, batchRows: 20 }

t.test('a small import of another account does not wait for large ones', async (t) => {
  const s = await setup(t, { worker: true, config: oneWorker })
  const b = await s.makeAccount('B')
  const first = (await s.uploadCsv(contacts(4_000))).body
  const second = (await s.uploadCsv(named(2_000, 'Org'), { type: 'organizations' })).body
  const third = (await s.uploadCsv(contacts(200, 'Bob'))).body
  await until('A runs', async () => (await s.get(`/imports/${first.id}`)).body.rows.done > 100)
  const other = (await s.uploadCsv(contacts(100), { key: b.key })).body

  const done = await endOf(s, other.id, b.key)
  t.match(done, { state: 'completed', counts: { created: 100 } })
  const all = await Promise.all([first, second, third].map(({ id }) => endOf(s, id)))
  for (const one of all) {
    t.equal(one.state, 'completed')
    t.ok(ends(done) < ends(one), 'B was done before')
  }
  t.match(all[0], { counts: { created: 4_000 }, rows: { done: 4_000, total: 4_000 } })
  t.ok(Date.parse(all[2].started_at) >= ends(all[0]), 'of one type, the younger waits for the end')
  const { rows } = await s.pool.query(
    `SELECT i.attempt, (SELECT count(*) FROM import_rows r WHERE r.import_id = i.id) AS outcomes
    FROM imports i WHERE i.id = $1`,
    [first.id]
  )
  t.ok(rows[0].attempt > 2, 'it has made room')
  t.equal(rows[0].outcomes, 4_000)
  const { rows: tries } = await s.pool.query(
    `SELECT count(*) AS count FROM pgboss.job WHERE name = 'import.turn' AND retry_count > 0`
  )
  t.equal(tries[0].count, 0, 'and no job was tried again for that')
})

t.test('rows that wait for later ones survive every turn', async (t) => {
  const s = await setup(t, { worker: true, config: { ...oneWorker, batchRows: 5 } })
  const b = await s.makeAccount('B')
  const lines = Array.from({ length: 60 }, (_, i) => `Org ${i},${i < 59 ? `Org ${i + 1}` : 'None'}`)
  const csv = `Name,Parent\n${lines.join('\n')}\n`
  const own = (await s.uploadCsv(csv, { type: 'organizations' })).body
  const other = (await s.uploadCsv(csv, { type: 'organizations', key: b.key })).body
  for (const one of [await endOf(s, own.id), await endOf(s, other.id, b.key)]) {
    t.match(one, { rows: { done: 60 }, counts: { rejected: 60, failed: 0 } })
  }
  const good = (await s.uploadCsv(`${csv}None,\n`, { type: 'organizations' })).body
  const again = (await s.uploadCsv(`${csv}None,\n`, { type: 'organizations', key: b.key })).body
  for (const one of [await endOf(s, good.id), await endOf(s, again.id, b.key)]) {
    t.match(one, { state: 'completed', counts: { created: 61 } })
  }
})

t.test(
  'of one account, a small import goes first, and it is put down what that costs',
  async (t) => {
    const s = await setup(t, { config: oneWorker })
    const large = [
      (await s.uploadCsv(contacts(60))).body.id,
      (await s.uploadCsv(named(60, 'Org'), { type: 'organizations' })).body.id
    ]
    // As if the files were large: only the estimate looks at it.
    await s.pool.query('UPDATE imports SET file_bytes = 50000000')
    const small = (await s.uploadCsv(named(3, 'Kind'), { type: 'contact_types' })).body.id
    await s.startWorker()
    const [first, second] = [await endOf(s, large[0]), await endOf(s, large[1])]
    const done = await endOf(s, small)
    t.ok(ends(done) <= Date.parse(first.started_at))
    t.ok(ends(first) <= Date.parse(second.started_at), 'then the oldest')
    const { rows } = await s.pool.query(
      'SELECT overtaken_seconds > 0 AS cost FROM imports ORDER BY id'
    )
    t.strictSame(rows, [{ cost: true }, { cost: true }, { cost: false }])
  }
)

t.test('an account gets no more workers than it may have', async (t) => {
  const config = { workerConcurrency: 3, maxRunningImports: 1 }
  const s = await setup(t, { worker: true, config })
  const b = await s.makeAccount('B')
  await s.runCsv(contacts(1, 'Zoe'))
  const tx = await s.pool.connect()
  await tx.query('BEGIN; UPDATE type_writes SET write_seq = write_seq WHERE type_id = 2')
  const held = (await s.uploadCsv(contacts(5))).body
  await s.waitForImport(held.id, ['running'])
  const next = (await s.uploadCsv(named(5, 'Org'), { type: 'organizations' })).body
  const theirs = (await s.uploadCsv(contacts(5), { key: b.key })).body
  t.match(await endOf(s, theirs.id, b.key), { state: 'completed' })
  t.match((await s.get(`/imports/${next.id}`)).body, { state: 'queued' })
  await tx.query('ROLLBACK')
  tx.release()
  const [one, two] = [await endOf(s, held.id), await endOf(s, next.id)]
  t.ok(Date.parse(two.started_at) >= ends(one))
})

t.test('imports that the queue has forgotten are found when a worker starts', async (t) => {
  const s = await setup(t)
  const ids: number[] = []
  for (const type of ['contacts', 'contacts', 'organizations']) {
    const csv = type === 'contacts' ? contacts(5) : named(5, 'Org')
    ids.push((await s.uploadCsv(csv, { type })).body.id)
  }
  await s.pool.query(`DELETE FROM pgboss.job WHERE name = 'import.turn'`)
  await s.pool.query(
    `UPDATE imports SET state = 'running', ticket = gen_random_uuid(), attempt = 1,
      queued_at = now() - interval '1 day', started_at = now() - interval '1 day' WHERE id = $1`,
    [ids[0]]
  )
  await s.startWorker()
  for (const id of ids) t.match(await s.waitForImport(id), { state: 'completed' })
})

t.test(
  'a worker that is stopped leaves its import to others, without a job that failed',
  async (t) => {
    const s = await setup(t, { config: { batchRows: 2 } })
    const { config, databaseUrl, log } = s
    const services = await openServices({ role: 'worker', databaseUrl, config, log })
    t.teardown(services.close)
    const workers = await startWorkers({ ...services, config, log })
    await s.runCsv(contacts(1, 'Zoe'))
    const tx = await s.pool.connect()
    await tx.query('BEGIN; UPDATE type_writes SET write_seq = write_seq WHERE type_id = 2')
    const { body } = await s.uploadCsv(contacts(10))
    await s.waitForImport(body.id, ['running'])
    const stopped = workers.stop()
    await tx.query('ROLLBACK')
    tx.release()
    await stopped
    const { rows } = await s.pool.query(
      `SELECT i.state, i.next_row < 10 AS is_left,
      (SELECT count(*) FROM pgboss.job j WHERE j.name = 'import.turn' AND j.state = 'created') AS new,
      (SELECT count(*) FROM pgboss.job j WHERE j.name = 'import.turn' AND j.state = 'retry') AS again
    FROM imports i WHERE i.id = $1`,
      [body.id]
    )
    t.strictSame(rows, [{ state: 'queued', is_left: true, new: 1, again: 0 }])
    await s.startWorker()
    t.match(await s.waitForImport(body.id), { state: 'completed', counts: { created: 10 } })
  }
)
