// A lane, held: its deliveries are sent one after the other until nothing is due, or its turn is over.
// In: a lane that was claimed. Out: when something is due again. Called by deliver.ts.
//
// Between two attempts is one transaction: what came of the first is written down, the next is chosen.
// A process that dies in an attempt has written nothing of it; who takes the lane over sends it again.

import { type Pool, type Tx, withTransaction } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import { type AttemptContext, attempt } from './attempt.ts'
import { noticeDisabled } from './notice-disabled.ts'
import {
  type DueDelivery,
  type EndpointNews,
  findDue,
  keepLane,
  type Lane,
  type LaneEndpoint,
  noteAttempt,
  releaseLane,
  type Settled,
  settleDelivery
} from './store.ts'

export interface LaneContext extends AttemptContext {
  pool: Pool
  log: Log
  /** How long the lane stays ours without a word. Longer than an attempt takes. */
  leaseMs: number
  /** After this long others have their turn. */
  turnMs: number
  /** Aborted when the process is to stop: the attempt in hand is the last one. */
  signal: AbortSignal
}

type Attempted = { settled: Settled; news: EndpointNews }
type Step =
  | { next: DueDelivery; endpoint: LaneEndpoint }
  /** The lane was given back, or was lost. */
  | { next: null; dueAt: Date | null }

/** Sends what is due. Throws when the database is away: the lane is free again after its lease. */
export async function drainLane(context: LaneContext, lane: Lane): Promise<Date | null> {
  const until = performance.now() + context.turnMs
  let attempted: Attempted | null = null
  for (;;) {
    const isOver = context.signal.aborted || performance.now() > until
    const step: Step = await withTransaction(context.pool, (tx) =>
      takeStep(tx, context, lane, attempted, isOver)
    )
    if (step.next === null) return step.dueAt
    attempted = await attempt(context, lane, step.endpoint, step.next)
    logAttempt(context.log, lane, attempted)
  }
}

async function takeStep(
  tx: Tx,
  { leaseMs }: LaneContext,
  lane: Lane,
  attempted: Attempted | null,
  isOver: boolean
): Promise<Step> {
  const endpoint = await keepLane(tx, lane, leaseMs)
  if (endpoint === null) return { next: null, dueAt: null }
  let { enabled, not_before } = endpoint
  if (attempted) {
    const { settled, news } = attempted
    await settleDelivery(tx, lane, settled)
    await noteAttempt(tx, lane, news)
    if (enabled && news.disabled_reason) await noticeDisabled(tx, lane, news.disabled_reason)
    endpoint.failing_since = news.failing_since
    not_before = news.not_before
    enabled &&= news.disabled_reason === null
  }
  const isSilenced = not_before !== null && not_before.getTime() > Date.now()
  if (!isOver && enabled && !isSilenced) {
    const next = await findDue(tx, lane)
    if (next) return { next, endpoint }
  }
  return { next: null, dueAt: await releaseLane(tx, lane) }
}

function logAttempt(log: Log, { account_id, endpoint_id }: Lane, { settled, news }: Attempted) {
  const { delivery, ms, status, error, state } = settled
  const place = { account_id, webhook_id: endpoint_id, delivery_id: delivery.id }
  log.debug({ ...place, ms, status, error, state }, 'webhook attempted')
  const { disabled_reason: reason } = news
  if (reason) log.warn({ account_id, webhook_id: endpoint_id, reason }, 'webhook disabled')
}
