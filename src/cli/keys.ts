// The work of `muster keys`: on the database of DATABASE_URL, else on the embedded one, which is
// started for it (so a service that runs on it has to be stopped first).

import { createApiKey, listAccounts, listApiKeys, revokeApiKey } from '../access/store.ts'
import { readConfig } from '../config.ts'
import { createPool, type Pool } from '../platform/db.ts'
import { createLog } from '../platform/log.ts'
import { openDatabase, requireMigrated } from '../start-up.ts'
import { CliError } from './client.ts'

export interface KeyOptions {
  /** Id of the account; left out: the only one. */
  account?: number
}

/** Makes a key and prints it, and nothing else, to stdout. */
export async function createKey(options: KeyOptions & { name: string }): Promise<void> {
  await withAccount(options, async (pool, account_id) => {
    console.log((await createApiKey(pool, account_id, options.name)).key)
  })
}

/** Prints a line for each key of the account. */
export async function printKeys(options: KeyOptions): Promise<void> {
  await withAccount(options, async (pool, account_id) => {
    for (const { id, name, created_at, revoked_at } of await listApiKeys(pool, account_id)) {
      const end = revoked_at === null ? '' : `, revoked ${revoked_at.toISOString()}`
      console.log(`${String(id).padStart(4)}  ${name}  (made ${created_at.toISOString()}${end})`)
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
  // Its lines go to stdout, where a script expects nothing but the key.
  const log = createLog('error', 'muster-keys')
  const { databaseUrl, stop } = await openDatabase(readConfig(), log)
  const pool = createPool({
    connectionString: databaseUrl,
    name: 'muster-keys',
    max: 1,
    statementTimeoutMs: 30_000,
    onError: (error) => log.error({ err: error }, 'lost the database connection')
  })
  try {
    await requireMigrated(pool)
    await work(pool, await chooseAccount(pool, account))
  } finally {
    await pool.end()
    await stop()
  }
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
