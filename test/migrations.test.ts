// Every migration can be taken back and made again, with data in the tables.

import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import t from 'tap'
import { setup } from './setup.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

t.test(
  'jobs: down leaves nothing that would run as something else, and up again works',
  async (t) => {
    const s = await setup(t, { worker: true })
    const post = async (id: number, verb: string) =>
      (await s.request('POST', `/imports/${id}/${verb}`)).body.id
    await s.runCsv('organization,first_name,external_ids.psa\nAcme,Ann,4711\n')
    const second = await s.runCsv('organization,first_name,title\nAcme,Ann,x\nAcme,Bob,\n')
    const dry = await s.runCsv('organization,first_name\nAcme,Zed\n', { dry_run: 'true' })
    await s.waitForImport(await post(dry.id, 'apply'))
    await s.waitForImport(await post(second.id, 'undo'))
    const draft = await s.uploadCsv('organization,first_name\nAcme,Never\n', {
      dry_run: 'true',
      start: 'false'
    })
    t.equal(draft.status, 201)
    const contacts = async () => (await s.get('/records?type=contacts')).body.data.length
    const before = await contacts()
    const migrate = (direction: 'up' | 'down') =>
      runner({
        databaseUrl: s.databaseUrl,
        dir: fileURLToPath(new URL('../migrations', import.meta.url)),
        direction,
        count: direction === 'up' ? 100 : 1,
        migrationsTable: 'muster_migrations',
        log: () => {},
        logger: quiet
      })
    // The newest first, this one last.
    const down: string[] = []
    while (!down.includes('006_jobs')) {
      const done = await migrate('down')
      if (done.length === 0) throw new Error(`nothing to take back after ${down}`)
      down.push(...done.map(({ name }) => name))
    }
    const { rows } = await s.pool.query(
      `SELECT i.id, i.state, EXISTS (SELECT FROM import_rows r WHERE r.import_id = i.id) AS has_rows
    FROM imports i ORDER BY i.id`
    )
    t.strictSame(
      rows.map((row) => `${row.state} ${row.has_rows}`),
      ['completed true', 'completed true', 'completed true'],
      'the imports that wrote'
    )
    t.equal((await s.pool.query(`SELECT FROM import_rows WHERE outcome = 'reverted'`)).rowCount, 0)
    t.equal((await migrate('up')).length, down.length)
    t.equal(await contacts(), before)
    t.match(await s.runCsv('organization,first_name\nAcme,Zed\n'), {
      state: 'completed',
      counts: { unchanged: 1 }
    })
  }
)
