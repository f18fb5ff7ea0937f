// The work of `muster keys`: on the database of DATABASE_URL, else on the embedded one.

import { createApiKey, listAccounts, listApiKeys, revokeApiKey } from '../access/store.ts'
import type { Pool } from '../platform/db.ts'
import { CliError } from './client.ts'
import { withDatabase } from './with-database.ts'

export interface KeyOptions {
  /** Id of the account; left out: the only one. */
  account?: number
}

/** Makes a key and prints it, and nothing else, to stdout. */
export async function createKey(
  options: KeyOptions & { name: string; secrets?: boolean }
): Promise<void> {
  await withAccount(options, async (pool, account_id) => {
    const reads_secrets = options.secrets === true
    const { key } = await createApiKey(pool, account_id, options.name, { reads_secrets })
    console.log(key)
  })
}

/** Prints a line for each key of the account. */
export async function printKeys(options: KeyOptions): Promise<void> {
  await withAccount(options, async (pool, account_id) => {
    for (const { id, name, ...key } of await listApiKeys(pool, account_id)) {
      const notes = [`made ${key.created_at.toISOString()}`]
      if (key.reads_secrets) notes.push('reads secrets')
      if (key.revoked_at !== null) notes.push(`revoked ${key.revoked_at.toISOString()}`)
      console.log(`${String(id).padStart(4)}  ${name}  (${notes.join(', ')})`)
    }
  })
}

/** Takes a key away. Throws a CliError when the account has no such key in use. */
export async function revokeKey(id: number, options: KeyOptions): Promise<void> {
  await withAccount(options, async (pool, account_id) => {
    if (await revokeApiKey(pool, account_id, id)) return
    throw new CliError(`There is no key ${id} in use in this account.`)
  })
}

async function withAccount(
  { account }: KeyOptions,
  work: (pool: Pool, account_id: number) => Promise<void>
): Promise<void> {
  await withDatabase({ name: 'muster-keys', statementTimeoutMs: 30_000 }, async (pool) => {
    await work(pool, await chooseAccount(pool, account))
  })
}

async function chooseAccount(pool: Pool, wanted: number | undefined): Promise<number> {
  const accounts = await listAccounts(pool)
  const fitting = accounts.filter(({ account_id }) => account_id === (wanted ?? account_id))
  const [one, ...others] = fitting
  if (one && others.length === 0) return one.account_id
  if (accounts.length === 0) {
    throw new CliError('There is no account yet: the first start of the service makes it.')
  }
  const known = accounts.map(({ account_id, name }) => `${account_id} (${name})`).join(', ')
  throw new CliError(`Say which account is meant with --account <id>. There are: ${known}.`)
}
