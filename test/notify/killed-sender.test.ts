// Senders that are killed in the middle, for real: every import that ends is told at least once, and
// nothing is told under two ids.

import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { loopback, makeWebhook } from '../helpers/notifying.ts'
import { startProcess } from '../helpers/processes.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { until } from '../helpers/until.ts'
import { setup } from '../setup.ts'

const kills = 3
const perKill = 30

t.test('nothing that ended is left untold when senders are killed', async (t) => {
  const s = await setup(t, { config: loopback })
  const receiver = await startReceiver(
    t,
    (_, response) => void setTimeout(() => response.end(), 15)
  )
  const endpoints = []
  for (const path of ['a', 'b', 'c']) {
    endpoints.push(await makeWebhook(s, { url: `${receiver.url}/${path}` }))
  }
  const worker = () =>
    startProcess(t, 'src/worker.ts', [], {
      DATABASE_URL: s.databaseUrl,
      MUSTER_DATA_DIR: s.config.dataDir,
      MUSTER_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      // A lane that was lost is taken over ten seconds after this.
      MUSTER_WEBHOOK_TIMEOUT_MS: '500'
    })
  const ended: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    const process = worker()
    await process.waitFor(/"msg":"working"/)
    for (let i = 0; i < perKill; i++) {
      const { rows } = await s.pool.query(
        `INSERT INTO imports (account_id, type, state, file_name, file_key, file_bytes, file_sha256,
          dialect, options, mapping, finished_at)
        VALUES ($1, 'contacts', 'running', 'f', 'k', 1, 's', '{}', '{}', '[]', now()) RETURNING id`,
        [s.account_id]
      )
      await s.pool.query(`UPDATE imports SET state = 'completed' WHERE id = $1`, [rows[0].id])
      ended.push(rows[0].id)
      await wait(randomInt(10))
    }
    process.kill('SIGKILL')
    await process.ended
  }
  worker()
  const wanted = endpoints.length * ended.length * 2
  const idsOf = () =>
    new Set(receiver.received.map(({ path, headers }) => `${path} ${headers['webhook-id']}`))
  await until('every event', () => idsOf().size >= wanted, 60_000)
  t.equal(idsOf().size, wanted)
  const told = new Set(
    receiver.received
      .map(({ path, body }) => ({ path, ...JSON.parse(body) }))
      .filter(({ type }) => type === 'import.completed')
      .map(({ path, data }) => `${path} ${data.import.id}`)
  )
  for (const id of ended) {
    for (const path of ['a', 'b', 'c']) t.ok(told.has(`/hook/${path} ${id}`), `${path} ${id}`)
  }
  const isNoted = async () => {
    const left = await s.pool.query(`SELECT FROM deliveries d WHERE d.state <> 'delivered'`)
    return left.rowCount === 0
  }
  t.ok(await until('every delivery to be noted', isNoted))
})
