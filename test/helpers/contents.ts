// Everything that a database holds, to be compared before and after something that must not write.

import type { Pool } from '../../src/platform/db.ts'

// Imports, their outcomes and turns are what such a thing may write, what its requests leave, and
// what tells of them.
const others = [
  ...['imports', 'import_rows', 'account_turns', 'idempotency_keys'],
  ...['events', 'deliveries', 'delivery_attempts', 'mails']
]

/** By table of the service, a digest of its rows. Sequences may move. */
export async function contentsOf(pool: Pool): Promise<Record<string, string>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND NOT c.relname = ANY ($1) ORDER BY c.relname`,
    [others]
  )
  const contents: Record<string, string> = {}
  for (const { name } of tables) {
    const { rows } = await pool.query<{ rows: string }>(
      `SELECT count(*) || ' ' || COALESCE(md5(string_agg(x::text, E'\\n' ORDER BY x::text)), '')
        AS rows FROM "${name}" x`
    )
    contents[name] = rows[0]?.rows ?? ''
  }
  return contents
}
