// Sends deliveries in this process: as many lanes at once as there are places, those of failing
// endpoints in half of them at most, so that the dead never stand in the way of the living.
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
export interface DeliverSettings {
  schedule: Schedule
  /** Lanes at once. */
  places: number
  turnMs: number
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
    turnMs: settings.turnMs
  }
  const alarm = setAlarm(() => looking.wake())
  const places = openPlaces(settings.places)
  const run = (lane: Lane, failing: boolean) =>
    places.take(failing, async () => {
      const dueAt = await drainLane(lanes, lane).catch((error: unknown) => {
        log.warn({ err: error, webhook_id: lane.endpoint_id }, 'lane given up, taken again later')
        return null
      })
      if (dueAt) alarm.at(dueAt)
    })
  // Whether somebody had no place when we last looked.
  let isFull = false
  const look = async () => {
    isFull = false
    for (const failing of [false, true]) {
      const limit = places.free(failing)
      if (signal.aborted) return
      const asked = { token: randomUUID(), leaseMs, limit, failing }
      const claimed = limit === 0 ? [] : await claimLanes(pool, asked)
      if (claimed.length === limit) isFull = true
      for (const lane of claimed) void run(lane, failing).then(() => isFull && looking.wake())
    }
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

/** Counts who is at work. */
function openPlaces(most: number) {
  const running = new Map<Promise<void>, boolean>()
  const failingMost = Math.ceil(most / 2)
  return {
    free(failing: boolean): number {
      const failingNow = [...running.values()].filter((one) => one).length
      const all = most - running.size
      return failing ? Math.min(all, failingMost - failingNow) : all
    },
    take(failing: boolean, work: () => Promise<void>): Promise<void> {
      const task: Promise<void> = work().finally(() => running.delete(task))
      running.set(task, failing)
      return task
    },
    async empty(): Promise<void> {
      await Promise.all(running.keys())
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
