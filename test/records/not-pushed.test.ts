// `not_pushed` of a record: the imports and undos that changed it and of which nobody was told.

import t from 'tap'
import { runPushes } from '../../src/sync/push/run-pushes.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const { signal } = new AbortController()
const header = 'external_id,organization,first_name,title\n'

/** Waits for all pushes, also one that another process has in hand. */
const pushed = ({ pool }: Setup) =>
  until('the end of all pushes', async () => {
    await runPushes({ pool, signal })
    return (await pool.query('SELECT 1 FROM pushes WHERE ended_at IS NULL')).rowCount === 0
  })

async function push(s: Setup, id: number, body: object) {
  const { status } = await s.request('POST', `/imports/${id}/push`, { body })
  if (status !== 202) throw new Error(`push of import ${id}: ${status}`)
  await pushed(s)
}

async function takeBack(s: Setup, id: number): Promise<number> {
  const { body } = await s.request('POST', `/imports/${id}/undo`)
  await s.waitForImport(body.id)
  await pushed(s)
  return body.id
}

/** Ids of the contacts by first name, and of their organization. */
async function idsOf({ get }: Setup): Promise<Record<string, number>> {
  const { body } = await get('/records?type=contacts')
  const [one] = body.data
  const people = body.data.map((record: { id: number; data: { first_name: string } }) => [
    record.data.first_name,
    record.id
  ])
  return { ...Object.fromEntries(people), Acme: one.organization.id }
}

const heldOf = async ({ get }: Setup, id: number | undefined) =>
  (await get(`/records/${id}`)).body.not_pushed

t.test('what was told of a record is no longer listed, import by import', async (t) => {
  const s = await setup(t, { worker: true })
  const first = (await s.runCsv(`${header}1,Acme,Ann,Boss\n2,Acme,Bob,\n`)).id
  const { Ann, Bob, Acme } = await idsOf(s)
  const all = async () => [await heldOf(s, Ann), await heldOf(s, Bob), await heldOf(s, Acme)]
  t.same(await all(), [[first], [first], [first]])
  await push(s, first, { what: 'created', record_ids: [Bob] })
  t.same(await all(), [[first], [], [first]], 'a part of the import')
  const second = (await s.runCsv(`${header}1,Acme,Ann,Clerk\n2,Acme,Bob,Boss\n`)).id
  t.same(await all(), [[first, second], [second], [first]])
  await push(s, second, { what: 'updated', record_ids: [Ann] })
  t.same(await all(), [[], [second], [first]], 'what it is now, whoever made it that')
  await push(s, first, { what: 'all' })
  t.same(await all(), [[], [second], []])
  // Bob's title goes back without a word: nobody was told that it had changed.
  await takeBack(s, second)
  t.same(await all(), [[], [], []])
  const list = (await s.get('/records?type=contacts')).body.data
  t.notOk(
    list.some((record: object) => 'not_pushed' in record),
    'lists do not have it'
  )
})

t.test('records that rows only named are told of without a row being told of', async (t) => {
  const s = await setup(t, { worker: true })
  const { id } = await s.runCsv(`${header}1,Acme,Ann,Boss\n`)
  const { Ann, Acme } = await idsOf(s)
  await push(s, id, { what: 'created', record_ids: [Acme] })
  t.same([await heldOf(s, Ann), await heldOf(s, Acme)], [[id], []])
})

t.test('dry runs, rows that change nothing and restored versions are not listed', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = `${header}1,Acme,Ann,Boss\n`
  const { id } = await s.runCsv(csv, { push: 'all' })
  await pushed(s)
  const { Ann } = await idsOf(s)
  await s.runCsv(csv.replace('Boss', 'Clerk'), { dry_run: 'true' })
  await s.runCsv(csv)
  t.same(await heldOf(s, Ann), [])
  const third = (await s.runCsv(csv.replace('Boss', 'Clerk'))).id
  const { body: dry } = await s.request('POST', `/imports/${third}/undo`, {
    body: { dry_run: true }
  })
  await s.waitForImport(dry.id)
  t.same(await heldOf(s, Ann), [third])
  await push(s, third, { what: 'all' })
  await s.request('POST', `/records/${Ann}/restore`, { body: { version: 1 } })
  t.same(await heldOf(s, Ann), [], `told at once; import ${id} long ago`)
})

t.test('at most 20, the oldest; and none whose outcomes are gone', async (t) => {
  const s = await setup(t, { worker: true })
  const ids: number[] = []
  for (let n = 0; n < 22; n++) ids.push((await s.runCsv(`${header}1,Acme,Ann,Title ${n}\n`)).id)
  const { Ann } = await idsOf(s)
  t.same(await heldOf(s, Ann), ids.slice(0, 20))
  await s.pool.query(
    `INSERT INTO dropped_weeks (what, week, dropped_at)
    SELECT 'import_rows', date_trunc('week', created_on::timestamp)::date, finished_at
    FROM imports WHERE id = $1`,
    [ids[19]]
  )
  // Those that ended before the week went.
  t.same(await heldOf(s, Ann), ids.slice(20))
})
