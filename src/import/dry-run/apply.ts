// dry run -> the import that does exactly what it showed: a new import over the same file, queued.
// Called by routes.ts.

import { appError } from '../../errors.ts'
import { isConnectionError, withTransaction } from '../../platform/db.ts'
import { deleteUpload, shareUpload } from '../../platform/files.ts'
import type { Once } from '../../platform/idempotency.ts'
import { loadTypes } from '../../record-types/store.ts'
import type { ImportContext } from '../accept/accept-upload.ts'
import { takePlace } from '../accept/limits.ts'
import { readType } from '../accept/options.ts'
import { requireSameFields } from '../check-type.ts'
import type { ImportRow } from '../import-row.ts'
import { completeOptions } from '../resolve/import-options.ts'
import { requireRows } from '../show-import.ts'
import type { ImportState } from '../status.ts'
import { getImport, lockImport } from '../store.ts'
import { insertApplying } from './store.ts'

export interface Apply {
  account_id: number
  key_id: number
  /** The dry run. */
  id: number
  /** Left out: as the dry run. */
  allow_partial?: boolean | undefined
}

/** Queues the import that applies a dry run, and returns its id; `once` when the request holds an
 *  idempotency key. Throws import_not_found, import_state_conflict, already_applied,
 *  record_type_changed, unknown_record_type, upload_gone, rows_gone, another_import_running,
 *  too_many_imports, storage_unavailable. */
export async function applyDryRun(
  context: ImportContext,
  apply: Apply,
  once: Once | null
): Promise<number> {
  const { pool, config } = context
  const made: { file_key: string | null } = { file_key: null }
  try {
    return await withTransaction(pool, async (tx) => {
      const { account_id, key_id, id } = apply
      const row = await lockImport(tx, account_id, id)
      if (!row) throw appError('import_not_found', { id })
      requireReady(row)
      await requireUnapplied(tx, account_id, row)
      await requireRows(tx, account_id, id)
      const type = readType(await loadTypes(tx, account_id), row.type)
      const options = completeOptions(type, row.options)
      await requireSameFields(tx, { account_id, id, mapping: row.mapping, options }, type)
      await takePlace(tx, config, account_id, type)
      made.file_key = await shareUpload(config.dataDir, row.file_key)
      const import_id = await insertApplying(tx, {
        account_id,
        created_by: key_id,
        dry_run_id: id,
        file_key: made.file_key,
        allow_partial: apply.allow_partial ?? options.allow_partial
      })
      await context.enqueue(tx, { account_id, import_id, type: row.type })
      await once?.record(tx, { status: 202, location: `/imports/${import_id}` })
      return import_id
    })
  } catch (error) {
    // Where the commit may have reached the database, the import needs its file; a stray is found.
    if (made.file_key !== null && !isConnectionError(error)) {
      await deleteUpload(config.dataDir, made.file_key)
    }
    throw error
  }
}

function requireReady({ id, state, options }: ImportRow): void {
  if (state === 'ready') return
  const allowed = options.dry_run ? 'ready' : 'a dry run that is ready'
  throw appError('import_state_conflict', { id, state, action: 'applying it', allowed })
}

const mayBeForNothing: ReadonlySet<ImportState> = new Set(['failed', 'cancelled'])

/** A dry run is applied once; an import that ended before it wrote anything does not count. */
async function requireUnapplied(
  db: Parameters<typeof getImport>[0],
  account_id: number,
  { id, applied_by }: ImportRow
): Promise<void> {
  const other = applied_by === null ? null : await getImport(db, account_id, applied_by)
  if (other === null) return
  const written = other.rows_created + other.rows_updated
  if (mayBeForNothing.has(other.state) && written === 0) return
  throw appError('already_applied', { id, applied_by }, { details: { applied_by } })
}
