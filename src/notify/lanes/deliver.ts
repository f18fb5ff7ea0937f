// Sends deliveries in this process: as many lanes at once as there are places, those of endpoints that
// fail or are slow in places of their own, so that they never stand in the way of the others.
// Called by jobs.ts in every worker process; docs/decisions/0014-webhook-lanes.md says why lanes are
// rows and not jobs.

import { randomUUID } from 'node:crypto'
import type { Config } from '../../config.ts'
import { type Pool, withTransaction } from '../../platform/db.ts'
import { gather } from '../../platform/gather.ts'
import type { Log } from '../../platform/log.ts'
import { parseNetworks } from '../../platform/outbound/addresses.ts'
import { repeat } from '../../platform/repeat.ts'
import type { Secrets } from '../../platform/secrets.ts'
import { openSender } from '../send/send-once.ts'
import { type Schedule, usualSchedule } from './attempt.ts'
import { drainLane, type LaneContext } from './drain-lane.ts'
import { openPlaces, type PlaceSettings } from './places.ts'
import { claimLanes, type Lane } from './store.ts'
import { takeSteps } from './take-steps.ts'

export interface DeliverContext {
  pool: Pool
  config: Pick<Config, 'publicUrl' | 'webhookAllowedNetworks' | 'webhookTimeoutMs'>
  secrets: Secrets
  log: Log
  /** Aborted when the process is to stop. */
  signal: AbortSignal
}

/** How deliveries are sent; tests choose otherwise. */
export interface DeliverSettings extends PlaceSettings {
  schedule: Schedule
  /** How often to look for what is due when nobody says so. */
  everyMs: number
}

// Lanes that take a step in one transaction.
const mostTogether = 100

// For what is written down before and after an attempt.
const leaseMarginMs = 10_000

const usual: DeliverSettings = {
  schedule: usualSchedule,
  places: 256,
  turnMs: 10_000,
  slowMs: 1_000,
  everyMs: 5_000
}

export interface Delivering {
  /** Something may be due. */
  wake(): void
  /** Lets the attempts under way end. */
  stop(): Promise<void>
}

/** Begins to send. */
export function startDelivering(
  context: DeliverContext,
  over: Partial<DeliverSettings> = {}
): Delivering {
  const settings = { ...usual, ...over }
  const { pool, config, log, signal } = context
  const sender = openSender({
    allowed: parseNetworks(config.webhookAllowedNetworks),
    timeoutMs: config.webhookTimeoutMs
  })
  const leaseMs = config.webhookTimeoutMs + leaseMarginMs
  const lanes: LaneContext = {
    ...context,
    sender,
    // Should the server crash, what it had not written yet is sent again.
    takeStep: gather(mostTogether, (asks) =>
      withTransaction(pool, (tx) => takeSteps(tx, asks, leaseMs), { wait: false })
    ),
    publicUrl: config.publicUrl,
    schedule: settings.schedule,
    slowMs: settings.slowMs
  }
  const alarm = setAlarm(() => looking.wake())
  const places = openPlaces(settings)
  const run = (lane: Lane, laggards: boolean) =>
    places.take(lane.account_id, laggards, async (turn) => {
      const dueAt = await drainLane(lanes, lane, turn).catch((error: unknown) => {
        log.warn({ err: error, webhook_id: lane.endpoint_id }, 'lane given up, taken again later')
        return null
      })
      if (dueAt) alarm.at(dueAt)
    })
  const look = async () => {
    for (const laggards of [false, true]) {
      if (signal.aborted) return
      const { limit, ...room } = places.room(laggards)
      const asked = { token: randomUUID(), leaseMs, limit, laggards, ...room }
      const claimed = limit === 0 ? [] : await claimLanes(pool, asked)
      for (const lane of claimed) {
        void run(lane, laggards).then(() => places.isCrowded() && looking.wake())
      }
      places.note(laggards, { claimed: claimed.length, limit })
    }
    // Who turns out to be slow makes room without being done.
    if (places.isCrowded()) alarm.at(new Date(Date.now() + settings.slowMs / 4))
  }
  const looking = repeat({ name: 'sending webhooks', everyMs: settings.everyMs, log }, look)
  return {
    wake: looking.wake,
    async stop() {
      alarm.stop()
      await looking.stop()
      await places.empty()
      await sender.close()
    }
  }
}

const longestMs = 60_000

/** Rings at the earliest of the times it was set to. Those that are far off are looked for anyway. */
function setAlarm(ring: () => void) {
  let timer: NodeJS.Timeout | undefined
  let at = Number.POSITIVE_INFINITY
  return {
    at(time: Date) {
      const ms = Math.max(0, time.getTime() - Date.now())
      if (ms > longestMs || time.getTime() >= at) return
      clearTimeout(timer)
      at = time.getTime()
      timer = setTimeout(() => {
        at = Number.POSITIVE_INFINITY
        ring()
      }, ms + 5).unref()
    },
    stop: () => clearTimeout(timer)
  }
}
