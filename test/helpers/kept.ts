// What an upload left behind: imports, jobs, files. Tests of refusals compare it with nothing.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Setup } from '../setup.ts'

/** Counts of everything an accepted upload makes, and of temporary files. */
export async function kept({ pool, config }: Setup) {
  const { rows } = await pool.query<{ imports: number; jobs: number }>(
    `SELECT (SELECT count(*) FROM imports) AS imports,
      (SELECT count(*) FROM pgboss.job WHERE name = 'import.turn') AS jobs`
  )
  const files = await listFiles(join(config.dataDir, 'uploads'))
  const partial = await listFiles(join(config.dataDir, 'uploads', 'partial'))
  return {
    ...rows[0],
    files: files.filter((name) => name !== 'partial').length,
    partial: partial.length
  }
}

export const nothing = { imports: 0, jobs: 0, files: 0, partial: 0 }

async function listFiles(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
