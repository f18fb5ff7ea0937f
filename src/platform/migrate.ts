// Brings a database to the schema this version needs: our plain SQL migrations, then pg-boss's own.
// Safe to call from several processes at once: node-pg-migrate and pg-boss both take locks.

import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import type { Db } from './db.ts'
import type { Log } from './log.ts'
import { createQueue } from './queue.ts'

// src/platform/ and dist/platform/ are equally deep below the package root.
const migrationsDir = fileURLToPath(new URL('../../migrations', import.meta.url))
const migrationsTable = 'muster_migrations'

/** Runs all migrations that have not run yet. Throws the database's error when one fails; the
 *  failed migration leaves nothing behind (each runs in a transaction). */
export async function migrate(databaseUrl: string, log: Log): Promise<void> {
  await runner({
    databaseUrl,
    dir: migrationsDir,
    direction: 'up',
    migrationsTable,
    checkOrder: true,
    log: (message) => log.debug(message.trim()),
    logger: {
      debug: (message: string) => log.debug(message),
      info: (message: string) => log.debug(message),
      warn: (message: string) => log.warn(message),
      error: (message: string) => log.error(message)
    }
  })
  const boss = createQueue({ connectionString: databaseUrl, log, role: 'install' })
  await boss.start()
  await boss.stop({ graceful: false })
}

/** Names of our migrations that have not run on the database; all of them on an empty one. */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const files = await readdir(migrationsDir)
  const names = files.filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -4))
  const { rows } = await db
    .query<{ name: string }>(`/* migrate.list_done */ SELECT m.name FROM ${migrationsTable} m`)
    .catch((error: { code?: string }) => {
      if (error.code === '42P01') return { rows: [] } // no such table
      throw error
    })
  const done = new Set(rows.map((row) => row.name))
  return names.filter((name) => !done.has(name)).sort()
}
