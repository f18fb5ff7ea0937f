// The job of throwing away what has had its time: the table of contents of retention.
//
//   weeks ahead -> uploads -> outcomes -> history -> what was told -> events and deliveries
//   -> strays -> mails
//
// Each step commits by itself and finds what is left when it runs again, so the job may die anywhere
// and may run twice. Called by jobs.ts, once an hour.

import type { Config } from '../config.ts'
import type { Pool } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import { dropMails } from './drop-mails.ts'
import { dropUploads, sweepUploads } from './drop-uploads.ts'
import { dropWeeks, type WeeksPlace } from './drop-weeks.ts'
import { deleteCallbacks, deleteToldRecords, deleteWaitingRows, ensureWeeksAhead } from './store.ts'

export interface CleanContext {
  pool: Pool
  config: Config
  log: Log
  /** Aborted when the process is to stop: the step in hand ends, the rest is for the next time. */
  signal: AbortSignal
}

/** What one run threw away. */
export interface Cleaned {
  /** Files of imports that ended long enough ago. */
  uploads: number
  /** Mondays of the weeks whose outcomes are gone. */
  outcome_weeks: string[]
  history_weeks: string[]
  /** Also of deliveries and their attempts. */
  event_weeks: string[]
  /** Notes of what was told of records that are gone. */
  told_records: number
  /** Endpoints that were made for one import. */
  callbacks: number
  /** Files that no import named. */
  stray_uploads: number
  /** Rows that waited for the end of an import that has ended and cannot be retried. */
  waiting_rows: number
  /** Mails that were told long ago, and their files. */
  mails: number
  mail_files: number
}

/** Drops what is older than the configuration says, and logs it. Throws what the next run may mend:
 *  a database that is away. */
export async function cleanUp({ pool, config, log, signal }: CleanContext): Promise<Cleaned> {
  const { dataDir, keepUploadsDays, keepOutcomesDays, keepHistoryDays, keepEventsDays } = config
  const place = { pool, dataDir, log, signal }
  await ensureWeeksAhead(pool)
  const cleaned = {
    uploads: await dropUploads(place, keepUploadsDays),
    outcome_weeks: await dropWeeks(place, 'import_rows', keepOutcomesDays),
    history_weeks: await dropWeeks(place, 'record_changes', keepHistoryDays),
    event_weeks: await dropEvents(place, keepEventsDays),
    told_records: await deleteToldRecords(pool, keepHistoryDays),
    callbacks: await deleteCallbacks(pool, keepEventsDays),
    stray_uploads: await sweepUploads(place),
    waiting_rows: await deleteWaitingRows(pool),
    ...(await dropMails(place, keepEventsDays))
  }
  const isNothing = Object.values(cleaned).every((one) => one === 0 || String(one) === '')
  log[isNothing ? 'debug' : 'info'](cleaned, 'old data dropped')
  return cleaned
}

/** What is sent first, then what it tells: a delivery without its event is of no use. */
async function dropEvents(place: WeeksPlace, days: number): Promise<string[]> {
  const weeks = new Set<string>()
  for (const table of ['delivery_attempts', 'deliveries', 'events'] as const) {
    for (const week of await dropWeeks(place, table, days)) weeks.add(week)
  }
  return [...weeks].sort()
}
