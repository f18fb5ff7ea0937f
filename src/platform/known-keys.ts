// The secret keys that an installation has seen, each by a value that tells it from others: another
// key under the same id would read garbage and write what the right one cannot read.
// Called when a process starts and by `muster secrets`.

import type { Db } from './db.ts'
import type { Secrets } from './secrets.ts'

/** Throws an Error for people when a key is not the one that this database knows under its id. */
export async function checkKeys(db: Db, { checks }: Secrets): Promise<void> {
  const known = await readChecks(db, [...checks.keys()])
  const wrong = [...known].filter(([id, check]) => checks.get(id) !== check).map(([id]) => id)
  if (wrong.length === 0) return
  throw new Error(
    `the secret key ${wrong.join(', ')} is not the one that this installation knows under that id. ` +
      'Put the right key into MUSTER_SECRET_KEYS (or the file secret-keys of the data folder), or ' +
      'give the new one an id of its own in front of the right one.'
  )
}

/** The same, and remembers those that are new. */
export async function registerKeys(db: Db, secrets: Secrets): Promise<void> {
  await checkKeys(db, secrets)
  const ids = [...secrets.checks.keys()]
  await db.query(
    `/* secret_keys.register */
    INSERT INTO secret_keys (key_id, check_value)
    SELECT k.key_id, k.check_value
    FROM unnest($1::text[], $2::text[]) AS k (key_id, check_value)
    ON CONFLICT (key_id) DO NOTHING`,
    [ids, [...secrets.checks.values()]]
  )
  // Another process may start at the same time with another key.
  await checkKeys(db, secrets)
}

async function readChecks(db: Db, ids: string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ key_id: string; check_value: string }>(
    `/* secret_keys.read */
    SELECT k.key_id, k.check_value
    FROM secret_keys k
    WHERE k.key_id = ANY ($1::text[])`,
    [ids]
  )
  return new Map(rows.map(({ key_id, check_value }) => [key_id, check_value]))
}
