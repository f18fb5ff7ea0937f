// Values written without a file: a constant number of statements, right keys, history, versions.

import t from 'tap'
import { type Tx, withTransaction } from '../../../src/platform/db.ts'
import { keysOf } from '../../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../../src/record-types/registry.ts'
import type { RecordData } from '../../../src/record-types/types.ts'
import { ensureHistory } from '../../../src/records/write/store.ts'
import { openRecords, writeValues } from '../../../src/records/write/write-values.ts'
import { makeRecord } from '../../helpers/vault-type.ts'
import { type Setup, setup } from '../../setup.ts'

/** Sets values in one transaction. Out: what was written, and the number of statements. */
async function change(s: Setup, name: string, sets: Map<number, RecordData>) {
  const { pool, account_id } = s
  const type = builtinTypes.require(name)
  await ensureHistory(pool)
  let statements = 0
  const written = await withTransaction(pool, async (tx) => {
    const query = tx.query.bind(tx) as (...args: unknown[]) => unknown
    const counting = Object.create(tx, {
      query: {
        value: (...args: unknown[]) => {
          statements++
          return query(...args)
        }
      }
    }) as Tx
    const at = { tx: counting, account_id, type_id: type.type_id }
    const records = await openRecords(at, [...sets.keys()])
    const writes = records.map((record) => ({ record, set: sets.get(record.id) ?? {} }))
    const author = { import_id: null, actor_key: null }
    return writeValues({ tx: counting, account_id, type }, author, writes)
  })
  return { written, statements }
}

/** Compares the keys of all records of a type with those that their values make. */
async function checkKeys(s: Setup, name: string) {
  const type = builtinTypes.require(name)
  const { rows: records } = await s.pool.query(
    `SELECT r.id, r.data, r.organization_id FROM records r
    WHERE r.account_id = $1 AND r.type_id = $2`,
    [s.account_id, type.type_id]
  )
  const { rows: keys } = await s.pool.query(
    `SELECT k.rule, k.value, k.record_id FROM record_keys k
    WHERE k.account_id = $1 AND k.type_id = $2`,
    [s.account_id, type.type_id]
  )
  const wanted = records.flatMap(({ id, data, organization_id }) =>
    type.match_rules.flatMap((rule) =>
      keysOf(rule, data, organization_id).map((value) => `${rule.code} ${value} ${id}`)
    )
  )
  const found = keys.map(({ rule, value, record_id }) => `${rule} ${value} ${record_id}`)
  t.ok(wanted.length > 0)
  t.same(found.sort(), wanted.sort(), `keys of ${name}`)
}

async function makePeople(s: Setup, count: number) {
  const rows = Array.from(
    { length: count },
    (_, i) => `Frog ${i % 9},c-${i},Ann,N${i},a${i}@x.io|b${i}@x.io,note\n`
  )
  const header = 'Organization,External ID,First Name,Last Name,Emails,Notes\n'
  const done = await s.runCsv(header + rows.join(''))
  if (done.counts.created !== count) throw new Error(JSON.stringify(done))
  const { rows: found } = await s.pool.query(
    'SELECT r.id FROM records r WHERE r.account_id = $1 AND r.type_id = 2 ORDER BY r.id',
    [s.account_id]
  )
  return found.map(({ id }) => id as number)
}

t.test('needs as many statements for 1 record as for 1,000, and leaves right keys', async (t) => {
  const s = await setup(t, { worker: true })
  const ids = await makePeople(s, 1_000)
  const frog = await makeRecord(s, 'organizations', { name: 'Other Frog' })
  const setFor = (id: number): RecordData => ({
    organization: frog,
    last_name: `M${id}`,
    emails: [`b${id}@x.io`, `n${id}@x.io`],
    external_id: null,
    notes: null
  })
  const one = await change(s, 'contacts', new Map([[ids[0] as number, setFor(ids[0] as number)]]))
  const all = await change(s, 'contacts', new Map(ids.slice(1).map((id) => [id, setFor(id)])))
  t.equal(one.statements, all.statements)
  t.ok(all.statements <= 6, `${all.statements} statements`)
  t.equal(all.written.length, 999)
  t.ok(all.written.every(({ version, changed }) => version === 2 && changed.length === 5))
  await checkKeys(s, 'contacts')
  const { rows } = await s.pool.query(
    `SELECT count(*) AS count FROM records r
    JOIN record_changes c ON c.account_id = r.account_id AND c.record_id = r.id AND c.version = 1
    WHERE r.type_id = 2 AND r.version = 2 AND r.fingerprint IS NULL AND r.organization_id = $1
      AND NOT r.data ?| ARRAY['notes', 'external_id'] AND c.before ->> 'notes' = 'note'`,
    [frog]
  )
  t.equal(rows[0].count, 1_000)
})

t.test('what a record says already is not written', async (t) => {
  const s = await setup(t, { worker: true })
  const [id = 0] = await makePeople(s, 1)
  const same = { notes: 'note', title: null, emails: ['a0@x.io', 'b0@x.io'] }
  const { written } = await change(s, 'contacts', new Map([[id, same]]))
  t.same(written, [{ id, version: 1, changed: [] }])
  const { rows } = await s.pool.query('SELECT count(*) AS count FROM record_changes')
  t.equal(rows[0].count, 0)
})

t.test(
  'keys follow the record inside which they are unique, and the switch of a rule',
  async (t) => {
    const s = await setup(t, { worker: true })
    const [a, b] = [
      await makeRecord(s, 'manufacturers', { name: 'A' }),
      await makeRecord(s, 'manufacturers', { name: 'B' })
    ]
    const model = await makeRecord(s, 'models', { name: 'M', manufacturer: a })
    await change(s, 'models', new Map([[model, { manufacturer: b }]]))
    await checkKeys(s, 'models')
    const user = await makeRecord(s, 'users', { name: 'U', phones: ['+49301234567'] })
    await change(s, 'users', new Map([[user, { shared_phone_number: true }]]))
    const { rows } = await s.pool.query('SELECT 1 FROM record_keys k WHERE k.type_id = 20')
    t.equal(rows.length, 0)
    await change(s, 'users', new Map([[user, { shared_phone_number: null }]]))
    await checkKeys(s, 'users')
  }
)
