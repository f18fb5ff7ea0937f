// A batch against a real database: constant number of statements, fencing, refused batches.

import t, { type Test } from 'tap'
import { commitBatch } from '../../src/import/commit-batch.ts'
import { type Keeping, keepEachBatch } from '../../src/import/keeping.ts'
import { resolveRow } from '../../src/import/resolve/resolve-row.ts'
import type { Run } from '../../src/import/run.ts'
import { prepareBatch, startMemory } from '../../src/import/run-batch.ts'
import { StaleAttempt } from '../../src/import/write/import-state.ts'
import { createPool, type Pool } from '../../src/platform/db.ts'
import { createLog } from '../../src/platform/log.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import { setupDatabase } from '../helpers/cluster.ts'
import { planOf } from '../helpers/plans.ts'

const headers = ['external_id', 'organization', 'first_name', 'emails', 'notes']
const contacts = builtinTypes.require('contacts')
const plan = planOf(contacts, headers, { repeats: 'merge' })

async function start(t: Test) {
  const { databaseUrl } = await setupDatabase(t)
  const onError = () => {}
  const options = { name: 'test', max: 4, statementTimeoutMs: 20_000, onError }
  const pool = createPool({ connectionString: databaseUrl, ...options })
  t.teardown(() => pool.end())
  await pool.query('SELECT ensure_partitions(current_date)')
  return { pool, ...(await makeRun(pool)) }
}

async function makeRun(pool: Pool, account?: number) {
  const { rows: accounts } = await pool.query(
    `INSERT INTO accounts (name) VALUES ('test') RETURNING account_id`
  )
  const account_id = account ?? accounts[0].account_id
  const { rows } = await pool.query(
    `INSERT INTO imports (account_id, type, state, file_name, file_key, file_bytes, file_sha256,
      dialect, options, mapping, attempt)
    VALUES ($1, 'contacts', 'running', 'f', 'k', 1, 's', '{}', '{}', '[]', 1)
    RETURNING id, created_on, attempt, batches`,
    [account_id]
  )
  const run = { account_id, ...rows[0] }
  const started = { pool, plan, run, log: createLog('silent', 'test') } as unknown as Run
  return { started: { ...started, keeping: keepEachBatch(started) }, account_id }
}

function makeRows(count: number, cells: (i: number) => string[]) {
  return Array.from({ length: count }, (_, i) =>
    resolveRow(plan, { row: i + 1, line: i + 2, offset: i * 50, cells: cells(i), problems: null })
  )
}

const person = (i: number) => [`c-${i}`, `Org ${i % 7}`, 'Ann', `a${i}@example.com`, '']
const after = (rows: number) => ({ rows, offset: rows * 50, line: rows + 2, blankRows: 0 })

/** Runs the rows to their end, as the job does. */
async function commitAll(started: Run & { keeping: Keeping }, all: ReturnType<typeof makeRows>) {
  const memory = startMemory(plan)
  const run = { ...started, memory, whileBusy: () => {}, waited: false }
  let done = 0
  for (let rows = all; rows.length > 0; ) {
    const before = done
    const step = await commitBatch(run, prepareBatch(plan, memory, rows), (count) =>
      after(before + count)
    )
    done += step.rowCount
    rows = rows.slice(step.rowCount).map((row) => resolveRow(plan, row.raw))
  }
}

async function countStatements(pool: Pool, work: () => Promise<unknown>): Promise<number> {
  return (await listStatements(pool, work)).length
}

/** Names of the statements, in their order. */
async function listStatements(pool: Pool, work: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = []
  const connect = pool.connect.bind(pool)
  const counting = async () => {
    const tx = await connect()
    const { query, release } = tx
    tx.query = ((...args: unknown[]) => {
      const [query_or_text] = args as [string | { text?: string }]
      const text = typeof query_or_text === 'string' ? query_or_text : (query_or_text.text ?? '')
      names.push(/^\/\* (\S+) \*\//.exec(text)?.[1] ?? text)
      return Reflect.apply(query, tx, args)
    }) as typeof query
    tx.release = (...args) => {
      Object.assign(tx, { query, release })
      tx.release(...args)
    }
    return tx
  }
  pool.connect = counting as typeof pool.connect
  await work()
  pool.connect = connect
  return names
}

t.test('needs as many statements for 10 rows as for 4,000', async (t) => {
  const { pool, account_id: small } = await start(t)
  const { account_id: large } = await makeRun(pool)
  for (const change of [0, 1]) {
    const cells = (i: number) => [...person(i).slice(0, 4), change && i % 2 ? 'changed' : '']
    const count = async (account_id: number, rows: number) => {
      const { started } = await makeRun(pool, account_id)
      return await countStatements(pool, () => commitAll(started, makeRows(rows, cells)))
    }
    t.equal(await count(small, 10), await count(large, 4_000), change ? 'updating' : 'creating')
  }
})

const wide: Record<string, { headers: string[]; cells: (i: number) => string[] }> = {
  configurations: {
    headers: [
      'Organization',
      'Name',
      'Configuration Type',
      'Manufacturer',
      'Model',
      'Location',
      'Contact',
      'MAC Address',
      'Serial Number'
    ],
    cells: (i) => [
      `Org ${i % 5}`,
      `PC ${i}`,
      `Type ${i % 3}`,
      `Maker ${i % 4}`,
      `Model ${i % 7}`,
      `Site ${i % 2}`,
      'ann@example.com',
      `02${i.toString(16).padStart(10, '0')}`,
      `S${i}`
    ]
  },
  users: {
    headers: ['Name', 'Emails', 'Organizations', 'Phones', 'Role', 'Restriction'],
    cells: (i) => [
      `U ${i}`,
      `u${i}@x.io`,
      `Org ${i % 5}`,
      `+4930${1_000_000 + i}`,
      'Agent',
      'groups'
    ]
  },
  clients: {
    headers: ['First Name', 'Email', 'Project', 'Desk'],
    cells: (i) => ['Ann', `c${i}@x.io`, `P ${i % 3}`, `D ${i % 2}`]
  },
  organizations: {
    headers: ['Name', 'Parent', 'Organization Type'],
    cells: (i) => [`Company ${i}`, '', `Type ${i % 3}`]
  }
}

for (const [name, { headers, cells }] of Object.entries(wide)) {
  t.test(`${name}: as many statements for 10 rows as for 2,000`, async (t) => {
    const { pool, account_id: small } = await start(t)
    const { account_id: large } = await makeRun(pool)
    const on_missing = { organizations: 'create', project: 'create', desk: 'create' } as const
    const own = planOf(builtinTypes.require(name), headers, { on_missing })
    const count = async (account_id: number, rows: number) => {
      const { started } = await makeRun(pool, account_id)
      const memory = startMemory(own)
      const run = { ...started, plan: own, memory, whileBusy: () => {}, waited: false }
      const all = Array.from({ length: rows }, (_, i) =>
        resolveRow(own, { row: i + 1, line: i + 2, offset: 0, cells: cells(i), problems: null })
      )
      let done = 0
      const statements = await countStatements(pool, async () => {
        const step = await commitBatch(run, prepareBatch(own, memory, all), after)
        done = step.rowCount
      })
      t.equal(done, rows)
      return statements
    }
    t.equal(await count(small, 10), await count(large, 2_000), 'creating')
    t.equal(await count(small, 10), await count(large, 2_000), 'unchanged')
  })
}

t.test('ids of other systems: a constant number of statements, and none for others', async (t) => {
  const { pool, account_id: small } = await start(t)
  const { account_id: large } = await makeRun(pool)
  const type = builtinTypes.require('organizations')
  const list = async (account_id: number, headers: string[], rows: number, from = 0) => {
    const { started } = await makeRun(pool, account_id)
    const own = planOf(type, headers)
    const memory = startMemory(own)
    const run = { ...started, plan: own, memory, whileBusy: () => {}, waited: false }
    const all = Array.from({ length: rows }, (_, i) => {
      const cells = [`Company ${i + from}`, `p${i + from}`, `c${i + from}`].slice(0, headers.length)
      return resolveRow(own, { row: i + 1, line: i + 2, offset: 0, cells, problems: null })
    })
    let done = 0
    const statements = await listStatements(pool, async () => {
      done = (await commitBatch(run, prepareBatch(own, memory, all), after)).rowCount
    })
    t.equal(done, rows)
    return statements
  }
  const [one, both] = [['name'], ['name', 'external_ids.psa', 'external_ids.crm']]
  for (const [what, headers, from] of [
    ['plain', one, 0],
    ['links for records that are there', both, 0],
    ['nothing new', both, 0],
    ['new records', both, 5_000]
  ] as const) {
    const few = await list(small, [...headers], 10, from)
    t.strictSame(few, await list(large, [...headers], 2_000, from), what)
    t.equal(
      few.some((name) => name.includes('link') || name.includes('external')),
      headers === both,
      what
    )
  }
  const { rows: links } = await pool.query(
    `SELECT l.account_id, l.system, l.state, count(*) FROM record_links l GROUP BY 1, 2, 3
    ORDER BY 1, 2`
  )
  const state = 'not_synced'
  t.strictSame(links, [
    { account_id: small, system: 'crm', state, count: 20 },
    { account_id: small, system: 'psa', state, count: 20 },
    { account_id: large, system: 'crm', state, count: 4_000 },
    { account_id: large, system: 'psa', state, count: 4_000 }
  ])
})

t.test('a batch that is lost leaves no link, and is done anew', async (t) => {
  const { pool, started, account_id } = await start(t)
  const own = planOf(builtinTypes.require('organizations'), ['name', 'external_ids.psa'])
  const memory = startMemory(own)
  const run = { ...started, plan: own, memory, whileBusy: () => {}, waited: false }
  const batch = () =>
    prepareBatch(own, memory, [
      resolveRow(own, { row: 1, line: 2, offset: 0, cells: ['A', 'p1'], problems: null })
    ])
  await pool.query('UPDATE imports SET attempt = 2 WHERE account_id = $1', [account_id])
  await t.rejects(commitBatch(run, batch(), after), StaleAttempt)
  t.equal((await pool.query('SELECT FROM record_links')).rowCount, 0)
  await pool.query('UPDATE imports SET attempt = 1 WHERE account_id = $1', [account_id])
  await commitBatch(run, batch(), after)
  const { rows } = await pool.query(
    `SELECT l.external_id, r.data ->> 'name' AS name, r.data ? 'external_ids.psa' AS has_id
    FROM record_links l JOIN records r ON r.id = l.record_id`
  )
  t.strictSame(rows, [{ external_id: 'p1', name: 'A', has_id: false }])
})

t.test('rows about one record do not end a batch', async (t) => {
  const { pool, started, account_id } = await start(t)
  const headers = ['external_id', 'name', 'emails', 'phones']
  const own = planOf(builtinTypes.require('users'), headers)
  const cells = (i: number) =>
    i % 2 === 0
      ? [`u${i}`, 'Ann', `u${i}@x.io`, '']
      : [`u${i - 1}`, 'Ann', '', `+4930${100_000 + i}`]
  const memory = startMemory(own)
  const rows = Array.from({ length: 400 }, (_, i) =>
    resolveRow(own, { row: i + 1, line: i + 2, offset: 0, cells: cells(i), problems: null })
  )
  const run = { ...started, plan: own, memory, whileBusy: () => {}, waited: false }
  const step = await commitBatch(run, prepareBatch(own, memory, rows), after)
  t.equal(step.rowCount, 400, 'all in one')
  const { rows: found } = await pool.query(
    `SELECT count(*) AS users, min(r.version) AS version,
      (SELECT count(*) FROM record_changes c WHERE c.account_id = $1 AND c.version = 1) AS steps,
      (SELECT count(*) FROM record_keys k WHERE k.account_id = $1 AND k.type_id = 20) AS keys
    FROM records r
    WHERE r.account_id = $1 AND r.type_id = 20
      AND r.data ? 'emails' AND r.data ? 'phones' AND r.created_import_id = $2`,
    [account_id, started.run.id]
  )
  // External id, address and number of each.
  t.strictSame(found, [{ users: 200, version: 2, steps: 200, keys: 600 }])
})

t.test('a row that is rejected leaves no organization behind', async (t) => {
  const { pool, started, account_id } = await start(t)
  const rows = makeRows(2, (i) => [`c-${i}`, `Org ${i}`, 'Ann', i === 1 ? 'nonsense' : '', ''])
  await commitAll(started, rows)
  const { rows: found } = await pool.query(
    `SELECT r.data->>'name' AS name FROM records r WHERE r.account_id = $1 AND r.type_id = 1`,
    [account_id]
  )
  t.strictSame(found, [{ name: 'Org 0' }])
})

t.test('a worker whose import was taken over writes nothing', async (t) => {
  const { pool, started, account_id } = await start(t)
  await pool.query('UPDATE imports SET attempt = 2 WHERE account_id = $1', [account_id])
  await t.rejects(commitAll(started, makeRows(3, person)), StaleAttempt)
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM records) AS records, (SELECT count(*) FROM import_rows) AS outcomes,
      (SELECT count(*) FROM record_keys) AS keys`
  )
  t.strictSame(rows, [{ records: 0, outcomes: 0, keys: 0 }])
})

t.test('one row that the database refuses costs one row', async (t) => {
  const { pool, started, account_id } = await start(t)
  await pool.query(
    `ALTER TABLE records ADD CONSTRAINT no_poison CHECK (data->>'first_name' IS DISTINCT FROM 'Poison')`
  )
  const cells = (i: number) => (i === 37 ? [`c-${i}`, 'Org', 'Poison', '', ''] : person(i))
  await commitAll(started, makeRows(100, cells))
  const { rows } = await pool.query(
    `SELECT i.rows_created, i.rows_failed, i.next_row FROM imports i WHERE i.account_id = $1`,
    [account_id]
  )
  t.strictSame(rows, [{ rows_created: 99, rows_failed: 1, next_row: 100 }])
  const { rows: failed } = await pool.query(
    `SELECT ir.row_number, ir.problems->0->>'code' AS code, ir.cells FROM import_rows ir
    WHERE ir.account_id = $1 AND ir.outcome = 'failed'`,
    [account_id]
  )
  t.strictSame(failed, [
    { row_number: 38, code: 'row_failed', cells: ['c-37', 'Org', 'Poison', '', ''] }
  ])
})

t.test('two imports that name the same new organizations create each once', async (t) => {
  const { pool, started, account_id } = await start(t)
  const { started: other } = await makeRun(pool, account_id)
  await Promise.all([
    commitAll(started, makeRows(500, person)),
    commitAll(other, makeRows(500, person))
  ])
  const { rows: counts } = await pool.query(
    `SELECT (SELECT count(*) FROM records r WHERE r.account_id = $1 AND r.type_id = 1) AS orgs,
      (SELECT count(*) FROM records r WHERE r.account_id = $1 AND r.type_id = 2) AS people,
      (SELECT sum(i.rows_created + i.rows_unchanged) FROM imports i WHERE i.account_id = $1) AS done`,
    [account_id]
  )
  t.match(counts, [{ orgs: 7, people: 500 }])
  t.equal(Number(counts[0].done), 1000)
})

t.test('a batch read ahead keeps its references when somebody else writes the type', async (t) => {
  const { pool, started, account_id } = await start(t)
  const names = ['name', 'status', 'external_id']
  const own = planOf(builtinTypes.require('organizations'), names)
  const memory = startMemory(own)
  const run = { ...started, plan: own, memory, whileBusy: () => {}, waited: false }
  const prepareRow = (row: number, cells: string[]) =>
    prepareBatch(own, memory, [
      resolveRow(own, { row, line: row + 1, offset: 0, cells, problems: null })
    ])
  await commitBatch(run, prepareRow(1, ['A', 'Active', 'x1']), after)
  const ahead = prepareRow(2, ['B', 'Active', 'x2'])
  t.not(ahead.prepared, null)
  // Contacts name organizations, which creates them.
  const { started: other } = await makeRun(pool, account_id)
  await commitAll(
    other,
    makeRows(1, () => ['c', 'B', 'Ann', '', ''])
  )
  await commitBatch(run, ahead, after)
  const { rows } = await pool.query(
    `SELECT r.data->>'name' AS name, r.data->>'external_id' AS external_id,
      s.data->>'name' AS status
    FROM records r
    LEFT JOIN records s ON s.account_id = r.account_id AND s.type_id = 11
      AND to_jsonb(s.id) = r.data->'organization_status'
    WHERE r.account_id = $1 AND r.type_id = 1 ORDER BY 1`,
    [account_id]
  )
  t.strictSame(rows, [
    { name: 'A', external_id: 'x1', status: 'Active' },
    { name: 'B', external_id: 'x2', status: 'Active' }
  ])
})

t.test('a batch read before the first one is written knows its keys', async (t) => {
  const { pool, started, account_id } = await start(t)
  const { rows: made } = await pool.query(
    `INSERT INTO records (account_id, type_id, id, data) VALUES ($1, 1, 7, '{"name":"A"}')
    RETURNING id`,
    [account_id]
  )
  const options = { ...plan.options, organization_id: made[0].id }
  const own = planOf(contacts, headers, options)
  const memory = startMemory(own)
  const run = { ...started, plan: own, memory, whileBusy: () => {}, waited: false }
  for (const [index, notes] of ['first', 'second'].entries()) {
    const cells = ['c1', '', 'Ann', '', notes]
    const raw = { row: index + 1, line: index + 2, offset: 0, cells, problems: null }
    await commitBatch(run, prepareBatch(own, memory, [resolveRow(own, raw)]), after)
  }
  const { rows } = await pool.query(
    `SELECT r.data->>'notes' AS notes FROM records r WHERE r.account_id = $1 AND r.type_id = 2`,
    [account_id]
  )
  t.strictSame(rows, [{ notes: 'second' }])
})
