// The statements of retention. They are the service's own housekeeping and run over all accounts at
// once, as no statement of a request may.

import type { Db, Tx } from '../platform/db.ts'

/** The tables that are kept in weekly partitions. */
export type WeeklyTable =
  | 'import_rows'
  | 'record_changes'
  | 'events'
  | 'deliveries'
  | 'delivery_attempts'

/** Makes sure of the partitions of this week and the next two, long before anybody writes there. */
export async function ensureWeeksAhead(db: Db): Promise<void> {
  await db.query(
    `/* retention.ensure_weeks */
    SELECT ensure_partitions((now() AT TIME ZONE 'UTC')::date + ahead.days)
    FROM unnest(ARRAY[0, 7, 14]) AS ahead (days)`
  )
}

/** The Mondays (yyyy-mm-dd) of the weeks that ended at least `days` days ago, oldest first. */
export async function listPastWeeks(db: Db, table: WeeklyTable, days: number): Promise<string[]> {
  const { rows } = await db.query<{ week: string }>(
    `/* retention.list_weeks */
    SELECT w.week
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS week) w
    WHERE i.inhparent = to_regclass($1::text)
      AND c.relname ~ ('^' || $1::text || '_[0-9]{8}$')
      AND w.week + 7 <= (now() AT TIME ZONE 'UTC')::date - $2::integer
    ORDER BY w.week`,
    [table, days]
  )
  return rows.map(({ week }) => week)
}

/** Makes the transaction wait at most this long for each lock. */
export async function limitLockWait(tx: Tx, ms: number): Promise<void> {
  await tx.query(
    `/* retention.limit_lock_wait */ SELECT set_config('lock_timeout', $1::text, true)`,
    [`${ms}ms`]
  )
}

/** Makes whoever wants to write into a partition that may be missing wait for the transaction. */
export async function lockPartitions(tx: Tx): Promise<void> {
  await tx.query(
    `/* retention.lock_partitions */
    SELECT pg_advisory_xact_lock(hashtext('muster.drop_partitions'))`
  )
}

/** Whether an import that was created in the week is at work, or ended less than `days` days ago.
 *  A draft is not at work: should it start after all, its week is made anew. */
export async function isWeekInUse(tx: Tx, week: string, days: number): Promise<boolean> {
  const { rows } = await tx.query<{ used: boolean }>(
    `/* retention.is_week_in_use */
    SELECT EXISTS (
      SELECT 1
      FROM imports i
      WHERE i.created_on >= $1::date
        AND i.created_on < $1::date + 7
        AND i.state <> 'draft'
        AND (i.finished_at IS NULL OR i.finished_at > now() - make_interval(days => $2::integer))
    ) AS used`,
    [week, days]
  )
  return rows[0]?.used ?? false
}

/** Drops the partition of a week and notes it, in one transaction: no import ever shows as there
 *  what is gone.
 *
 *  DROP TABLE and not DETACH ... CONCURRENTLY, which cannot run in a transaction: it consists of two
 *  and can be left half done by a crash, and it waits for everybody who reads the table at all,
 *  without a limit. A drop needs the whole table for a moment, so readers and writers stand behind
 *  it while it waits for those before it: never longer than the lock timeout, see drop-weeks.ts. */
export async function dropWeek(tx: Tx, table: WeeklyTable, week: string): Promise<void> {
  // Both parts are ours and hold nothing but letters and digits: names take no parameters.
  const partition = `${table}_${week.replaceAll('-', '')}`
  if (table === 'events') await noteDroppedEvents(tx, partition)
  await tx.query(`/* retention.drop_week */ DROP TABLE ${partition}`)
  await tx.query(
    `/* retention.note_week */
    INSERT INTO dropped_weeks (what, week)
    VALUES ($1::text, $2::date)`,
    [table, week]
  )
}

/** Remembers up to where the events of each account are gone: whoever has not read them is told. */
async function noteDroppedEvents(tx: Tx, partition: string): Promise<void> {
  await tx.query(
    `/* retention.note_events */
    INSERT INTO dropped_events AS d (account_id, last_seq)
    SELECT e.account_id, max(e.seq)
    FROM ${partition} e
    WHERE e.seq IS NOT NULL
    GROUP BY e.account_id
    ON CONFLICT (account_id) DO UPDATE SET last_seq = GREATEST(d.last_seq, EXCLUDED.last_seq)`
  )
}

/** Deletes notes of records that `days` days ago were told to be gone (0: none): their history, with
 *  which they could come back, is dropped by then. Out: how many. */
export async function deleteToldRecords(db: Db, days: number): Promise<number> {
  if (days === 0) return 0
  const { rowCount } = await db.query(
    `/* retention.delete_told */
    DELETE FROM told_records t
    WHERE t.is_gone
      AND t.told_on < (now() AT TIME ZONE 'UTC')::date - $1::integer - 7`,
    [days]
  )
  return rowCount ?? 0
}

/** Deletes endpoints that were made for one import, `days` days after it ended (0: none), and after the
 *  latest one that applied it or took it back did, and so on. Out: how many. */
export async function deleteCallbacks(db: Db, days: number): Promise<number> {
  if (days === 0) return 0
  const { rowCount } = await db.query(
    `/* retention.delete_callbacks */
    WITH RECURSIVE heard AS (
      SELECT w.account_id, w.id, w.import_id
      FROM webhook_endpoints w
      WHERE w.import_id IS NOT NULL
        AND w.created_at < now() - make_interval(days => $1::integer)
      UNION ALL
      SELECT h.account_id, h.id, COALESCE(i.undone_by, i.applied_by)
      FROM heard h
      JOIN imports i ON i.account_id = h.account_id AND i.id = h.import_id
      WHERE COALESCE(i.undone_by, i.applied_by) IS NOT NULL
    ), silent AS (
      SELECT h.account_id, h.id
      FROM heard h
      JOIN imports i ON i.account_id = h.account_id AND i.id = h.import_id
      GROUP BY h.account_id, h.id
      HAVING max(COALESCE(i.finished_at, 'infinity')) < now() - make_interval(days => $1::integer)
    ), old AS (
      SELECT w.account_id, w.id
      FROM webhook_endpoints w
      JOIN silent s ON s.account_id = w.account_id AND s.id = w.id
      FOR UPDATE OF w SKIP LOCKED
    )
    DELETE FROM webhook_endpoints w
    USING old o
    WHERE w.account_id = o.account_id
      AND w.id = o.id`,
    [days]
  )
  return rowCount ?? 0
}

/** An import whose upload has had its time. */
export interface OldUpload {
  account_id: number
  id: number
  created_on: string
  file_key: string
}

/** The next imports that ended more than `days` days ago and still have their upload, oldest first,
 *  locked until the transaction ends. Those that somebody else holds are left for the next time. */
export async function lockOldUploads(
  tx: Tx,
  days: number,
  after: Pick<OldUpload, 'account_id' | 'id' | 'created_on'> | null,
  limit: number
): Promise<OldUpload[]> {
  const { rows } = await tx.query<OldUpload>(
    `/* retention.lock_old_uploads */
    SELECT i.account_id, i.id, i.created_on, i.file_key
    FROM imports i
    WHERE i.file_dropped_at IS NULL
      AND i.created_on <= (now() AT TIME ZONE 'UTC')::date - $1::integer
      AND i.finished_at <= now() - make_interval(days => $1::integer)
      AND (i.created_on, i.account_id, i.id) > ($2::date, $3::integer, $4::bigint)
    ORDER BY i.created_on, i.account_id, i.id
    LIMIT $5::integer
    FOR UPDATE SKIP LOCKED`,
    [days, after?.created_on ?? '-infinity', after?.account_id ?? 0, after?.id ?? 0, limit]
  )
  return rows
}

/** Notes that uploads are gone. */
export async function noteUploadsDropped(tx: Tx, uploads: OldUpload[]): Promise<void> {
  await tx.query(
    `/* retention.note_uploads */
    UPDATE imports i
    SET file_dropped_at = now()
    FROM unnest($1::integer[], $2::bigint[]) AS u (account_id, id)
    WHERE i.account_id = u.account_id
      AND i.id = u.id`,
    [uploads.map(({ account_id }) => account_id), uploads.map(({ id }) => id)]
  )
}

/** Which of the files an import names that has not given its upload up. */
export async function findNamedFiles(db: Db, file_keys: string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ file_key: string }>(
    `/* retention.find_named_files */
    SELECT i.file_key
    FROM imports i
    WHERE i.file_key = ANY ($1::text[])
      AND i.file_dropped_at IS NULL`,
    [file_keys]
  )
  return new Set(rows.map(({ file_key }) => file_key))
}

/** Whether the database knows of any upload at all. */
export async function hasUploads(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ has: boolean }>(
    `/* retention.has_uploads */
    SELECT EXISTS (SELECT 1 FROM imports i) AS has`
  )
  return rows[0]?.has ?? false
}

/** Deletes rows that wait for the end of a file whose import has ended. Those of an import that was
 *  cancelled or has failed may be retried, as long as its upload and its outcomes are there. Out: how
 *  many. Their imports are found by hops through the index. */
export async function deleteWaitingRows(db: Db): Promise<number> {
  const { rowCount } = await db.query(
    `/* retention.delete_waiting_rows */
    WITH RECURSIVE waiting AS (
      (
        SELECT w.account_id, w.import_id
        FROM import_waiting_rows w
        ORDER BY w.account_id, w.import_id
        LIMIT 1
      )
      UNION ALL
      SELECT n.account_id, n.import_id
      FROM waiting o
      CROSS JOIN LATERAL (
        SELECT w.account_id, w.import_id
        FROM import_waiting_rows w
        WHERE (w.account_id, w.import_id) > (o.account_id, o.import_id)
        ORDER BY w.account_id, w.import_id
        LIMIT 1
      ) n
    ), ended AS (
      SELECT i.account_id, i.id
      FROM waiting o
      JOIN imports i ON i.account_id = o.account_id AND i.id = o.import_id
      WHERE i.finished_at IS NOT NULL
        AND (
          COALESCE(i.state_before, i.state) NOT IN ('cancelled', 'failed')
          OR i.file_dropped_at IS NOT NULL
          OR EXISTS (
            SELECT 1
            FROM dropped_weeks d
            WHERE d.what = 'import_rows'
              AND d.week = date_trunc('week', i.created_on::timestamp)::date
              AND d.dropped_at >= i.finished_at
          )
        )
      FOR UPDATE OF i SKIP LOCKED
    )
    DELETE FROM import_waiting_rows w
    USING ended e
    WHERE w.account_id = e.account_id
      AND w.import_id = e.id`
  )
  return rowCount ?? 0
}

/** Deletes at most `limit` mails that were written more than `days` days ago and are not to be sent
 *  any more. Out: how many. */
export async function deleteOldMails(db: Db, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `/* retention.delete_mails */
    DELETE FROM mails m
    USING (
      SELECT o.account_id, o.id
      FROM mails o
      WHERE o.created_at <= now() - make_interval(days => $1::integer)
        AND o.state <> 'queued'
      ORDER BY o.created_at
      LIMIT $2::integer
      FOR UPDATE SKIP LOCKED
    ) AS old
    WHERE m.account_id = old.account_id
      AND m.id = old.id`,
    [days, limit]
  )
  return rowCount ?? 0
}
