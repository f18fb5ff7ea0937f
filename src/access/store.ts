// Accounts and API keys in the database. Keys come in as hashes only, except where one is made.
// Called by the guard, by the first start of the service, by `muster keys`, and by tests.

import { type Db, type Pool, withTransaction } from '../platform/db.ts'
import { hashKey, newKey } from './keys.ts'

/** Who is asking: the account and the key that proved it. */
export interface Account {
  account_id: number
  key_id: number
  /** Whether the key may read passwords and other secrets. */
  reads_secrets: boolean
}

/** Finds the account of a key by the key's hash; null when there is none or it was revoked. */
export async function findAccountByKeyHash(db: Db, key_hash: Buffer): Promise<Account | null> {
  // The one statement without an account: the key is what tells it.
  const { rows } = await db.query<Account>(
    `/* access.find_key */
    SELECT k.account_id, k.id AS key_id, k.reads_secrets
    FROM api_keys k
    WHERE k.key_hash = $1::bytea
      AND k.revoked_at IS NULL`,
    [key_hash]
  )
  return rows[0] ?? null
}

/** Creates an account. */
export async function createAccount(db: Db, name: string): Promise<{ account_id: number }> {
  const { rows } = await db.query<{ account_id: number }>(
    `/* access.create_account */
    INSERT INTO accounts (name)
    VALUES ($1::text)
    RETURNING account_id`,
    [name]
  )
  const [account] = rows
  if (!account) throw new Error('INSERT returned no account')
  return account
}

/** All accounts by id. */
export async function listAccounts(db: Db): Promise<{ account_id: number; name: string }[]> {
  const { rows } = await db.query<{ account_id: number; name: string }>(
    `/* access.list_accounts */
    SELECT a.account_id, a.name
    FROM accounts a
    ORDER BY a.account_id`
  )
  return rows
}

/** An API key without its secret. Times are Dates. */
export interface ApiKeyRow {
  id: number
  name: string
  reads_secrets: boolean
  created_at: Date
  /** null: in use. */
  revoked_at: Date | null
}

/** The API keys of an account by id, those revoked as well. */
export async function listApiKeys(db: Db, account_id: number): Promise<ApiKeyRow[]> {
  const { rows } = await db.query<ApiKeyRow>(
    `/* access.list_keys */
    SELECT k.id, k.name, k.reads_secrets, k.created_at, k.revoked_at
    FROM api_keys k
    WHERE k.account_id = $1::integer
    ORDER BY k.id`,
    [account_id]
  )
  return rows
}

/** Creates an API key. `key` is the only time it is seen in clear. It reads no secrets unless that is
 *  said. */
export async function createApiKey(
  db: Db,
  account_id: number,
  name: string,
  { reads_secrets = false }: { reads_secrets?: boolean } = {}
): Promise<{ id: number; key: string }> {
  const key = newKey()
  const { rows } = await db.query<{ id: number }>(
    `/* access.create_key */
    INSERT INTO api_keys (account_id, name, key_hash, reads_secrets)
    VALUES ($1::integer, $2::text, $3::bytea, $4::boolean)
    RETURNING id`,
    [account_id, name, hashKey(key), reads_secrets]
  )
  const [row] = rows
  if (!row) throw new Error('INSERT returned no key')
  return { id: row.id, key }
}

/** Takes a key's access away. Returns whether there was such a key in use. */
export async function revokeApiKey(db: Db, account_id: number, id: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* access.revoke_key */
    UPDATE api_keys k
    SET revoked_at = now()
    WHERE k.account_id = $1::integer
      AND k.id = $2::integer
      AND k.revoked_at IS NULL`,
    [account_id, id]
  )
  return rowCount === 1
}

/** Creates account "default" with a key when there is no account at all. Returns the key, or null
 *  when there was an account. Safe to call from several processes at once. */
export async function ensureFirstAccount(pool: Pool): Promise<string | null> {
  return withTransaction(pool, async (tx) => {
    await tx.query(
      `/* access.lock_first */ SELECT pg_advisory_xact_lock(hashtext('muster.first_account'))`
    )
    const { rows } = await tx.query<{ found: boolean }>(
      `/* access.any_account */ SELECT EXISTS (SELECT 1 FROM accounts) AS found`
    )
    if (rows[0]?.found) return null
    const { account_id } = await createAccount(tx, 'default')
    const { key } = await createApiKey(tx, account_id, 'first key')
    return key
  })
}
