// Retention: what is old goes by whole weeks and files, what is at work stays whatever its age, and an
// import says what of it is gone.

import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { requestCleaning } from '../../src/jobs.ts'
import { deleteUpload, keepUpload, storeUpload, uploadPath } from '../../src/platform/files.ts'
import { type CleanContext, cleanUp } from '../../src/retention/clean.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const csv = 'external_id,organization,first_name,emails\n1,A,Ann,a@example.com\n2,A,Bob,nonsense\n'

/** Makes an import as if everything of it had happened `days` days earlier. */
async function age({ pool }: Setup, id: number, days: number): Promise<void> {
  const values = [id, days]
  await pool.query(
    `SELECT ensure_partitions(i.created_on - $2::integer) FROM imports i WHERE i.id = $1::bigint`,
    values
  )
  for (const [table, column] of [
    ['import_rows', 'created_on'],
    ['record_changes', 'changed_on']
  ]) {
    await pool.query(
      `UPDATE ${table} SET ${column} = ${column} - $2::integer WHERE import_id = $1::bigint`,
      values
    )
  }
  await pool.query(
    `UPDATE imports i
    SET created_on = i.created_on - $2::integer,
      started_at = i.started_at - make_interval(days => $2::integer),
      finished_at = i.finished_at - make_interval(days => $2::integer)
    WHERE i.id = $1::bigint`,
    values
  )
}

function clean({ pool, config, log }: Setup, over: Partial<CleanContext['config']> = {}) {
  const { signal } = new AbortController()
  return cleanUp({ pool, log, signal, config: { ...config, ...over } })
}

const partitions = async ({ pool }: Setup, table: string) => {
  const { rows } = await pool.query(
    `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass($1::text) ORDER BY c.relname`,
    [table]
  )
  return rows.map(({ relname }) => relname)
}

const files = ({ config }: Setup) =>
  readdir(join(config.dataDir, 'uploads')).then((names) => names.filter((n) => n !== 'partial'))

t.test('what is old goes, and the import says so', async (t) => {
  const service = await setup(t, { worker: true })
  const { get, runCsv, request } = service
  const old = await runCsv(csv)
  const changed = await runCsv(csv.replace('Ann', 'Anna'))
  const young = await runCsv(csv.replace('Ann', 'Anne'))
  for (const id of [old.id, changed.id]) await age(service, id, 400)
  t.match((await get(`/imports/${old.id}`)).body, {
    expired: { file: null, rows: null, history: null }
  })

  const cleaned = await clean(service)
  t.match(cleaned, { uploads: 2, stray_uploads: 0, waiting_rows: 0 })
  t.equal(cleaned.outcome_weeks.length, 1)
  t.same(cleaned.history_weeks, cleaned.outcome_weeks)
  t.equal((await files(service)).length, 1)
  for (const id of [old.id, changed.id]) {
    const { body } = await get(`/imports/${id}`)
    for (const time of Object.values(body.expired)) t.match(time, /^2\d{3}-.*Z$/)
    t.match(body.counts, { rejected: 1 }, 'the counts stay')
    for (const path of ['rows', 'rows?format=csv', 'rows?outcome=rejected', 'rejects.csv']) {
      t.match(await get(`/imports/${id}/${path}`), { status: 410, body: { code: 'rows_gone' } })
    }
  }
  const { body: listed } = await get('/imports')
  t.same(
    listed.data.map((one: { expired: { rows: string | null } }) => one.expired.rows !== null),
    [false, true, true]
  )
  t.match((await get(`/imports/${young.id}`)).body, {
    expired: { file: null, rows: null, history: null }
  })
  t.equal((await get(`/imports/${young.id}/rows`)).body.data.length, 2)
  t.match(await request('POST', `/imports/${old.id}/start`), { status: 409 })
  t.match(await clean(service), { uploads: 0, outcome_weeks: [], history_weeks: [] }, 'once')
})

t.test('each thing has its own time, 0 is for ever, and a week goes when it is over', async (t) => {
  const service = await setup(t, { worker: true })
  const { id } = await service.runCsv(csv)
  await age(service, id, 100)
  const forEver = { keepUploadsDays: 0, keepOutcomesDays: 0, keepHistoryDays: 0 }
  t.match(await clean(service, forEver), { uploads: 0, outcome_weeks: [], history_weeks: [] })
  t.match(await clean(service, { ...forEver, keepUploadsDays: 101 }), { uploads: 0 })
  // The week of the day may have gone on for six more days.
  t.match(await clean(service, { ...forEver, keepOutcomesDays: 100 }), { outcome_weeks: [] })
  t.match(await clean(service, { ...forEver, keepUploadsDays: 99 }), { uploads: 1 })
  const { outcome_weeks: weeks } = await clean(service, { ...forEver, keepOutcomesDays: 93 })
  t.equal(weeks.length, 1)
  const { body } = await service.get(`/imports/${id}`)
  t.ok(body.expired.file && body.expired.rows)
  t.equal(body.expired.history, null)
})

t.test('what is not finished keeps its file and its week', async (t) => {
  const service = await setup(t)
  const { body: draft } = await service.uploadCsv(csv, { start: 'false' })
  const { body: queued } = await service.uploadCsv(csv)
  await age(service, queued.id, 400)
  t.match(await clean(service), { uploads: 0, outcome_weeks: [] }, 'one is at work')
  await age(service, draft.id, 500)
  t.match(await clean(service), { uploads: 0, outcome_weeks: [String] }, 'a draft has no outcomes')
  t.equal((await files(service)).length, 2)

  // A draft that is started after all makes its week anew, and keeps it for as long as others.
  await service.startWorker()
  t.equal((await service.request('POST', `/imports/${draft.id}/start`)).status, 202)
  for (const { id } of [queued, draft]) {
    t.match(await service.waitForImport(id), { expired: { rows: null } })
    t.equal((await service.get(`/imports/${id}/rows`)).body.data.length, 2)
  }
  t.match(await clean(service), { uploads: 0, outcome_weeks: [] })
})

t.test('a draft whose file is gone cannot start', async (t) => {
  const service = await setup(t)
  const { body } = await service.uploadCsv(csv, { start: 'false' })
  const { rows } = await service.pool.query('SELECT i.file_key FROM imports i')
  await deleteUpload(service.config.dataDir, rows[0].file_key)
  const answer = await service.request('POST', `/imports/${body.id}/start`)
  t.match(answer, { status: 410, body: { code: 'upload_gone' } })
})

t.test('partitions are made ahead', async (t) => {
  const service = await setup(t)
  const before = await partitions(service, 'import_rows')
  await clean(service)
  const after = await partitions(service, 'import_rows')
  t.equal(after.length, Math.max(before.length, 3))
  t.equal((await partitions(service, 'record_changes')).length, after.length)
})

t.test('a drop waits for readers, and keeps nobody else waiting for long', async (t) => {
  const service = await setup(t, { worker: true })
  const { id } = await service.runCsv(csv)
  const old = await service.runCsv(csv)
  await age(service, old.id, 400)
  const reader = await service.pool.connect()
  // A test that fails must not leave it waiting.
  reader.on('error', () => {})
  await reader.query('BEGIN; SELECT count(*) FROM import_rows')
  let isDone = false
  const cleaning = clean(service).finally(() => {
    isDone = true
  })
  const waits = await slowestOf(20, () => service.get(`/imports/${id}/rows`))
  t.notOk(isDone, 'the reader is in its way')
  t.ok(waits < 5_000, `others waited ${Math.round(waits)} ms at most`)
  await reader.query('COMMIT')
  reader.release()
  t.match(await cleaning, { outcome_weeks: [String] })
})

async function slowestOf(count: number, work: () => Promise<unknown>): Promise<number> {
  let slowest = 0
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    await work()
    slowest = Math.max(slowest, performance.now() - began)
  }
  return slowest
}

t.test('files that no import names go after a day', async (t) => {
  const service = await setup(t, { worker: true })
  const { dataDir } = service.config
  const place = { dataDir, secrets: service.secrets }
  const store = async (hours: number) => {
    const { file_key } = await storeUpload(
      place,
      (async function* () {
        yield Buffer.from('a,b\n1,2\n')
      })()
    )
    await keepUpload(dataDir, file_key)
    const then = new Date(Date.now() - hours * 3_600_000)
    await utimes(uploadPath(dataDir, file_key), then, then)
    return file_key
  }
  const stray = await store(25)
  t.match(await clean(service), { stray_uploads: 0 }, 'a database without imports is no judge')

  const { id } = await service.runCsv(csv)
  const { rows } = await service.pool.query('SELECT i.file_key FROM imports i')
  const long = new Date(Date.now() - 25 * 3_600_000)
  await utimes(uploadPath(dataDir, rows[0].file_key), long, long)
  const fresh = await store(23)
  t.match(await clean(service), { stray_uploads: 1 })
  t.same((await files(service)).sort(), [rows[0].file_key, fresh].sort())
  t.notOk((await files(service)).includes(stray))
  t.ok(id)
})

t.test('rows that wait for an import that has ended are deleted, others are not', async (t) => {
  const service = await setup(t)
  const ids = []
  for (const name of ['a', 'b', 'c']) {
    ids.push((await service.uploadCsv(csv.replaceAll('Ann', name))).body.id)
  }
  for (const id of ids) {
    await service.pool.query(
      `INSERT INTO import_waiting_rows (account_id, import_id, row_number, line_number, file_offset, cells)
      SELECT $1::integer, $2::bigint, n, n, n, '{}' FROM generate_series(1, 3) n`,
      [service.account_id, id]
    )
  }
  for (const id of [ids[0], ids[2]]) await service.request('POST', `/imports/${id}/cancel`)
  t.match(await clean(service), { waiting_rows: 0 }, 'a retry would want them')
  await service.pool.query('UPDATE imports SET file_dropped_at = now() WHERE id = $1', [ids[0]])
  await service.pool.query(`UPDATE imports SET state = 'completed' WHERE id = $1`, [ids[2]])
  t.match(await clean(service), { waiting_rows: 6 })
  const { rows } = await service.pool.query(
    'SELECT DISTINCT import_id AS id FROM import_waiting_rows'
  )
  t.same(rows, [{ id: ids[1] }])
})

t.test('the worker cleans when asked to, one job at a time', async (t) => {
  const service = await setup(t)
  const old = await service.uploadCsv(csv)
  t.equal(await requestCleaning(service.boss), true)
  t.equal(await requestCleaning(service.boss), false, 'one waits already')
  await service.startWorker()
  await service.waitForImport(old.body.id)
  await until(
    'weeks ahead',
    async () => (await partitions(service, 'import_rows')).length >= 3,
    40_000
  )
})

t.test('events and deliveries go by weeks, and a reader who missed them is told', async (t) => {
  const service = await setup(t, { worker: true })
  const { pool, request, get } = service
  const url = 'https://example.com'
  const { body: webhook } = await request('POST', '/webhooks', { body: { url, enabled: false } })
  const { id } = await service.runCsv(csv)
  const feed = () => get('/events').then(({ body }) => body)
  await until('the events', async () => (await feed()).data.length === 3)
  const { next_cursor: early } = (await get('/events?limit=1')).body
  const { next_cursor: late } = await feed()
  await pool.query(
    `INSERT INTO webhook_endpoints (account_id, url, secret, import_id, created_at)
    SELECT account_id, 'https://example.com', 'x', id, now() - interval '60 days' FROM imports`
  )
  await pool.query(
    `INSERT INTO deliveries (account_id, endpoint_id, created_on, event_id, event_on, event_type,
      sequence, ordered)
    SELECT account_id, $1, created_on, id, created_on, type, seq, false FROM events`,
    [webhook.id]
  )
  await pool.query(
    `INSERT INTO delivery_attempts (account_id, endpoint_id, delivery_id, attempt, created_on,
      attempted_at, ms) SELECT account_id, endpoint_id, id, 1, created_on, now(), 1 FROM deliveries`
  )
  t.match(await clean(service), { event_weeks: [], callbacks: 0 }, 'not yet')
  await age(service, id, 60)
  for (const table of ['events', 'deliveries', 'delivery_attempts']) {
    await pool.query(`UPDATE ${table} SET created_on = created_on - 60`)
  }
  t.match(await clean(service, { keepEventsDays: 0 }), { event_weeks: [], callbacks: 0 })
  const { event_weeks, callbacks } = await clean(service)
  t.equal(event_weeks.length, 1)
  t.equal(callbacks, 1)
  t.same((await feed()).data, [])
  t.match(await get(`/events?cursor=${early}`), { status: 410, body: { code: 'events_gone' } })
  t.same((await get(`/events?cursor=${late}`)).body, {
    data: [],
    next_cursor: late,
    has_more: false
  })
  t.same((await get(`/webhooks/${webhook.id}/deliveries`)).body.data, [])
  t.equal((await get('/webhooks')).body.data.length, 1)
})

t.test('an endpoint of an import stays while something is left that it hears of', async (t) => {
  const service = await setup(t, { worker: true })
  const callback_url = 'https://example.com'
  const { body: dry } = await service.uploadCsv(csv, { callback_url, dry_run: 'true' })
  await service.waitForImport(dry.id)
  await service.pool.query(`UPDATE webhook_endpoints SET created_at = now() - interval '60 days'`)
  const made = async (id: number, verb: string) =>
    (await service.request('POST', `/imports/${id}/${verb}`)).body.id
  const applied = await made(dry.id, 'apply')
  await service.waitForImport(applied)
  const undo = await made(applied, 'undo')
  await service.waitForImport(undo)
  for (const id of [dry.id, applied]) {
    await age(service, id, 60)
    t.match(await clean(service), { callbacks: 0 }, `import ${id} is old`)
  }
  await age(service, undo, 60)
  await service.pool.query('UPDATE imports SET finished_at = NULL WHERE id = $1', [undo])
  t.match(await clean(service), { callbacks: 0 }, 'the undo runs')
  await service.pool.query('UPDATE imports SET finished_at = started_at WHERE id = $1', [undo])
  t.match(await clean(service), { callbacks: 1 })
})

t.test('mails go after their days, but none that is still to be sent', async (t) => {
  const service = await setup(t)
  const { pool, account_id, config } = service
  for (const [state, days] of [
    ['sent', 31],
    ['failed', 31],
    ['queued', 31],
    ['written', 29]
  ]) {
    await pool.query(
      `INSERT INTO mails (account_id, kind, address, content, state, created_at)
      VALUES ($1, 'notice', 'a@b.de', '{}', $2, now() - make_interval(days => $3::integer))`,
      [account_id, state, days]
    )
  }
  const folder = join(config.dataDir, 'mails')
  await mkdir(folder)
  for (const [name, days] of [
    ['old.eml', 31],
    ['older.eml.partial', 40],
    ['new.eml', 29],
    ['notes.txt', 99]
  ] as const) {
    await writeFile(join(folder, name), '')
    const time = new Date(Date.now() - days * 24 * 3_600_000)
    await utimes(join(folder, name), time, time)
  }
  t.match(await clean(service, { keepEventsDays: 0 }), { mails: 0, mail_files: 0 })
  t.match(await clean(service), { mails: 2, mail_files: 2 })
  const { rows } = await pool.query('SELECT state FROM mails ORDER BY id')
  t.same(
    rows.map(({ state }) => state),
    ['queued', 'written']
  )
  t.same((await readdir(folder)).sort(), ['new.eml', 'notes.txt'])
})
