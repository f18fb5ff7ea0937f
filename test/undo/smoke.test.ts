// Smoke.
import t from 'tap'
import { setup } from '../setup.ts'

t.test('smoke', async (t) => {
  const s = await setup(t, { worker: true })
  const a = await s.runCsv(
    'organization,external_id,first_name,last_name\nA,x1,Ann,Lee\nA,x2,Bob,Moe\n'
  )
  t.comment(JSON.stringify(a.counts), a.state)
  const b = await s.runCsv(
    'organization,external_id,first_name,last_name\nB,x1,Anna,Lee\nA,x3,Cid,Moe\n',
    { name: 'second.csv' }
  )
  t.comment(JSON.stringify(b.counts), b.state)
  const undo = async (id: number, verb = 'undo', body = {}) => {
    const r = await s.request('POST', `/imports/${id}/${verb}`, { body })
    t.equal(r.status, 202, JSON.stringify(r.body))
    if (r.status !== 202) return
    const json = await s.waitForImport(r.body.id)
    t.comment(json.state, JSON.stringify(json.counts), JSON.stringify(json.error))
    const rows = await s.get(`/imports/${r.body.id}/rows`)
    for (const row of rows.body.data) t.comment(JSON.stringify(row))
    const j = await s.get(`/imports/${id}`)
    t.comment('of', j.body.state)
    return json
  }
  await undo(a.id, 'undo', { dry_run: true })
  const u0 = await undo(a.id)
  const u = await undo(b.id)
  await undo(u.id, 'redo')
  await undo(b.id)
  await undo(a.id)
  const { rows } = await s.pool.query('select id, type_id, version, data from records order by id')
  t.comment(JSON.stringify(rows))
  const k = await s.pool.query('select * from record_keys')
  t.comment(JSON.stringify(k.rows))
})
