// Links of records to other systems in the database. Every statement names the account.

import type { Db, Tx } from '../../platform/db.ts'
import type { LinkState } from './status.ts'

export interface LinkRow {
  id: number
  record_id: number
  type_id: number
  system: string
  external_id: string | null
  state: LinkState
  error: string | null
  created_at: Date
  changed_at: Date
}

const linkColumns = `l.id, l.record_id, l.type_id, l.system, l.external_id, l.state, l.error,
      l.created_at, l.changed_at`

/** The links of a record; `system` null: to all systems. */
export async function listLinks(
  db: Db,
  account_id: number,
  record_id: number,
  system: string | null
): Promise<LinkRow[]> {
  const { rows } = await db.query<LinkRow>(
    `/* links.list */
    SELECT ${linkColumns}
    FROM record_links l
    WHERE l.account_id = $1::integer
      AND l.record_id = $2::bigint
      AND ($3::text IS NULL OR l.system = $3::text)
    ORDER BY l.system`,
    [account_id, record_id, system]
  )
  return rows
}

/** The link of a record to a system, held until the transaction ends. Whoever makes one waits, too. */
export async function lockLink(
  tx: Tx,
  account_id: number,
  record_id: number,
  system: string
): Promise<LinkRow | null> {
  await tx.query(
    `/* links.take_turn */
    SELECT pg_advisory_xact_lock(hashtextextended('muster.link ' || $1 || '/' || $2, 0))`,
    [String(account_id), String(record_id)]
  )
  const [link] = await listLinks(tx, account_id, record_id, system)
  return link ?? null
}

/** What `GET /links` may ask for; null: any. */
export interface LinkFilter {
  system: string | null
  state: string | null
  after: number
  limit: number
}

/** Links of the account, oldest first. */
export async function pageLinks(db: Db, account_id: number, filter: LinkFilter) {
  const { rows } = await db.query<LinkRow>(
    `/* links.page */
    SELECT ${linkColumns}
    FROM record_links l
    WHERE l.account_id = $1::integer
      AND ($2::text IS NULL OR l.system = $2::text)
      AND ($3::text IS NULL OR l.state = $3::text)
      AND l.id > $4::bigint
    ORDER BY l.id
    LIMIT $5::integer`,
    [account_id, filter.system, filter.state, filter.after, filter.limit]
  )
  return rows
}

/** Takes an id off a record that is gone and was never exchanged: an undo deleted what an import named. */
export async function freeExternalId(
  tx: Tx,
  link: Pick<LinkRow, 'record_id' | 'system' | 'type_id' | 'external_id'> & { account_id: number }
): Promise<void> {
  await tx.query(
    `/* links.free_external_id */
    DELETE FROM record_links l
    WHERE l.account_id = $1::integer
      AND l.system = $2::text
      AND l.type_id = $3::smallint
      AND l.external_id = $4::text
      AND l.record_id <> $5::bigint
      AND l.state = 'not_synced'
      AND NOT EXISTS (
        SELECT 1
        FROM records r
        WHERE r.account_id = l.account_id
          AND r.type_id = l.type_id
          AND r.id = l.record_id
      )`,
    [link.account_id, link.system, link.type_id, link.external_id, link.record_id]
  )
}

/** Writes a link as it is from now on; `keeps_id`: with the external id that it has. Out: false when another record has that external id. */
export async function saveLink(
  tx: Tx,
  link: Omit<LinkRow, 'id' | 'created_at' | 'changed_at'> & {
    account_id: number
    changed_by: number
    keeps_id: boolean
  }
): Promise<boolean> {
  try {
    await tx.query(
      `/* links.save */
      INSERT INTO record_links AS l (account_id, record_id, system, type_id, external_id, state,
        error, changed_by)
      VALUES ($1::integer, $2::bigint, $3::text, $4::smallint, $5::text, $6::text, $7::text,
        $8::integer)
      ON CONFLICT (account_id, record_id, system) DO UPDATE
      -- An import may have named the id since it was read.
      SET external_id = CASE WHEN $9::boolean THEN l.external_id ELSE excluded.external_id END,
        state = excluded.state, error = excluded.error,
        changed_by = excluded.changed_by, changed_at = now()`,
      [
        link.account_id,
        link.record_id,
        link.system,
        link.type_id,
        link.external_id,
        link.state,
        link.error,
        link.changed_by,
        link.keeps_id
      ]
    )
    return true
  } catch (error) {
    if ((error as { code?: string }).code === '23505') return false
    throw error
  }
}
