// Looks every 5 ms at what the service's database connections do. A statement that waits for its
// client waits for Node; one that works keeps PostgreSQL busy. Called by profile.ts.

import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { ActivityShare } from './profile.ts'

const everyMs = 5

interface Seen {
  statement: string | null
  state: string
  wait_event: string | null
}

/** Starts to look; stop() gives the shares of the samples taken. */
export async function sampleActivity(url: string): Promise<{ stop(): Promise<ActivityShare[]> }> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const tally = new Map<string, ActivityShare>()
  let samples = 0
  let stopped = false
  const looking = (async () => {
    while (!stopped) {
      const { rows } = await client.query<Seen>(look)
      samples++
      for (const seen of rows) add(tally, seen)
      await wait(everyMs)
    }
  })()
  // Awaited in stop(); a failure in between must not end the process before.
  looking.catch(() => {})
  return {
    async stop() {
      stopped = true
      await looking.finally(() => client.end())
      const share = (count: number) => Math.round((1000 * count) / samples) / 1000
      const total = (one: ActivityShare) =>
        one.working + one.waiting_for_client + one.waiting_for_other
      return [...tally.values()]
        .sort((a, b) => total(b) - total(a))
        .map((one) => ({
          statement: one.statement,
          working: share(one.working),
          waiting_for_client: share(one.waiting_for_client),
          waiting_for_other: share(one.waiting_for_other)
        }))
        .filter((one) => total(one) >= 0.003)
    }
  }
}

const look = {
  name: 'bench_activity',
  text: `SELECT COALESCE(substring(a.query FROM '^\\s*/\\* *([\\w.]+) *\\*/'), left(regexp_replace(a.query, '\\s+', ' ', 'g'), 40)) AS statement,
      a.state, a.wait_event
    FROM pg_stat_activity a
    WHERE a.datname = current_database()
    AND a.backend_type = 'client backend'
    AND a.pid <> pg_backend_pid()
    AND a.state <> 'idle'`
}

function add(tally: Map<string, ActivityShare>, seen: Seen): void {
  const isIdle = seen.state.startsWith('idle in transaction')
  const statement = isIdle ? '(between statements of a transaction)' : (seen.statement ?? '')
  const entry = tally.get(statement) ?? {
    statement,
    working: 0,
    waiting_for_client: 0,
    waiting_for_other: 0
  }
  if (isIdle || seen.wait_event === 'ClientRead' || seen.wait_event === 'ClientWrite') {
    entry.waiting_for_client++
  } else if (seen.wait_event === null) entry.working++
  else entry.waiting_for_other++
  tally.set(statement, entry)
}
