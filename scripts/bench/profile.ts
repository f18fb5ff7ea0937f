// Where the time of one case goes: CPU profile of the worker, statements in PostgreSQL.
// Called by run-muster.ts around a case when --profile is given.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { sampleActivity } from './activity.ts'
import { type CpuSummary, summarizeCpuProfile } from './cpu-profile.ts'
import type { Server } from './database.ts'
import type { Service } from './service.ts'

export interface Profile {
  cpu: CpuSummary
  /** What connections of the service were doing, sampled; most seen first. */
  activity: ActivityShare[]
  /** Totals of pg_stat_statements (it cuts leading comments off); null where it is missing. */
  statements: StatementTotal[] | null
}

export interface ActivityShare {
  statement: string
  /** The share of samples in which a connection ran it, by what the server was busy with. */
  working: number
  waiting_for_client: number
  waiting_for_other: number
}

export interface StatementTotal {
  statement: string
  calls: number
  seconds: number
  rows: number
}

const root = `${pathToFileURL(join(import.meta.dirname, '../..')).href}/`
const profilePatienceMs = 60_000

/** Settings of the server that let it count statements. */
export const profileSettings = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track_planning': 'on'
}

/** The environment in which the service lets itself be profiled. */
export function preloadEnv(folder: string): NodeJS.ProcessEnv {
  const preload = pathToFileURL(join(import.meta.dirname, 'profile-preload.ts')).href
  return { NODE_OPTIONS: `--import=${preload}`, BENCH_PROFILE_DIR: folder }
}

/** Starts to record; stop() ends it and sums up. */
export async function startProfile(
  server: Server,
  place: { service: Service; url: string; profiles: string }
): Promise<{ stop(): Promise<Profile> }> {
  const { service, url, profiles } = place
  await mkdir(profiles, { recursive: true })
  const path = join(profiles, 'worker.cpuprofile')
  await rm(path, { force: true })
  const canCount = await resetStatements(server, url)
  const activity = await sampleActivity(url)
  process.kill(service.workerPid, 'SIGCONT')
  return {
    async stop() {
      process.kill(service.workerPid, 'SIGCONT')
      const shares = await activity.stop()
      const statements = canCount ? await readStatements(server, url) : null
      const cpu = summarizeCpuProfile(JSON.parse(await waitForFile(path)), root)
      return { cpu, activity: shares, statements }
    }
  }
}

async function waitForFile(path: string): Promise<string> {
  for (const deadline = Date.now() + profilePatienceMs; Date.now() < deadline; await wait(20)) {
    const text = await readFile(path, 'utf8').catch(() => null)
    if (text !== null) return text
  }
  throw new Error('the worker left no CPU profile')
}

async function resetStatements(server: Server, url: string): Promise<boolean> {
  try {
    await server.runAsAdmin(url, 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
    await server.runAsAdmin(url, 'SELECT pg_stat_statements_reset()')
    return true
  } catch {
    return false // not preloaded on a server that was given to us
  }
}

async function readStatements(server: Server, url: string): Promise<StatementTotal[]> {
  const { rows } = await server.runAsAdmin(
    url,
    `SELECT left(regexp_replace(s.query, '\\s+', ' ', 'g'), 70) AS statement,
      sum(s.calls)::integer AS calls,
      round((sum(s.total_exec_time + s.total_plan_time) / 1000)::numeric, 3)::float8 AS seconds,
      sum(s.rows)::bigint AS rows
    FROM pg_stat_statements s
    JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = current_database()
    AND s.toplevel
    AND s.query !~ 'pg_stat_(activity|statements)'
    GROUP BY 1
    HAVING sum(s.total_exec_time + s.total_plan_time) >= 5
    ORDER BY 3 DESC
    LIMIT 25`
  )
  return rows
}
