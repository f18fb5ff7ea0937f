// A lane, held: its deliveries are sent one after the other until nothing is due, or its turn is over.
// In: a lane that was claimed. Out: when something is due again. Called by deliver.ts.
//
// A process that dies in an attempt has written nothing of it; who takes the lane over sends it again.

import type { Log } from '../../platform/log.ts'
import { type AttemptContext, type Attempted, attempt } from './attempt.ts'
import type { Turn } from './places.ts'
import type { Lane } from './store.ts'
import type { Ask, Step } from './take-steps.ts'

export interface LaneContext extends AttemptContext {
  log: Log
  /** What is written and chosen between two attempts. */
  takeStep: (ask: Ask) => Promise<Step>
  /** Aborted when the process is to stop: the attempt in hand is the last one. */
  signal: AbortSignal
}

/** Sends what is due. Throws when the database is away: the lane is free again after its lease. */
export async function drainLane(
  context: LaneContext,
  lane: Lane,
  turn: Turn
): Promise<Date | null> {
  let attempted: Attempted | null = null
  for (;;) {
    const isOver = context.signal.aborted || turn.isOver()
    const step: Step = await context.takeStep({ lane, attempted, isOver })
    if (attempted && !step.isLost) logDisabled(context.log, attempted)
    if (step.next === null) return step.dueAt
    attempted = await turn.watch(attempt(context, step.endpoint, step.next))
    logAttempt(context.log, lane, attempted)
  }
}

function logAttempt(log: Log, { account_id, endpoint_id }: Lane, { settled }: Attempted) {
  const { delivery, ms, status, error, state } = settled
  const place = { account_id, webhook_id: endpoint_id, delivery_id: delivery.id }
  log.debug({ ...place, ms, status, error, state }, 'webhook attempted')
}

function logDisabled(log: Log, { news }: Attempted) {
  const { account_id, endpoint_id, disabled_reason: reason } = news
  if (reason) log.warn({ account_id, webhook_id: endpoint_id, reason }, 'webhook disabled')
}
