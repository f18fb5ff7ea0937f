// Retrying: the rows that were not reached and those that failed on our side, each exactly once.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { runJob } from '../../helpers/undo-ways.ts'
import { until } from '../../helpers/until.ts'
import { type Setup, setup } from '../../setup.ts'

const post = (s: Setup, id: number, verb: string) => s.request('POST', `/imports/${id}/${verb}`)

/** Row number -> outcome. */
async function outcomesOf({ get }: Setup, id: number): Promise<string[]> {
  const { body } = await get(`/imports/${id}/rows?limit=500`)
  return body.data.map((row: { row: number; outcome: string }) => `${row.row} ${row.outcome}`)
}

/** The database refuses records with this in their data, until it is let go. */
async function refuse({ pool }: Setup, text: string): Promise<() => Promise<unknown>> {
  await pool.query(
    `ALTER TABLE records ADD CONSTRAINT odd CHECK (strpos(data::text, '${text}') = 0) NOT VALID`
  )
  return () => pool.query('ALTER TABLE records DROP CONSTRAINT odd')
}

t.test('rows that the database refused are taken again, with the cells they had', async (t) => {
  const s = await setup(t, { worker: true })
  const letGo = await refuse(s, 'Bob')
  const csv =
    'organization,first_name,last_name\nAcme,Ann,\nAcme,Bob,"Li, Jr."\nAcme,,\nAcme,Cid,\n'
  const first = await s.runCsv(csv)
  t.match(first, { state: 'completed_with_errors', counts: { created: 2, rejected: 1, failed: 1 } })
  t.strictSame(await outcomesOf(s, first.id), ['1 created', '2 failed', '3 rejected', '4 created'])

  t.match(await post(s, first.id, 'retry'), { status: 202 })
  const again = await s.waitForImport(first.id)
  t.match(again, { state: 'completed_with_errors', counts: { created: 2, failed: 1 } })

  await letGo()
  const { body: queued } = await post(s, first.id, 'retry')
  t.match(queued, { rows: { total: 4 }, finished_at: null, error: null })
  const end = await s.waitForImport(first.id)
  t.match(end, { counts: { created: 3, rejected: 1, failed: 0, not_reached: 0 } })
  t.match(end.rows, { done: 4, total: 4 })
  t.strictSame(await outcomesOf(s, first.id), ['1 created', '2 created', '3 rejected', '4 created'])
  const { body } = await s.get('/records?type=contacts&filter[first_name]=Bob')
  t.match(body.data, [{ data: { first_name: 'Bob', last_name: 'Li, Jr.' } }])

  const none = await post(s, first.id, 'retry')
  t.match(none, { status: 409, body: { code: 'nothing_to_retry', detail: /rejects\.csv/ } })
})

t.test('secrets of rows that are taken again stay sealed in between', async (t) => {
  const s = await setup(t, { worker: true })
  const letGo = await refuse(s, 'Router')
  const csv = 'organization,name,password\nAcme,Router,hunter2\n'
  const first = await s.runCsv(csv, { type: 'passwords' })
  t.match(first, { counts: { failed: 1 } })
  await letGo()
  await s.pool.query(
    'ALTER TABLE import_waiting_rows ADD CHECK (cells::text NOT LIKE $$%hunter%$$)'
  )
  t.equal((await post(s, first.id, 'retry')).status, 202)
  t.match(await s.waitForImport(first.id), { state: 'completed', counts: { created: 1 } })
})

t.test('an import that was cancelled on its way goes on; every row is in once', async (t) => {
  const s = await setup(t, { worker: true, config: { batchRows: 20 } })
  const count = 6_000
  // Every fourth one names a parent further down.
  const lines = Array.from({ length: count }, (_, i) =>
    i % 4 === 0 ? `Org ${i},Org ${Math.min(i + 1001, count - 1)}` : `Org ${i},`
  )
  const { body } = await s.uploadCsv(`Name,Parent\n${lines.join('\n')}\n`, {
    type: 'organizations'
  })
  const done = async () => (await s.get(`/imports/${body.id}`)).body.rows.done
  await until('progress', async () => (await done()) > count * 0.2, 30_000)
  await post(s, body.id, 'cancel')
  const cancelled = await s.waitForImport(body.id, ['cancelled'])
  t.ok(cancelled.rows.done < count, 'in the middle')
  const waits = await s.pool.query('SELECT count(*) AS count FROM import_waiting_rows')
  t.ok(waits.rows[0].count > 0, 'rows wait for those not reached')

  let last = cancelled.rows.done
  t.equal((await post(s, body.id, 'retry')).status, 202)
  await until('the end', async () => {
    const now = await done()
    t.ok(now >= last, 'never less')
    last = now
    return (await s.get(`/imports/${body.id}`)).body.finished_at !== null
  })
  const end = await s.waitForImport(body.id)
  t.match(end, { state: 'completed', counts: { created: count, not_reached: 0 } })
  const { rows } = await s.pool.query(
    `SELECT (SELECT count(*) FROM import_rows) AS outcomes,
      (SELECT count(DISTINCT r.row_number) FROM import_rows r) AS rows_with_outcome,
      (SELECT count(*) FROM records r WHERE r.type_id = 1) AS records,
      (SELECT count(*) FROM records r WHERE r.data ? 'parent') AS children,
      (SELECT count(*) FROM import_waiting_rows) AS waiting`
  )
  t.strictSame(rows, [
    { outcomes: count, rows_with_outcome: count, records: count, children: count / 4, waiting: 0 }
  ])
})

t.test('what failed as a whole begins anew, unless its rows are the reason', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = 'organization,first_name\nAcme,Ann\nAcme,\n'
  const refused = await s.runCsv(csv, { allow_partial: 'false' })
  t.match(refused, { state: 'failed', error: { code: 'rows_rejected' } })
  t.match((await post(s, refused.id, 'retry')).body, { code: 'nothing_to_retry' })

  const broken = await s.runCsv(csv)
  // As it is left by an import that could not be done.
  const { body: other } = await s.uploadCsv('organization,first_name\nAcme,Eve\n', { start: false })
  await s.pool.query(
    `UPDATE imports SET state = 'failed', finished_at = now(), idle_attempts = 6,
    options = options || '{"allow_partial": false}', error = '{"code": "no_progress", "message": ""}'
    WHERE id = $1`,
    [other.id]
  )
  t.equal((await post(s, other.id, 'retry')).status, 202)
  t.match(await s.waitForImport(other.id), { state: 'completed', error: null })
  t.match(broken, { state: 'completed_with_errors' })
})

t.test('a retry is refused where a start would be', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv('organization,last_name\nAcme,Lee\n', { start: false })
  await post(s, body.id, 'cancel')
  t.match((await post(s, body.id, 'retry')).body, { code: 'required_column_unmapped' })

  const csv = 'organization,first_name\nAcme,Ann\n'
  const { body: other } = await s.uploadCsv(csv)
  await post(s, other.id, 'cancel')
  const { rows } = await s.pool.query(
    `INSERT INTO dropped_weeks (what, week)
    SELECT 'import_rows', date_trunc('week', created_on::timestamp)::date FROM imports WHERE id = $1
    RETURNING week`,
    [other.id]
  )
  t.match(await post(s, other.id, 'retry'), { status: 410, body: { code: 'rows_gone' } })
  await s.pool.query('DELETE FROM dropped_weeks WHERE week = $1', [rows[0].week])
  await rm(join(s.config.dataDir, 'uploads'), { recursive: true })
  t.match(await post(s, other.id, 'retry'), { status: 410, body: { code: 'upload_gone' } })
})

t.test('a dry run that was cancelled begins anew', async (t) => {
  const s = await setup(t, { worker: true, config: { batchRows: 20 } })
  const names = Array.from({ length: 2_000 }, (_, i) => `Acme,Ann ${i}\n`)
  const { body } = await s.uploadCsv(`organization,first_name\n${names.join('')}`, {
    dry_run: 'true'
  })
  const path = `/imports/${body.id}`
  await until('half of it', async () => (await s.get(path)).body.bytes.done > 5_000)
  await post(s, body.id, 'cancel')
  const cancelled = await s.waitForImport(body.id)
  t.match(cancelled, { state: 'cancelled', counts: { created: Number } })
  t.match(await post(s, body.id, 'retry'), { status: 202, body: { rows: { done: 0 } } })
  const end = await s.waitForImport(body.id)
  t.match(end, { state: 'ready', counts: { created: 2_000, not_reached: 0 } })
})

t.test('a dry run is applied once, also by an import that is retried', async (t) => {
  const s = await setup(t)
  // Nothing of these records tells one from the other.
  const type = { name: 'things', label: 'Things', match_rules: [] }
  const fields = [{ name: 'name', label: 'Name', kind: 'text' }]
  t.equal((await s.request('POST', '/record-types', { body: { ...type, fields } })).status, 201)
  const file = 'Name,Organization\nA,Acme\nB,Acme\n'
  const sent = await s.uploadCsv(file, { type: 'things', dry_run: 'true' })
  const dry = await runJob(s, sent.body.id)
  t.equal(dry.state, 'ready')
  // Cancelled before any worker had it.
  const { body: first } = await post(s, dry.id, 'apply')
  await post(s, first.id, 'cancel')
  t.match(await s.waitForImport(first.id), { state: 'cancelled', counts: { created: 0 } })
  const { body: second } = await post(s, dry.id, 'apply')
  t.match(await runJob(s, second.id), { state: 'completed', counts: { created: 2 } })
  t.match(await post(s, first.id, 'retry'), { status: 409, body: { code: 'already_applied' } })
  t.equal((await s.get('/records?type=things')).body.data.length, 2)
})
