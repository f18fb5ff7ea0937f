// Databases for tests: a migrated template made once per server, a copy of it for each test.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createLog } from '../../src/platform/log.ts'
import { migrate } from '../../src/platform/migrate.ts'
import type { TestServer } from './cluster.ts'

/** Creates and migrates the template where it is missing; safe for several processes at once. */
export async function ensureTemplate(server: TestServer): Promise<void> {
  const { template, owner } = server
  await asAdmin(server, async (client) => {
    await client.query(`SELECT pg_advisory_lock(hashtext('muster.test.template'))`)
    const { rows } = await client.query(
      'SELECT FROM pg_database d WHERE d.datname = $1::text AND d.datistemplate',
      [template]
    )
    if (rows.length > 0) return
    // One that is not marked as a template was cut off in the middle of its migration.
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(template)}`)
    await client.query(createDatabaseSql(template, owner))
    await migrate(server.urlOf(template), createLog('warn', 'test'))
    await client.query(`ALTER DATABASE ${pg.escapeIdentifier(template)} IS_TEMPLATE true`)
  })
}

export interface TestDatabase {
  databaseUrl: string
  drop(): Promise<void>
}

/** A new copy of the template; about 30 ms. */
export async function createDatabase(server: TestServer): Promise<TestDatabase> {
  const name = `muster_test_${randomBytes(6).toString('hex')}`
  await asAdmin(server, (client) =>
    client.query(
      `${createDatabaseSql(name, server.owner)} TEMPLATE ${pg.escapeIdentifier(server.template)} STRATEGY file_copy`
    )
  )
  const drop = () =>
    asAdmin(server, async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`)
    })
  return { databaseUrl: server.urlOf(name), drop }
}

/** Runs statements as the server's superuser. */
export async function asAdmin<T>(
  server: TestServer,
  work: (client: pg.Client) => Promise<T>
): Promise<T> {
  const client = new pg.Client({ connectionString: server.adminUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Runs statements over a connection of their own. Out: the rows of the last one. */
export async function queryOnce(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const result = await client.query(sql)
    return [result].flat().at(-1)?.rows ?? []
  } finally {
    await client.end()
  }
}

function createDatabaseSql(name: string, owner: string): string {
  return `CREATE DATABASE ${pg.escapeIdentifier(name)} OWNER ${pg.escapeIdentifier(owner)}`
}
