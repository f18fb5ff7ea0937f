// Retrying an import that has ended: the same import goes back in line for the rows that were not
// reached and for those that failed on our side. Rows that are in, and rows that were rejected, keep
// their outcomes. Called by routes.ts.

import { appError } from '../../errors.ts'
import { type Tx, withTransaction } from '../../platform/db.ts'
import { hasUpload } from '../../platform/files.ts'
import { loadTypes } from '../../record-types/store.ts'
import type { ImportContext } from '../accept/accept-upload.ts'
import { takePlace } from '../accept/limits.ts'
import { readType } from '../accept/options.ts'
import { checkRequired } from '../accept/plan-import.ts'
import { conflict } from '../change-import.ts'
import { requireSameFields } from '../check-type.ts'
import { rowsDone } from '../import-json.ts'
import type { ImportRow } from '../import-row.ts'
import { completeOptions } from '../resolve/import-options.ts'
import type { ImportState } from '../status.ts'
import { lockImport } from '../store.ts'
import { requireQuietFamily } from '../write/undo-family.ts'
import type { Change } from './stop-import.ts'
import { forgetOutcomes, putBackFailed, queueAgain } from './store.ts'

const retriable: ImportState[] = ['cancelled', 'failed', 'completed_with_errors']

/** cancelled, failed, completed_with_errors -> queued, in one transaction: at any moment every row of
 *  the file has one outcome, or waits for it. Throws import_not_found, import_state_conflict,
 *  nothing_to_retry, already_applied, rows_gone, and what starting a draft throws. */
export async function retryImport(context: ImportContext, change: Change): Promise<void> {
  const { account_id, id, once } = change
  await withTransaction(context.pool, async (tx) => {
    const row = await lockImport(tx, account_id, id)
    if (!row) throw appError('import_not_found', { id })
    if (!retriable.includes(row.state)) throw conflict(id, row.state, 'retrying it', retriable)
    checkWorth(row)
    await requireApplying(tx, account_id, row)
    await requireQuietFamily(tx, account_id, id, `retrying import ${id}`)
    await checkStillPossible(context, tx, account_id, row)
    const place = { account_id, id, created_on: row.created_on }
    // A dry run has no place to go on from: it begins anew.
    if (row.options.dry_run) await forgetOutcomes(tx, place)
    const isPart = row.rows_failed > 0 && !row.options.dry_run
    const failedTaken = isPart ? await putBackFailed(tx, place) : 0
    await queueAgain(tx, account_id, id, { states: retriable, failedTaken })
    await context.enqueue(tx, { account_id, import_id: id, type: row.type })
    await once?.record(tx, { status: 202, location: `/imports/${id}` })
  })
}

/** A dry run is applied once: throws already_applied when another import has done so meanwhile. */
async function requireApplying(tx: Tx, account_id: number, row: ImportRow): Promise<void> {
  const { id, applied_from } = row
  if (applied_from === null) return
  const dryRun = await lockImport(tx, account_id, applied_from)
  const applied_by = dryRun?.applied_by ?? id
  if (applied_by === id) return
  throw appError('already_applied', { id: applied_from, applied_by }, { details: { applied_by } })
}

/** Throws nothing_to_retry. */
function checkWorth(row: ImportRow): void {
  const { id, kind, undo_of, rows_total, rows_failed } = row
  if (kind === 'undo') {
    const reason = `it is an undo; POST /imports/${undo_of}/undo takes back what is left`
    throw appError('nothing_to_retry', { id, reason })
  }
  const isReached = rows_total !== null && rowsDone(row) >= rows_total
  if (!isReached || rows_failed > 0) return
  const reason =
    'every row was reached, and none failed on our side; rejected rows have to be mended ' +
    `(GET /imports/${id}/rejects.csv) and sent again`
  throw appError('nothing_to_retry', { id, reason })
}

/** Throws rows_gone, and what starting a draft throws: since then types have changed, files have had
 *  their time, others have queued. */
async function checkStillPossible(
  { config }: ImportContext,
  tx: Tx,
  account_id: number,
  row: ImportRow
): Promise<void> {
  const { id, mapping, dialect, rows_dropped_at } = row
  if (rows_dropped_at !== null) {
    throw appError('rows_gone', { id, day: rows_dropped_at.toISOString().slice(0, 10) })
  }
  const type = readType(await loadTypes(tx, account_id), row.type)
  const options = completeOptions(type, row.options)
  await requireSameFields(tx, { account_id, id, mapping, options }, type)
  checkRequired(dialect.headers, mapping, type, options)
  if (!(await hasUpload(config.dataDir, row.file_key))) throw appError('upload_gone')
  await takePlace(tx, config, account_id, type)
}
