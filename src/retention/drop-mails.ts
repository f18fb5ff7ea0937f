// Mails that have had their time: rows, and files of a service without a mail server.
// Out: how many were deleted. Called by clean.ts.

import type { Pool } from '../platform/db.ts'
import { removeMailFiles } from '../platform/mail-files.ts'
import { deleteOldMails } from './store.ts'

const batch = 2_000

/** Deletes mails older than `days` days (0: none), but none that is still to be sent. */
export async function dropMails(
  { pool, dataDir, signal }: { pool: Pool; dataDir: string; signal: AbortSignal },
  days: number
): Promise<{ mails: number; mail_files: number }> {
  if (days === 0) return { mails: 0, mail_files: 0 }
  let mails = 0
  while (!signal.aborted) {
    const deleted = await deleteOldMails(pool, days, batch)
    mails += deleted
    if (deleted < batch) break
  }
  return { mails, mail_files: await removeMailFiles(dataDir, days) }
}
