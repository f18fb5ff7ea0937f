// Links that are written while an undo deletes their records: a record that is linked stays, and a
// record that is gone is not linked.

import t from 'tap'
import { withTransaction } from '../../src/platform/db.ts'
import { askUndo, runJob } from '../helpers/undo-ways.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const csv = 'external_id,organization,first_name\n1,Acme,Ann\n2,Acme,Bob\n'

async function withRecords(t: Parameters<typeof setup>[0]) {
  const s = await setup(t)
  const { body } = await s.uploadCsv(csv)
  await runJob(s, body.id)
  const { data } = (await s.get(`/imports/${body.id}/rows`)).body
  const [ann, bob] = data.map(({ record_id }: { record_id: number }) => record_id)
  const put = (record: number, link: object) =>
    s.request('PUT', `/records/${record}/links/connectwise`, { body: link })
  return { s, id: body.id as number, ann: ann as number, bob: bob as number, put }
}

/** How many statements wait for a lock that somebody else has. */
async function waiting({ pool }: Setup): Promise<number> {
  const { rows } = await pool.query(
    `SELECT count(*)::integer AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`
  )
  return rows[0].count
}

t.test('an undo waits for a link that is being written, and keeps the record', async (t) => {
  const { s, id, ann, put } = await withRecords(t)
  const undo = await askUndo(s, id)
  let hasEnded = false
  const both = await withTransaction(s.pool, async (tx) => {
    // A link names its account: it cannot be written as long as this is held.
    await tx.query('SELECT 1 FROM accounts WHERE account_id = $1 FOR UPDATE', [s.account_id])
    const linked = put(ann, { state: 'synced', external_id: '1' })
    await until('the link waits', async () => (await waiting(s)) === 1)
    const undone = runJob(s, undo).finally(() => {
      hasEnded = true
    })
    await until('the undo has come to it', async () => hasEnded || (await waiting(s)) === 2)
    return [linked, undone]
  })
  const [linked, undone] = await Promise.all(both)
  t.match(linked, { status: 200, body: { state: 'synced' } })
  t.match(undone, { counts: { reverted: 1, kept: 2 } })
  t.equal((await s.get(`/records/${ann}`)).status, 200, 'what is linked is there')
})

t.test('a record that goes while it is being linked is not found', async (t) => {
  const { s, ann, bob, put } = await withRecords(t)
  await put(bob, { state: 'pending' })
  await put(bob, { state: 'disabled' })
  const both = await withTransaction(s.pool, async (tx) => {
    await tx.query('DELETE FROM records WHERE id = ANY ($1::bigint[])', [[ann, bob]])
    const puts = [put(ann, { state: 'synced', external_id: '1' }), put(bob, { state: 'pending' })]
    let done = 0
    for (const one of puts) one.finally(() => done++)
    await until('both are at it', async () => done + (await waiting(s)) >= 2)
    return puts
  })
  for (const answer of await Promise.all(both)) {
    t.match(answer, { status: 404, body: { code: 'record_not_found' } })
  }
  t.match((await s.get('/links')).body.data, [{ record_id: bob, state: 'disabled' }])
  t.match(await put(bob, { state: 'disconnected' }), { body: { state: 'disconnected' } })
})
