// What was told is known record by record: nobody hears of a version twice, and whoever has heard of a
// record hears what becomes of it, whatever told them first.

import t from 'tap'
import { createApiKey } from '../../src/access/store.ts'
import { withTransaction } from '../../src/platform/db.ts'
import { cleanUp } from '../../src/retention/clean.ts'
import { pushPage } from '../../src/sync/push/push-page.ts'
import { runPushes } from '../../src/sync/push/run-pushes.ts'
import { claimPush } from '../../src/sync/push/store.ts'
import { runJob, undoHere } from '../helpers/undo-ways.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const { signal } = new AbortController()
const header = 'external_id,organization,first_name,title\n'
const csv = `${header}1,Acme,Ann,Boss\n`
const changed = csv.replace('Boss', 'Clerk')

/** Imports, pushes and undos that run here, one after the other. */
async function start(t: Parameters<typeof setup>[0]) {
  const s = await setup(t)
  const told = () => runPushes({ pool: s.pool, signal })
  const run = async (text: string, fields = {}) => {
    const { body } = await s.uploadCsv(text, fields)
    const done = await runJob(s, body.id)
    await told()
    return done as { id: number; state: string }
  }
  const push = async (id: number, what = 'all') => {
    await s.request('POST', `/imports/${id}/push`, { body: { what } })
    await told()
  }
  const undo = async (id: number, verb: 'undo' | 'redo' = 'undo') => {
    const { undo } = await undoHere(s, id, { verb })
    await told()
    return undo.id as number
  }
  const restore = (record: number, version: number) =>
    s.request('POST', `/records/${record}/restore`, { body: { version } })
  const held = async (id: number) => (await s.get(`/imports/${id}`)).body.not_pushed
  const annOf = async (id: number) =>
    (await s.get(`/imports/${id}/rows`)).body.data[0].record_id as number
  return { s, run, push, undo, restore, held, annOf }
}

/** What was told, in order: the event, who it is about, and its title (a field) then. */
async function toldOf({ pool }: Setup, title = 'Ann') {
  const { rows } = await pool.query(
    `SELECT e.type, r.record
    FROM events e
    CROSS JOIN LATERAL jsonb_array_elements(e.data -> 'records') WITH ORDINALITY AS r (record, place)
    WHERE e.type LIKE 'record.%'
      AND r.record ->> 'title' = $1
    ORDER BY e.position, r.place`,
    [title]
  )
  return rows.map(({ type, record }) => [
    type.replace('record.', ''),
    record.values?.title ?? null,
    record.changed_fields?.title?.from ?? null
  ])
}

t.test('a record that an import changed twice is told of once', async (t) => {
  const { s, run, held } = await start(t)
  const rows = (title: string) =>
    Array.from({ length: 1_100 }, (_, i) => `${i},Acme,C${i},${title}\n`).join('')
  await run(header + rows('A'))
  const { id } = await run(`${header}${rows('B')}0,Acme,C0,C\n`, { push: 'all', repeats: 'merge' })
  t.same(await toldOf(s, 'C0'), [['updated', 'C', 'A']])
  t.equal(await held(id), 0)
})

t.test('a record that changes after it was told of is told of again', async (t) => {
  const { s, held } = await start(t)
  const rows = Array.from({ length: 20 }, (_, i) => `${i},Acme,C${i},A\n`).join('')
  const { body } = await s.uploadCsv(`${header}${rows}0,Acme,C0,B\n`, {
    push: 'all',
    repeats: 'merge'
  })
  await runJob(s, body.id, { batchRows: 5, looks: 3 })
  await s.request('POST', `/imports/${body.id}/cancel`)
  await runPushes({ pool: s.pool, signal })
  t.same(await toldOf(s, 'C0'), [['created', 'A', null]])
  await s.request('POST', `/imports/${body.id}/retry`)
  await runJob(s, body.id)
  await runPushes({ pool: s.pool, signal })
  t.same(await toldOf(s, 'C0'), [
    ['created', 'A', null],
    ['updated', 'B', 'A']
  ])
  t.equal(await held(body.id), 0)
})

t.test('an undo tells of what was told, whichever import told it', async (t) => {
  const { s, run, push, undo, held } = await start(t)
  const first = await run(csv)
  const second = await run(changed, { push: 'all' })
  await undo(second.id)
  await undo(first.id)
  t.same(await toldOf(s), [
    ['updated', 'Clerk', 'Boss'],
    ['updated', 'Boss', 'Clerk'],
    ['deleted', null, null]
  ])
  t.equal(await held(first.id), 1)
  await push(first.id)
  t.equal(await held(first.id), 0, 'it is gone: nothing is left to tell')
})

t.test('what a push told along with its own is taken back with the change', async (t) => {
  const { s, run, push, undo, held } = await start(t)
  const first = await run(csv)
  const second = await run(changed)
  await push(first.id)
  await undo(second.id)
  const told = [
    ['created', 'Clerk', null],
    ['updated', 'Boss', 'Clerk']
  ]
  t.same(await toldOf(s), told)
  await push(second.id)
  t.same(await toldOf(s), told, 'it says what was told last')
  t.equal(await held(second.id), 0)
})

t.test('a restored version counts as told', async (t) => {
  const { s, run, push, undo, restore, annOf } = await start(t)
  const { id } = await run(csv)
  const ann = await annOf(id)
  await run(changed)
  await restore(ann, 1)
  await undo(id)
  t.same(await toldOf(s), [
    ['updated', 'Boss', 'Clerk'],
    ['deleted', null, null]
  ])
  for (const record of [1, ann]) t.equal((await restore(record, 1)).status, 200)
  await push(id)
  t.same((await toldOf(s)).slice(2), [['created', 'Boss', null]])
})

t.test('what was to be told while it was gone is told when it comes back', async (t) => {
  const { s, run, push, undo, held } = await start(t)
  const { id } = await run(csv)
  const undone = await undo(id)
  await push(id)
  t.same([await toldOf(s), await toldOf(s, 'Acme'), await held(id)], [[], [], 0])
  await undo(undone, 'redo')
  await push(id)
  t.same(await toldOf(s), [['created', 'Boss', null]])
  t.equal((await toldOf(s, 'Acme')).length, 1, 'what rows only named, too')
  await undo(id)
  t.same((await toldOf(s)).slice(1), [['deleted', null, null]])
})

t.test('what was held stays held through undo and redo', async (t) => {
  const { s, run, undo, held } = await start(t)
  await run(csv.replace('1,Acme,Ann', '2,Other,Bob'), { push: 'all' })
  const { id } = await run(csv)
  await undo(await undo(id), 'redo')
  t.same(await toldOf(s), [])
  t.equal(await held(id), 1)
})

t.test('a change that was changed back needs no telling', async (t) => {
  const { s, run, push, held } = await start(t)
  const first = await run(csv)
  const second = await run(changed)
  await run(csv)
  await push(second.id)
  t.same([await toldOf(s), await held(second.id)], [[], 0])
  await push(first.id)
  t.same(await toldOf(s), [['created', 'Boss', null]])
})

t.test('events of a record come in the order of its versions', async (t) => {
  const { s, run, restore, annOf } = await start(t)
  const first = await run(csv)
  const second = await run(changed)
  const ann = await annOf(first.id)
  await s.request('POST', `/imports/${second.id}/push`, { body: { what: 'all' } })
  let hasEnded = false
  const restored = await withTransaction(s.pool, async (tx) => {
    const open = await claimPush(tx)
    if (open) await pushPage(tx, open)
    const answer = restore(ann, 1).finally(() => {
      hasEnded = true
    })
    const { rows } = await tx.query('SELECT pg_backend_pid() AS pid')
    await until('it waits for the page', async () => {
      const { rows: blocked } = await s.pool.query(
        'SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))',
        [rows[0].pid]
      )
      return hasEnded || blocked.length > 0
    })
    t.notOk(hasEnded, 'who tells of records takes turns')
    return [answer]
  })
  t.equal((await restored[0])?.status, 200)
  t.same(await toldOf(s), [
    ['updated', 'Clerk', 'Boss'],
    ['updated', 'Boss', 'Clerk']
  ])
})

t.test('what is gone is forgotten when its history is', async (t) => {
  const { s, run, undo } = await start(t)
  await run(csv.replace('1,Acme,Ann', '2,Other,Bob'), { push: 'all' })
  await undo((await run(csv, { push: 'all' })).id)
  const left = async () =>
    (await s.pool.query('SELECT is_gone FROM told_records ORDER BY record_id')).rows
  t.same(
    await left(),
    [false, false, true, true].map((is_gone) => ({ is_gone }))
  )
  await s.pool.query('UPDATE told_records SET told_on = told_on - 100')
  const place = { pool: s.pool, log: s.log, signal }
  await cleanUp({ ...place, config: { ...s.config, keepHistoryDays: 0 } })
  t.equal((await left()).length, 4)
  const { told_records } = await cleanUp({ ...place, config: { ...s.config, keepHistoryDays: 90 } })
  t.equal(told_records, 2)
  t.same(
    await left(),
    [false, false].map((is_gone) => ({ is_gone }))
  )
})

t.test('who changes a part hears of the part that others changed', async (t) => {
  const { s, run, annOf } = await start(t)
  const columns = (first: string, notes: string) =>
    `external_id,organization,first_name,title,notes\n1,Acme,Ann,${first},${notes}\n`
  const ann = await annOf((await run(columns('Boss', 'one'), { push: 'all' })).id)
  const { key } = await createApiKey(s.pool, s.account_id, 'psa')
  const put = { key, body: { state: 'synced' } }
  await s.request('PUT', `/records/${ann}/links/psa`, put)
  await run(columns('Clerk', 'one'))
  const { rows } = await s.pool.query(`SELECT id FROM api_keys WHERE name = 'psa'`)
  const { body } = await s.uploadCsv(columns('Clerk', 'two'), { push: 'all' })
  await s.pool.query('UPDATE imports SET created_by = $1 WHERE id = $2', [rows[0].id, body.id])
  await runJob(s, body.id)
  await runPushes({ pool: s.pool, signal })
  t.same((await toldOf(s)).at(-1), ['updated', 'Clerk', 'Boss'])
  const last = await s.pool.query(
    `SELECT actor_key FROM events WHERE type = 'record.updated' ORDER BY position DESC LIMIT 1`
  )
  t.same(last.rows, [{ actor_key: null }], 'sent to the connector, too')
  t.match((await s.get(`/records/${ann}/links/psa`)).body, { state: 'pending' })
})

t.test('a restored field brings along what was held', async (t) => {
  const { s, run, restore, annOf } = await start(t)
  const ann = await annOf((await run(csv, { push: 'all' })).id)
  await run(csv.replace('Ann', 'Anna').replace('Boss', 'Clerk'))
  t.equal((await s.get(`/records/${ann}`)).body.not_pushed.length, 1)
  const fields = ['first_name']
  const path = `/records/${ann}/restore`
  await s.request('POST', path, { body: { version: 1, fields } })
  t.same((await toldOf(s)).at(-1), ['updated', 'Clerk', 'Boss'])
  t.same((await s.get(`/records/${ann}`)).body.not_pushed, [])
  await restore(ann, 1)
  t.same((await toldOf(s)).at(-1), ['updated', 'Boss', 'Clerk'])
})
