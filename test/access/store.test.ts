// Accounts and keys in the database: only hashes are stored, the first account is made once.

import t from 'tap'
import { hashKey, newKey } from '../../src/access/keys.ts'
import {
  createAccount,
  createApiKey,
  ensureFirstAccount,
  findAccountByKeyHash,
  revokeApiKey
} from '../../src/access/store.ts'
import { createPool } from '../../src/platform/db.ts'
import { setupDatabase, type Teardown } from '../helpers/cluster.ts'

async function setupPool(t: Teardown) {
  const { databaseUrl } = await setupDatabase(t)
  const pool = createPool({
    connectionString: databaseUrl,
    name: 'test',
    max: 8,
    statementTimeoutMs: 10_000,
    onError: () => {}
  })
  t.teardown(() => pool.end())
  return pool
}

t.test('a key is found by its hash, and is nowhere in the database', async (t) => {
  const pool = await setupPool(t)
  const { account_id } = await createAccount(pool, 'one')
  const { id, key } = await createApiKey(pool, account_id, 'nightly')
  t.same(await findAccountByKeyHash(pool, hashKey(key)), {
    account_id,
    key_id: id,
    reads_secrets: false
  })
  const reader = await createApiKey(pool, account_id, 'reader', { reads_secrets: true })
  t.match(await findAccountByKeyHash(pool, hashKey(reader.key)), { reads_secrets: true })
  t.equal(await findAccountByKeyHash(pool, hashKey(newKey())), null)
  const { rows } = await pool.query('SELECT row_to_json(k)::text AS text FROM api_keys k')
  t.notOk(rows[0].text.includes(key.slice(3)))
})

t.test('a revoked key is not found any more', async (t) => {
  const pool = await setupPool(t)
  const { account_id } = await createAccount(pool, 'one')
  const { account_id: other } = await createAccount(pool, 'two')
  const { id, key } = await createApiKey(pool, account_id, 'nightly')
  t.equal(await revokeApiKey(pool, other, id), false, 'not by another account')
  t.ok(await findAccountByKeyHash(pool, hashKey(key)))
  t.equal(await revokeApiKey(pool, account_id, id), true)
  t.equal(await findAccountByKeyHash(pool, hashKey(key)), null)
  t.equal(await revokeApiKey(pool, account_id, id), false, 'only once')
})

t.test(
  'the first account is made once, however many processes start at the same time',
  async (t) => {
    const pool = await setupPool(t)
    const made = await Promise.all(Array.from({ length: 6 }, () => ensureFirstAccount(pool)))
    const keys = made.filter((key) => key !== null)
    t.equal(keys.length, 1)
    t.ok(await findAccountByKeyHash(pool, hashKey(keys[0] ?? '')))
    t.equal(await ensureFirstAccount(pool), null)
  }
)
