// The pool and a server that goes silent: every wait ends, and what only takes its time is left alone.

import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import {
  asAppError,
  createPool,
  isConnectionError,
  type Pool,
  type PoolOptions,
  withTransaction
} from '../../src/platform/db.ts'
import { startBlackHole } from '../helpers/black-hole.ts'
import { setupDatabase, type Teardown } from '../helpers/cluster.ts'

function poolOf(t: Teardown, connectionString: string, over: Partial<PoolOptions> = {}): Pool {
  const pool = createPool({
    connectionString,
    name: 'test',
    max: 4,
    statementTimeoutMs: 20_000,
    patience: { silentMs: 400, probeMs: 400 },
    onError: () => {},
    ...over
  })
  t.teardown(() => pool.end())
  return pool
}

/** How long a piece of work took to fail with a connection error. */
async function failsAfter(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  const error = await work().then(
    () => null,
    (thrown: unknown) => thrown
  )
  if (!isConnectionError(error)) throw new Error('did not fail as it should', { cause: error })
  return performance.now() - began
}

t.test('a statement on a line that went dead fails within seconds', async (t) => {
  const { databaseUrl } = await setupDatabase(t)
  const hole = await startBlackHole(t, databaseUrl)
  const pool = poolOf(t, hole.url)
  await pool.query('SELECT 1')
  const tx = withTransaction(pool, async (tx) => {
    await tx.query('SELECT 1')
    hole.freeze()
    await tx.query('SELECT 2')
  })
  t.ok((await failsAfter(() => tx)) < 10_000, 'a transaction is not waited for twice')
  t.ok((await failsAfter(() => pool.query('SELECT 1'))) < 10_000, 'nor is a new connection')
  hole.thaw()
  t.same((await pool.query('SELECT 3 AS n')).rows, [{ n: 3 }], 'the pool goes on')
})

t.test('a line that only the other side has forgotten is found out as well', async (t) => {
  const { databaseUrl } = await setupDatabase(t)
  const hole = await startBlackHole(t, databaseUrl)
  const pool = poolOf(t, hole.url)
  await pool.query('SELECT 1')
  // The connection in the pool is dead, a new one would work.
  hole.freeze()
  hole.thaw()
  t.ok((await failsAfter(() => pool.query('SELECT 1'))) < 10_000)
  t.same((await pool.query('SELECT 3 AS n')).rows, [{ n: 3 }])
})

t.test('a statement that takes its time is left alone', async (t) => {
  const { databaseUrl } = await setupDatabase(t)
  // A busy machine may need its time to answer the question whether it is there.
  const pool = poolOf(t, databaseUrl, { patience: { silentMs: 400, probeMs: 10_000 } })
  t.equal((await pool.query('SELECT pg_sleep(2.5)')).rowCount, 1)
  await withTransaction(pool, async (tx) => {
    await tx.query('SELECT 1')
    await wait(1_500)
    t.equal((await tx.query('SELECT pg_sleep(1.5)')).rowCount, 1, 'nor is one who thinks')
  })
})

t.test('a server process that is frozen does not hold us for ever', async (t) => {
  const { databaseUrl } = await setupDatabase(t)
  const pool = poolOf(t, databaseUrl, { statementTimeoutMs: 1_000 })
  let pid = 0
  t.teardown(() => thaw(pid))
  const took = await failsAfter(() =>
    withTransaction(pool, async (tx) => {
      pid = (await tx.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
      process.kill(pid, 'SIGSTOP')
      await tx.query('SELECT 1')
    })
  )
  t.ok(took < 10_000, `failed after ${Math.round(took)} ms`)
  t.same((await pool.query('SELECT 3 AS n')).rows, [{ n: 3 }])
})

function thaw(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It has ended.
  }
}

t.test('a server without room is away, and nothing is wrong with what was asked', async (t) => {
  for (const code of ['53100', '53200', '58030', '57P01', 'ENETUNREACH']) {
    const error = Object.assign(new Error('no'), { code })
    t.match(asAppError(error), { code: 'database_unavailable', status: 503, cause: error }, code)
  }
  for (const code of ['23505', '42P01', '22P05', undefined]) {
    const error = Object.assign(new Error('no'), { code })
    t.equal(asAppError(error), error, `${code}`)
  }
})
