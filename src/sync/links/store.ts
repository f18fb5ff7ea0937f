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

/** Holds a record until the transaction ends: nobody deletes it meanwhile. Out: its type; null when the
 *  account has none with that id. */
export async function holdRecord(
  tx: Tx,
  account_id: number,
  type_ids: number[],
  id: number
): Promise<number | null> {
  const { rows } = await tx.query<{ type_id: number }>(
    `/* links.hold_record */
    SELECT r.type_id
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = ANY ($2::smallint[])
      AND r.id = $3::bigint
    FOR KEY SHARE`,
    [account_id, type_ids, id]
  )
  return rows[0]?.type_id ?? null
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

/** From here on the transaction waits a second for others at most: while it waits, so do all that tell
 *  of records of the account. */
export async function limitWaiting(tx: Tx): Promise<void> {
  await tx.query(`/* links.limit_waiting */ SET LOCAL lock_timeout = '1s'`)
}

/** Takes an external id from records that are gone: their links, as far as they are not in use, forget it. */
export async function takeExternalId(
  tx: Tx,
  link: Pick<LinkRow, 'record_id' | 'system' | 'type_id'> & {
    account_id: number
    external_id: string
  }
): Promise<void> {
  await tx.query(
    `/* links.take_external_id */
    UPDATE record_links l
    SET external_id = NULL, changed_at = now()
    WHERE l.account_id = $1::integer
      AND l.system = $2::text
      AND l.type_id = $3::smallint
      AND l.external_id = $4::text
      AND l.record_id <> $5::bigint
      AND l.state IN ('orphaned', 'disconnected', 'not_synced')
      AND NOT EXISTS (
        SELECT 1
        FROM records r
        WHERE r.account_id = $1::integer
          AND r.type_id = $3::smallint
          AND r.id = l.record_id
      )`,
    [link.account_id, link.system, link.type_id, link.external_id, link.record_id]
  )
}

/** Writes a link as it is from now on; `changed_by` null: the connector stays; `keeps_id`: with the
 *  external id that it has. Out: false when another record has that external id. */
export async function saveLink(
  tx: Tx,
  link: Omit<LinkRow, 'id' | 'created_at' | 'changed_at'> & {
    account_id: number
    changed_by: number | null
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
        changed_by = COALESCE(excluded.changed_by, l.changed_by), changed_at = now()`,
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
