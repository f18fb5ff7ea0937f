// The keys of a record are those of its values, whatever made or changed it: what is stored is compared
// with what the values give.

import t from 'tap'
import { keysOf } from '../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import { type Setup, setup } from '../setup.ts'

/** Keys by record and rule, as stored and as the values have them. */
async function keysBothWays({ pool, account_id }: Setup, name: string) {
  const type = builtinTypes.require(name)
  const { rows: records } = await pool.query(
    'SELECT r.id, r.organization_id, r.data FROM records r WHERE r.account_id = $1 AND r.type_id = $2',
    [account_id, type.type_id]
  )
  const { rows: stored } = await pool.query(
    `SELECT k.record_id || ' ' || k.rule || ' ' || k.value AS key FROM record_keys k
    WHERE k.account_id = $1 AND k.type_id = $2`,
    [account_id, type.type_id]
  )
  const wanted = records.flatMap(({ id, organization_id, data }) =>
    type.match_rules.flatMap((rule) =>
      keysOf(rule, data, organization_id).map((key) => `${id} ${rule.code} ${key}`)
    )
  )
  return { records, stored: stored.map(({ key }) => key).sort(), wanted: wanted.sort() }
}

t.test('an id that we made up finds its client again, whatever the address', async (t) => {
  const s = await setup(t, { worker: true })
  await s.runCsv('First Name,Email\nAnn,ann@example.com\n', { type: 'clients' })
  const { records, stored, wanted } = await keysBothWays(s, 'clients')
  t.strictSame(stored, wanted)
  const csv = `ID,First Name,Email\n${records[0].data.client_id},Ann,ann.lee@example.com\n`
  const done = await s.runCsv(csv, { type: 'clients' })
  t.match(done.counts, { updated: 1, created: 0 })
  const after = await keysBothWays(s, 'clients')
  t.strictSame(after.stored, after.wanted)
})

t.test(
  'a desk that moves to another project is found there, and no longer where it was',
  async (t) => {
    const s = await setup(t, { worker: true })
    const id = 'a'.repeat(24)
    await s.runCsv('Name\nOne\nTwo\n', { type: 'projects' })
    await s.runCsv(`Desk ID,Name,Project\n${id},Main,One\n`, { type: 'desks' })
    const moved = await s.runCsv(`Desk ID,Name,Project\n${id},Main,Two\n`, { type: 'desks' })
    t.match(moved.counts, { updated: 1 })
    const { stored, wanted } = await keysBothWays(s, 'desks')
    t.strictSame(stored, wanted)
    const done = await s.runCsv('Name,Project\nMain,One\n', { type: 'desks' })
    t.match(done.counts, { created: 1 }, 'another desk of that name')
  }
)
