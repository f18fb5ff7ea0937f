// An import that writes everything or nothing (`allow_partial: false`).
//
// First pass: parse and resolve the whole file without writing. Second pass, only when no row was
// rejected: all batches in one transaction. When a row is rejected in either pass, nothing is kept
// but the outcomes: the bad rows with their problems, the good ones as skipped.
// There is no checkpoint: a lost worker has left nothing, and the next one begins anew.
//
// A dry run is the same, in a transaction that is rolled back. An import that applies one has been
// through the first pass; rows that the dry run has rejected are no reason to refuse it, only those
// that are not as it showed them.

import { rowProblem } from '../errors.ts'
import { type Tx, withTransaction } from '../platform/db.ts'
import { type Trial, withTrial } from '../platform/trial.ts'
import { keptCells } from './decide/secret-values.ts'
import { foresightOf } from './dry-run/foresight.ts'
import { finish, giveBack } from './finish-run.ts'
import { addUp, noProgress, startOf } from './progress.ts'
import { readAhead, readResolved } from './read-resolved.ts'
import type { ResolvedRow } from './resolve/resolve-row.ts'
import type { Run } from './run.ts'
import {
  nextRows,
  noteTouched,
  type PreparedBatch,
  prepareBatch,
  refresh,
  runBatch,
  startMemory
} from './run-batch.ts'
import { runWaiting } from './run-waiting.ts'
import type { Problem } from './terms.ts'
import {
  type Asked,
  checkAttempt,
  errorOf,
  finishImport,
  noteBytes,
  saveProgress
} from './write/import-state.ts'
import { tally } from './write/write-batch.ts'
import { type RowOutcome, writeOutcomes } from './write/write-outcomes.ts'

/** The rows for which nothing may be written. */
interface Refusal {
  /** Problems of rejected rows by row number, as far as memory allows. */
  rejected: Map<number, Problem[]>
  /** Whether one of them is a reason to refuse the others. */
  isNeeded: boolean
}

// More rejected rows than this are still rejected by their cells, but no longer by their matches.
const maxRejected = 50_000

/** Ends the process of writing without a commit. */
class Rollback extends Error {
  readonly reason: 'rejected' | 'stopped' | Asked
  constructor(reason: 'rejected' | 'stopped' | Asked) {
    super(reason)
    this.reason = reason
  }
}

/** Runs the whole import; ends it, or gives it back when the process is to stop. */
export async function runAtomic(started: Run): Promise<void> {
  const { run, pool } = started
  const refusal: Refusal = { rejected: new Map(), isNeeded: false }
  try {
    if (run.applied_from === null && !(await validateAll(started))) throw new Rollback('rejected')
    if (run.options.dry_run) await withTrial(pool, (trial) => writeAll(started, trial, refusal))
    else await withTransaction(pool, (tx) => writeAll(started, { tx, out: tx }, refusal))
  } catch (error) {
    if (!(error instanceof Rollback)) throw error
    const { reason } = error
    if (reason === 'rejected') {
      await withTransaction(pool, (tx) => writeRefusal(started, tx, refusal))
    } else await giveBack(pool, run)
  }
}

/** Stops the run when it is to pause or was cancelled, taken over, or the process is to stop. */
async function stopIfAsked(started: Run): Promise<void> {
  if (started.signal.aborted) throw new Rollback('stopped')
  const { asked } = await checkAttempt(started.pool, started.run)
  if (asked !== null) throw new Rollback(asked)
}

/** First pass. Out: whether every row can be read and is valid by itself. */
async function validateAll(started: Run): Promise<boolean> {
  for await (const { rows } of readResolved(started.read, startOf(started))) {
    await stopIfAsked(started)
    if (rows.some((row) => row.rejected)) return false
  }
  return true
}

/** Second pass: every batch in the caller's transaction, and the import's end with the outcomes. */
async function writeAll(started: Run, { tx, out }: Trial, refusal: Refusal): Promise<void> {
  const { run, plan, read } = started
  const place = {
    tx,
    out,
    account_id: run.account_id,
    import_id: run.id,
    created_on: run.created_on
  }
  const memory = startMemory(plan, foresightOf(run))
  const total = noProgress(startOf(started))
  const take = async (batch: PreparedBatch, whileBusy: () => void, waited: boolean) => {
    const result = await runBatch({ ...place, plan, memory, whileBusy, waited }, batch)
    noteTouched(memory, result)
    noteRejected(refusal, result.rows, run.applied_from !== null)
    if (refusal.isNeeded && refusal.rejected.size >= maxRejected) throw new Rollback('rejected')
    addUp(total, result)
    return result
  }
  for await (const { item, startNext } of readAhead(readResolved(read, total.checkpoint))) {
    await stopIfAsked(started)
    for (let rows = item.rows, open = rows; rows.length > 0; ) {
      const batch = prepareBatch(plan, memory, open)
      const result = await take(batch, startNext, false)
      rows = rows.slice(result.rowCount)
      open = refresh(plan, nextRows(rows, result.rowCount))
    }
    total.checkpoint = item.end
    await noteBytes(started.pool, run, item.end.offset)
  }
  await runWaiting({
    run: started,
    memory,
    db: tx,
    stop: () => started.signal.aborted,
    noteLast: async () => {},
    take: (batch) => take(batch, () => {}, true)
  })
  if (started.signal.aborted) throw new Rollback('stopped')
  if (refusal.isNeeded) throw new Rollback('rejected')
  // From here on a request to stop waits for the commit.
  const { asked } = await saveProgress(out, run, total)
  if (asked !== null) throw new Rollback(asked)
  await finish(out, run, total.checkpoint)
}

/** Notes rejected rows. Where a dry run is applied, those that it rejected itself are no reason. */
function noteRejected(refusal: Refusal, rows: RowOutcome[], isApplying: boolean): void {
  const { rejected } = refusal
  for (const { raw, outcome, problems } of rows) {
    if (outcome !== 'rejected') continue
    if (!isApplying || problems?.some(({ code }) => code === 'drifted')) refusal.isNeeded = true
    if (rejected.size < maxRejected) rejected.set(raw.row, problems ?? [])
  }
}

/** Writes the outcomes of an import that was refused as a whole. */
async function writeRefusal(started: Run, tx: Tx, { rejected }: Refusal): Promise<void> {
  const { run, read } = started
  const place = { tx, account_id: run.account_id, import_id: run.id, created_on: run.created_on }
  const total = noProgress(startOf(started))
  for await (const { rows, end } of readResolved(read, total.checkpoint)) {
    await stopIfAsked(started)
    const refused = rows.map((row) => refuse(started, row, rejected.get(row.raw.row)))
    await writeOutcomes(place, refused)
    addUp(total, { ...tally(refused), referencesCreated: {} })
    total.checkpoint = end
  }
  await saveProgress(tx, run, total)
  const error = errorOf('rows_rejected', {})
  await finishImport(tx, run, { state: 'failed', rowsTotal: total.checkpoint.rows, error })
}

function refuse({ plan }: Run, row: ResolvedRow, found: Problem[] | undefined): RowOutcome {
  const bad = row.rejected || found !== undefined
  return {
    raw: bad ? { ...row.raw, cells: keptCells(plan, row.raw.cells) } : row.raw,
    outcome: bad ? 'rejected' : 'skipped',
    record_id: null,
    matched_by: null,
    changed_fields: null,
    problems: bad
      ? (found ?? row.problems)
      : [...(row.problems ?? []), rowProblem('all_or_nothing')]
  }
}
