// What event streams read and tell in the database. Every statement names the account.

import type { Db } from '../../platform/db.ts'
import type { ProgressRow } from '../import-json.ts'
import type { ImportState } from '../status.ts'

/** Every change of state (by a trigger) and progress (by the worker) is told here. */
export const channel = 'muster_imports'

export interface ImportPlace {
  account_id: number
  import_id: number
}

/** What is told: with the state when that is what has changed. */
export interface Told extends ImportPlace {
  state?: ImportState
  state_changes?: number
}

/** Reads what was told. Out: null when it is none of ours: whoever may connect may notify. */
export function readTold(payload: string): Told | null {
  try {
    const told: Partial<Told> | null = JSON.parse(payload)
    const isOurs = Number.isInteger(told?.account_id) && Number.isInteger(told?.import_id)
    return isOurs ? (told as Told) : null
  } catch {
    return null
  }
}

/** Progress of an import, and how often its state has changed. */
export interface FollowedRow extends ProgressRow {
  account_id: number
  state_changes: number
}

/** The progress of several imports; those that are not there are left out. */
export async function readFollowed(db: Db, places: ImportPlace[]): Promise<FollowedRow[]> {
  const { rows } = await db.query<FollowedRow>(
    `/* stream.read_followed */
    SELECT i.account_id, i.id, i.kind, i.state, i.state_changes, i.state_before, i.dialect, i.file_bytes,
      i.next_offset, i.rows_created, i.rows_updated, i.rows_unchanged, i.rows_skipped,
      i.rows_rejected, i.rows_failed, i.rows_reverted, i.rows_kept, i.rows_total, i.started_at,
      i.progressed_at, i.finished_at
    FROM unnest($1::integer[], $2::bigint[]) AS f (account_id, import_id)
    JOIN imports i ON i.account_id = f.account_id AND i.id = f.import_id`,
    [places.map((place) => place.account_id), places.map((place) => place.import_id)]
  )
  return rows
}

/** Tells that the import has progressed since `last` (null: ever), if it has. Out: the time to hand
 *  in next time. In a statement of its own: a NOTIFY makes all commits that notify take turns. */
export async function tellProgress(
  db: Db,
  { account_id, import_id }: ImportPlace,
  last: string | null
): Promise<string | null> {
  const { rows } = await db.query<{ progressed: string }>(
    `/* stream.tell_progress */
    SELECT i.progressed_at::text AS progressed, pg_notify($4::text,
      json_build_object('account_id', i.account_id, 'import_id', i.id)::text)
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.id = $2::bigint
      AND i.progressed_at::text IS DISTINCT FROM $3::text
      AND i.progressed_at IS NOT NULL`,
    [account_id, import_id, last, channel]
  )
  return rows[0]?.progressed ?? last
}
