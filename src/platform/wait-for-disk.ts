// Makes what was read safe to be told: transactions that did not wait for the disk (`wait: false` of
// withTransaction) can be seen by others before a crash of the server is sure to leave them.

import type { Db } from './db.ts'

/** Returns once everything committed so far is on the server's disk; 0.2 ms when it is already. (An
 *  empty message in the log is the least that a transaction can write, so that its commit waits.)
 *  Where the server itself is set to `synchronous_commit = off`, nothing waits. */
export async function waitForDisk(db: Db): Promise<void> {
  await db.query(
    `/* db.wait_for_disk */
    SELECT CASE WHEN pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()
      THEN pg_logical_emit_message(true, 'muster', '') END`
  )
}
