// Queues: in which order imports run, and how soon.

import t from 'tap'
import { setup } from './setup.ts'

const file = (name: string) => `organization,first_name\n${name},Ann\n${name},Bob\n`

t.test('imports of one type run one at a time, oldest first, without a pause', async (t) => {
  const { uploadCsv, waitForImport } = await setup(t, { worker: true })
  const ids: number[] = []
  for (const name of ['A', 'B', 'C', 'D']) ids.push((await uploadCsv(file(name))).body.id)
  const done = []
  for (const id of ids) done.push(await waitForImport(id))
  for (const [index, one] of done.entries()) {
    t.match(one, { state: 'completed', counts: { created: 2 } })
    const before = done[index - 1]
    if (before) t.ok(one.started_at >= before.finished_at, `${one.id} began after ${before.id}`)
  }
  const [first, last] = [done[0], done.at(-1)]
  const seconds = (Date.parse(last.finished_at) - Date.parse(first.started_at)) / 1000
  t.ok(seconds < 25, 'a queue that forgets to look again needs a minute')
})

t.test('imports of different types do not wait for each other', async (t) => {
  const { uploadCsv, waitForImport, pool } = await setup(t, { worker: true })
  // Somebody has the organizations' turn for as long as this transaction lasts.
  const { body: first } = await uploadCsv('name\nAlpha\n', { type: 'organizations' })
  await waitForImport(first.id)
  const tx = await pool.connect()
  await tx.query('BEGIN; UPDATE type_writes SET write_seq = write_seq WHERE type_id = 1')
  const { body: held } = await uploadCsv('name\nBeta\n', { type: 'organizations' })
  const { body: free } = await uploadCsv('name\nTechnical\n', { type: 'contact_types' })
  t.match(await waitForImport(free.id), { state: 'completed', counts: { created: 1 } })
  await tx.query('ROLLBACK')
  tx.release()
  t.match(await waitForImport(held.id), { state: 'completed', counts: { created: 1 } })
})
