// One batch in one transaction, with what happens when the database refuses it.
//
// Refused for lack of a turn (deadlock, serialization, lock timeout, a key that somebody else just
// took): tried again with jitter. Refused for what it holds: cut in half until the one row that
// cannot be written stands alone and is `failed`, so that one bad row costs one row.

import { setTimeout as sleep } from 'node:timers/promises'
import { rowProblem } from '../errors.ts'
import { isConnectionError, type Tx } from '../platform/db.ts'
import type { BatchMemory } from './batch.ts'
import { keptCells } from './decide/secret-values.ts'
import type { Keeping } from './keeping.ts'
import type { ResolvedRow } from './resolve/resolve-row.ts'
import type { Run } from './run.ts'
import {
  forgetMemory,
  noteTouched,
  type PreparedBatch,
  prepareBatch,
  refresh,
  runBatch
} from './run-batch.ts'
import type { Checkpoint } from './terms.ts'
import { type Asked, StaleAttempt } from './write/import-state.ts'
import { dropRows } from './write/waiting-rows.ts'
import { type BatchResult, tally } from './write/write-batch.ts'
import { writeOutcomes } from './write/write-outcomes.ts'

/** A run with what its batches share. */
export interface BatchRun extends Run {
  memory: BatchMemory
  keeping: Keeping
  /** The rows come from those that waited, not from the file. */
  waited: boolean
  whileBusy: () => void
}

export interface Step {
  /** Rows done, counted from the first one given. */
  rowCount: number
  /** Those of them that have to wait for the end of the file. */
  waiting: number
  checkpoint: Checkpoint
  /** What the import is to do now; null: go on. */
  asked: Asked | null
}

const maxTries = 6

/** Commits as many of the given rows as can stand in one batch. `checkpointAfter(n)` says where to
 *  go on after the first n rows. Throws StaleAttempt and what only a later attempt can mend. */
export async function commitBatch(
  started: BatchRun,
  given: PreparedBatch,
  checkpointAfter: (count: number) => Checkpoint
): Promise<Step> {
  const { memory, whileBusy, waited } = started
  let batch = given
  for (let tries = 1; ; tries++) {
    try {
      return await commit(started, checkpointAfter, (at) =>
        runBatch({ ...at, memory, plan: started.plan, whileBusy, waited, ...idsOf(started) }, batch)
      )
    } catch (error) {
      forgetMemory(memory)
      const code = (error as { code?: string }).code
      if (error instanceof StaleAttempt || isConnectionError(error) || !code) throw error
      started.log.warn({ code, rows: batch.rows.length, tries }, 'batch refused by the database')
      let { rows } = batch
      if (retriable.has(code) && tries < maxTries) await sleep(Math.random() * 50 * 2 ** tries)
      else if (!isDataError(code)) throw error
      else if (rows.length === 1) return await failRow(started, rows, code, checkpointAfter)
      else rows = rows.slice(0, Math.ceil(rows.length / 2))
      batch = prepareBatch(started.plan, memory, refresh(started.plan, rows))
    }
  }
}

const retriable = new Set(['40P01', '40001', '23505', '55P03'])

/** Refused for the values: data exceptions, broken constraints, limits of the database. */
const isDataError = (code: string) => /^(22|23|54)/.test(code)

function idsOf({ run }: Run) {
  return { account_id: run.account_id, import_id: run.id, created_on: run.created_on }
}

async function commit(
  started: BatchRun,
  checkpointAfter: (count: number) => Checkpoint,
  work: (at: { tx: Tx; out: Tx }) => Promise<BatchResult>
): Promise<Step> {
  const { keeping } = started
  const { result, ...rest } = await keeping.transact(async (at) => {
    const result = await work(at)
    const checkpoint = checkpointAfter(result.rowCount)
    const { asked } = await keeping.save(at.tx, result, checkpoint)
    return { result, checkpoint, asked }
  })
  noteTouched(started.memory, result)
  return { rowCount: result.rowCount, waiting: result.waiting, ...rest }
}

/** Writes the one row that the database does not take as failed: its outcome is all it leaves. */
async function failRow(
  started: BatchRun,
  rows: ResolvedRow[],
  code: string,
  checkpointAfter: (count: number) => Checkpoint
): Promise<Step> {
  const { plan } = started
  const outcomes = rows.map(({ raw, problems }) => ({
    raw: { ...raw, cells: keptCells(plan, raw.cells) },
    outcome: 'failed' as const,
    record_id: null,
    matched_by: null,
    changed_fields: null,
    problems: [...(problems ?? []), rowProblem('row_failed', { args: { reason: code } })]
  }))
  return await commit(started, checkpointAfter, async ({ tx, out }) => {
    await writeOutcomes({ tx: out, ...idsOf(started) }, outcomes)
    if (started.waited) await dropRows({ tx, ...idsOf(started) }, rows)
    const none = { referencesCreated: {}, waiting: 0, drifted: [] }
    return { rowCount: rows.length, ...tally(outcomes), ...none, rows: outcomes }
  })
}
