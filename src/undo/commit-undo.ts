// One batch of an undo, committed; and what happens when the database refuses it.
//
// Refused for lack of a turn: tried again with jitter. Refused for what it holds: cut in half until
// the one record that cannot be written stands alone and is `failed`.
// A dry run does the same in one transaction that is rolled back, with its outcomes in another one.

import { setTimeout as sleep } from 'node:timers/promises'
import { rowProblem } from '../errors.ts'
import { type Asked, checkAttempt, StaleAttempt } from '../import/write/import-state.ts'
import { copyAll } from '../platform/copy-in.ts'
import { isConnectionError, type Pool, type Tx, withTransaction } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import { withSavepoint } from '../platform/trial.ts'
import type { TypeCatalogue } from '../record-types/registry.ts'
import { loadTypes } from '../record-types/store.ts'
import { addTurns } from './revert/hold-types.ts'
import {
  copyOutcomes,
  type RecordOutcome,
  saveTally,
  type Tally,
  tallyOf
} from './revert/write-outcomes.ts'
import {
  noteBatch,
  type ReadAhead,
  revertBatch,
  TypesChanged,
  typesToHold,
  type UndoRun
} from './revert-batch.ts'
import type { Target } from './terms.ts'

/** How the batches of an undo are written. */
export interface Committer {
  /** Runs a batch; its outcomes are counted, and kept with what it wrote. */
  commit<T extends { outcomes: RecordOutcome[] }>(
    work: (place: { tx: Tx; outcomesTx: Tx }) => Promise<T>
  ): Promise<{ end: T; asked: Asked | null }>
}

/** Each batch in a transaction of its own, with its progress. */
export function batchByBatch(pool: Pool, { run }: UndoRun): Committer {
  return {
    async commit(work) {
      const { batches, ...done } = await withTransaction(
        pool,
        async (tx) => {
          const end = await work({ tx, outcomesTx: tx })
          return { end, ...(await saveTally(tx, run, tallyOf(end.outcomes))) }
        },
        // All of a batch is lost together or not at all, and then done again.
        { wait: false }
      )
      run.batches = batches
      return done
    }
  }
}

/** All batches in the caller's transactions. `total` adds up what comes out. */
export function allInOne(
  pool: Pool,
  { run }: UndoRun,
  place: { tx: Tx; outcomesTx: Tx },
  total: Tally
): Committer {
  return {
    async commit(work) {
      const end = await withSavepoint(place.outcomesTx, () =>
        withSavepoint(place.tx, () => work(place))
      )
      const tally = tallyOf(end.outcomes)
      for (const name of ['reverted', 'kept', 'failed', 'warnings'] as const) {
        total[name] += tally[name]
      }
      return { end, asked: (await checkAttempt(pool, run)).asked }
    }
  }
}

/** What the batches of a run share. */
export interface Committing {
  undo: UndoRun
  committer: Committer
  pool: Pool
  log: Log
  types: TypeCatalogue
  /** Outcomes so far. */
  count: number
}

export interface Step {
  /** Records that got an outcome. */
  decided: number
  waiting: Target[]
  asked: Asked | null
}

const maxTries = 6
const retriable = new Set(['40P01', '40001', '23505', '55P03'])

/** Refused for the values: data exceptions, broken constraints, limits of the database. */
const isDataError = (code: string) => /^(22|23|54)/.test(code)

/** Commits the records, in one batch if the database takes it. Throws StaleAttempt and what only a
 *  later attempt can mend. */
export async function commitTargets(
  committing: Committing,
  targets: Target[],
  { isLast, ahead }: { isLast: boolean; ahead: ReadAhead | null }
): Promise<Step> {
  const { undo, committer, log } = committing
  for (let tries = 1; ; tries++) {
    try {
      const { end, asked } = await committer.commit((place) => {
        const after = committing.count
        return revertBatch(undo, committing.types, { ...place, after, isLast, ahead }, targets)
      })
      noteBatch(undo, end)
      committing.count += end.outcomes.length
      return { decided: end.outcomes.length, waiting: end.waiting, asked }
    } catch (error) {
      // What was read of references in a transaction that is gone is not sure any more.
      undo.memory.referrers = null
      undo.memory.epoch++
      if (error instanceof TypesChanged && tries < maxTries) {
        await refreshTypes(committing)
        continue
      }
      const code = (error as { code?: string }).code
      if (error instanceof StaleAttempt || isConnectionError(error) || !code) throw error
      log.warn({ code, records: targets.length, tries }, 'batch refused by the database')
      if (retriable.has(code) && tries < maxTries) await sleep(Math.random() * 50 * 2 ** tries)
      else if (!isDataError(code)) throw error
      else if (targets.length === 1) return await failTarget(committing, targets, code)
      else return await commitHalves(committing, targets, isLast)
    }
  }
}

/** Reads the types of the account, and sees to it that their turns can be taken. */
export async function refreshTypes(committing: Committing): Promise<void> {
  const { undo, pool } = committing
  const { account_id } = undo.run
  committing.types = await loadTypes(pool, account_id)
  await withTransaction(pool, (tx) => addTurns(tx, account_id, typesToHold(undo, committing.types)))
}

async function commitHalves(committing: Committing, targets: Target[], isLast: boolean) {
  const middle = Math.ceil(targets.length / 2)
  const how = { isLast, ahead: null }
  const first = await commitTargets(committing, targets.slice(0, middle), how)
  const second = await commitTargets(committing, targets.slice(middle), how)
  return {
    decided: first.decided + second.decided,
    waiting: [...first.waiting, ...second.waiting],
    asked: second.asked
  }
}

/** Notes the one record that the database does not take. */
async function failTarget(committing: Committing, targets: Target[], code: string): Promise<Step> {
  const { undo, committer, count } = committing
  const outcomes = targets.map(
    (target): RecordOutcome => ({
      ...target,
      outcome: 'failed',
      changed_fields: null,
      problems: [rowProblem('undo_failed', { args: { reason: code } })],
      changes: null
    })
  )
  const { asked } = await committer.commit(async ({ outcomesTx }) => {
    const part = copyOutcomes(undo.run, undo.job.type_id, outcomes, count)
    await copyAll(outcomesTx, [part], () => {})
    return { outcomes }
  })
  for (const { record_id } of targets) undo.memory.done.add(record_id)
  committing.count += outcomes.length
  return { decided: outcomes.length, waiting: [], asked }
}
