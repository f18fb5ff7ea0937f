// Between two attempts: what came of the first is written down, the next is chosen, or the lane is
// given back. For many lanes in one transaction, with a constant number of statements.
// Called by drain-lane.ts.

import type { Tx } from '../../platform/db.ts'
import type { Attempted } from './attempt.ts'
import { noticeDisabled } from './notice-disabled.ts'
import {
  type DueDelivery,
  findDue,
  keepLanes,
  type Lane,
  type LaneEndpoint,
  noteAttempts,
  releaseLanes,
  settleDeliveries
} from './store.ts'

/** What a lane asks. */
export interface Ask {
  lane: Lane
  /** What was just tried; null: nothing yet. */
  attempted: Attempted | null
  /** Its turn is over: it is given back whatever is due. */
  isOver: boolean
}

/** What it is told. */
export type Step =
  | { isLost: false; next: DueDelivery; endpoint: LaneEndpoint }
  /** The lane was given back, or was lost: what was just tried counts for nothing but the log. */
  | { isLost: boolean; next: null; dueAt: Date | null }

type Place = Pick<Lane, 'account_id' | 'endpoint_id'>
const keyOf = ({ account_id, endpoint_id }: Place) => `${account_id} ${endpoint_id}`
const byPlace = <T extends Place>(list: T[]) => new Map(list.map((one) => [keyOf(one), one]))

/** Takes a step in each lane. Out: in the order of `asks`. */
export async function takeSteps(tx: Tx, asks: Ask[], leaseMs: number): Promise<Step[]> {
  const endpoints = byPlace(await keepLanes(tx, asks.map(laneOf), leaseMs))
  // By the token: a lane that was lost may be held by this process again.
  const isOurs = ({ lane }: Ask) => endpoints.get(keyOf(lane))?.token === lane.token
  const ours = asks.filter(isOurs)
  await writeDown(tx, ours, endpoints)
  await logLost(
    tx,
    asks.filter((ask) => !isOurs(ask))
  )
  const open = ours.filter(({ lane, isOver }) => !isOver && isOpen(endpoints.get(keyOf(lane))))
  const due = byPlace(open.length > 0 ? await findDue(tx, open.map(laneOf)) : [])
  const idle = ours.filter(({ lane }) => !due.has(keyOf(lane)))
  const released = byPlace(idle.length > 0 ? await releaseLanes(tx, idle.map(laneOf)) : [])
  return asks.map((ask) => {
    const key = keyOf(ask.lane)
    const [next, endpoint] = [due.get(key), endpoints.get(key)]
    if (!isOurs(ask)) return { isLost: true, next: null, dueAt: null }
    if (next && endpoint) return { isLost: false, next, endpoint }
    return { isLost: false, next: null, dueAt: released.get(key)?.due_at ?? null }
  })
}

const laneOf = ({ lane }: Ask) => lane

/** Writes attempts down, also on the endpoints at hand. */
async function writeDown(tx: Tx, asks: Ask[], endpoints: Map<string, LaneEndpoint>) {
  const attempted = asks.flatMap((ask) => ask.attempted ?? [])
  if (attempted.length === 0) return
  await settleDeliveries(
    tx,
    attempted.map(({ settled }) => settled)
  )
  await noteAttempts(
    tx,
    attempted.map(({ news }) => news)
  )
  for (const { news } of attempted) {
    const endpoint = endpoints.get(keyOf(news))
    if (!endpoint) continue
    const { failing_since, failed_at, not_before, disabled_reason } = news
    // Seldom: this is no statement for each lane.
    if (endpoint.enabled && disabled_reason) await noticeDisabled(tx, endpoint, disabled_reason)
    const enabled = endpoint.enabled && disabled_reason === null
    Object.assign(endpoint, { failing_since, failed_at, not_before, enabled })
  }
}

/** Writes attempts down whose lane was lost meanwhile. Apart from the others: who has the lane now may
 *  have tried the same delivery. */
async function logLost(tx: Tx, asks: Ask[]) {
  const late = asks.flatMap(({ attempted }) => {
    if (attempted === null) return []
    const { settled } = attempted
    return { ...settled, delivery: { ...settled.delivery, round: null } }
  })
  if (late.length > 0) await settleDeliveries(tx, late)
}

function isOpen(endpoint: LaneEndpoint | undefined): boolean {
  if (!endpoint?.enabled) return false
  return endpoint.not_before === null || endpoint.not_before.getTime() <= Date.now()
}
