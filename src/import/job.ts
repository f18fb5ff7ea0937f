// The job of importing, from its checkpoint to its end: the table of contents of the flow.
//
//   claim -> read (parse, resolve) -> batches (match, decide, write) -> finish
//
// In: ids. Everything else is in the import's row. May run twice, die anywhere and be taken over:
// each batch commits its rows, outcomes, counts and checkpoint together, and only for the worker
// whose attempt is the latest.

import { AppError, appError } from '../errors.ts'
import { isOutOfResources } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import { shownNames, type TypeCatalogue } from '../record-types/registry.ts'
import { loadTypes } from '../record-types/store.ts'
import type { RecordType } from '../record-types/types.ts'
import { requireSameFields } from './check-type.ts'
import { GivenBack, giveBack } from './finish-run.ts'
import { completeOptions } from './resolve/import-options.ts'
import { compilePlan } from './resolve/plan.ts'
import { checkRowCount } from './row-limit.ts'
import type { Run, RunContext } from './run.ts'
import { runAtomic } from './run-atomic.ts'
import { runPartial } from './run-partial.ts'
import { startPulse } from './stream/pulse.ts'
import {
  type ClaimedImport,
  claimImport,
  ensurePartitions,
  errorOf,
  finishImport,
  StaleAttempt
} from './write/import-state.ts'

// Attempts in a row without a single committed batch, after which the import is given up.
const maxIdleAttempts = 5

/** Runs an import that is queued, or that a lost worker left running. Returns when it is finished,
 *  given back, or not ours any more. Throws what should be tried again later. */
export async function runImport(
  context: RunContext,
  job: { account_id: number; import_id: number }
): Promise<void> {
  const { pool } = context
  const log = context.log.child({ import_id: job.import_id, account_id: job.account_id })
  const run = await claimImport(pool, job.account_id, job.import_id)
  if (!run) return log.info('import is not to be run')
  const pulse = startPulse(pool, job, log)
  try {
    if (run.idle_attempts > maxIdleAttempts) {
      const error = errorOf('no_progress', { attempts: maxIdleAttempts })
      log.error({ attempt: run.attempt }, 'import given up')
      return await finishImport(pool, run, { state: 'failed', error })
    }
    await ensurePartitions(pool, run.created_on)
    log.info({ attempt: run.attempt, next_row: run.next_row }, 'import runs')
    const started = await prepare({ ...context, log }, run)
    if (run.next_row === 0) await checkRowCount(started)
    await (run.options.allow_partial ? runPartial(started) : runAtomic(started))
    log.info('import leaves')
  } catch (error) {
    await endOrRethrow(context, run, log, error)
  } finally {
    pulse.stop()
  }
}

async function prepare(context: RunContext, run: ClaimedImport): Promise<Run> {
  const { config, secrets } = context
  const { dialect, mapping, file_key } = run
  const types = await loadTypes(context.pool, run.account_id)
  const type = requireTypeOf(types, run.type)
  const options = completeOptions(type, run.options)
  await requireSameFields(context.pool, { ...run, options }, type)
  const plan = compilePlan({ types, type, mapping, headers: dialect.headers, options, secrets })
  const { dataDir, batchRows } = config
  const maxRowBytes = Math.min(config.maxRowBytes, type.limits.max_row_bytes ?? Infinity)
  return {
    ...context,
    run,
    plan,
    read: { dataDir, secrets, file_key, dialect, plan, maxRowBytes, batchRows }
  }
}

/** Throws unknown_record_type: the account may have deleted it since the file was accepted. */
function requireTypeOf(types: TypeCatalogue, name: string): RecordType {
  const type = types.get(name)
  if (type) return type
  throw appError('unknown_record_type', { type: name, known: shownNames(types) })
}

/** Errors that no further attempt can mend end the import; a lost import is left alone; the rest
 *  goes back to the queue. */
async function endOrRethrow(context: RunContext, run: ClaimedImport, log: Log, error: unknown) {
  if (error instanceof GivenBack) throw error
  if (error instanceof StaleAttempt) return log.warn({ attempt: run.attempt }, 'import taken over')
  if (error instanceof AppError && error.status < 500) {
    const { code, message } = error
    return await finishImport(context.pool, run, { state: 'failed', error: { code, message } })
  }
  log.warn({ err: error, attempt: run.attempt }, 'import attempt failed')
  // That the server has no room is no fault of the import: the attempt does not count against it.
  if (isOutOfResources(error)) await giveBack(context.pool, run)
  throw error
}
