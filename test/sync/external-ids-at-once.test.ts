// Imports that name ids of other systems, and connectors that keep the links, at the same time.

import t from 'tap'
import { cw, linksOf, putLink as put, runLinked as run } from '../helpers/linked-imports.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

t.test('a connector goes on from what an import named', async (t) => {
  const s = await setup(t, { worker: true })
  const { data } = await run(s, '1,Acme,Ann,Lee,,\n2,Acme,Bob,Ray,,\n')
  const [ann, bob] = data.map(({ record_id }: { record_id: number }) => record_id)
  t.match(await put(s, ann, { state: 'disabled' }), { status: 409 })
  t.match(await put(s, ann, { state: 'synced', external_id: '2' }), {
    status: 409,
    body: { code: 'link_taken' }
  })
  t.match((await put(s, ann, { state: 'synced' })).body, { external_id: '1' }, 'the id stays')
  t.match((await put(s, bob, { state: 'pending', external_id: '3' })).body, { external_id: '3' })
  const events = await s.pool.query(
    `SELECT data ->> 'state_before' AS before FROM events WHERE type = 'sync.updated'`
  )
  t.match(events.rows, [{ before: 'not_synced' }, { before: 'not_synced' }])
})

t.test('events about a record have the id that its row named', async (t) => {
  const s = await setup(t, { worker: true })
  await run(s, '1,Acme,Ann,Lee,,\n', { push: 'created' })
  const ask = `SELECT data -> 'records' -> 0 -> 'external_ids' AS ids FROM events
    WHERE type = 'record.created' AND data -> 'records' -> 0 ->> 'type' = 'contacts'`
  const told = await until('it is told', async () => (await s.pool.query(ask)).rows[0])
  t.strictSame(told, { ids: { connectwise: '1' } })
})

/** Waits until a statement waits for what another transaction holds. */
const waits = ({ pool }: Setup, name: string) =>
  until(`${name} waits`, async () => {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1`,
      [`/* ${name} */%`]
    )
    return rowCount === 1
  })

/** A link by hand, in a transaction that stays open until `end`. */
async function holdLink(s: Setup, record_id: number, external_id: string) {
  const tx = await s.pool.connect()
  await tx.query('BEGIN')
  await tx.query(
    `INSERT INTO record_links (account_id, record_id, system, type_id, state, external_id)
    SELECT $1, $2, $3, type_id, 'synced', $4 FROM records WHERE id = $2`,
    [s.account_id, record_id, cw, external_id]
  )
  return async () => {
    await tx.query('COMMIT')
    tx.release()
  }
}

t.test('a connector that is quicker than the row wins', async (t) => {
  const s = await setup(t, { worker: true })
  const { data } = await run(s, ',Acme,Ann,Lee,ann@x.io,\n,Acme,Bob,Ray,bob@x.io,\n')
  const [ann, bob] = data.map(({ record_id }: { record_id: number }) => record_id)
  const linkAnn = await holdLink(s, ann, '1')
  const elsewhere = run(s, '2,Acme,Ann,Lee,ann@x.io,\n')
  await waits(s, 'write.insert_links')
  await linkAnn()
  t.match((await elsewhere).data, [{ problems: [{ code: 'linked_elsewhere', value: '2' }] }])
  const linkBob = await holdLink(s, bob, '3')
  const taken = run(s, '3,Acme,Cid,Moe,,\n')
  await waits(s, 'write.insert_links')
  await linkBob()
  t.match((await taken).data, [{ outcome: 'updated', record_id: bob }], 'Bob is that one')
  t.strictSame(await linksOf(s), [
    [ann, cw, '1', 'synced'],
    [bob, cw, '3', 'synced']
  ])
})

t.test('a state that is said while an import names the id keeps the id', async (t) => {
  const s = await setup(t, { worker: true })
  const { data } = await run(s, ',Acme,Ann,Lee,,\n')
  const [{ record_id: ann }] = data
  const end = await holdLink(s, ann, '1')
  const said = put(s, ann, { state: 'pending' })
  await waits(s, 'links.save')
  await end()
  t.match(await said, { status: 200, body: { state: 'pending', external_id: '1' } })
})

t.test('two imports and a connector at once: every id once', async (t) => {
  const s = await setup(t, { worker: true })
  const lines = Array.from({ length: 300 }, (_, i) => `${i},Acme,N${i},,,\n`).join('')
  const [one, two] = await Promise.all([run(s, lines), run(s, lines), connect()])
  async function connect() {
    for (let i = 0; i < 20; i++) {
      const { data } = (await s.get('/records?type=contacts&limit=5')).body
      for (const { id } of data) await put(s, id, { state: 'synced' })
    }
  }
  t.equal(one.counts.created + two.counts.created, 300)
  t.equal(one.counts.failed + two.counts.failed + one.counts.rejected + two.counts.rejected, 0)
  const links = await linksOf(s)
  t.equal(links.filter(([, , external_id]) => external_id !== null).length, 300)
})
