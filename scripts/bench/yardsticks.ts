// The two yardsticks: what a database can do when one file goes in by hand-written, set-based SQL.
// In: an empty database and the files. Out: seconds per case, each one transaction with an outcome
// for every row, timed from the start of COPY to the end of COMMIT. Called by measure.ts.

import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { CsvFacts } from '../make-csv.ts'
import { type Server, withClient } from './database.ts'
import type { CaseName, YardstickName } from './options.ts'

export type Counts = Record<'created' | 'updated' | 'unchanged' | 'rejected', number>

export interface YardstickRun {
  seconds: number
  counts: Counts
  /** Seconds of each step, in order. */
  steps: Record<string, number>
}

const folder = join(import.meta.dirname, '../yardsticks')
const migrations = join(import.meta.dirname, '../../migrations')

const outcomeTables: Record<YardstickName, string> = {
  lean: 'outcomes',
  equal_work: 'import_rows'
}

/** Cases that a yardstick can run: COPY refuses a whole file for one row with other cell counts. */
const yardstickCases: readonly CaseName[] = ['create', 'unchanged', 'update']

/** Runs create, unchanged and update, in this order, in a new database. */
export async function runYardstick(
  server: Server,
  name: YardstickName,
  files: Record<'base' | 'changed', CsvFacts>,
  cases: readonly CaseName[]
): Promise<Map<CaseName, YardstickRun>> {
  const runs = new Map<CaseName, YardstickRun>()
  const steps = await readSteps(name)
  await server.withDatabase(`bench_${name}`, async (url) => {
    await withClient(url, (client) => createTables(client, name))
    for (const [index, caseName] of yardstickCases.entries()) {
      if (index > 0 && !cases.includes(caseName)) continue
      await withClient(url, (client) => client.query('TRUNCATE staging RESTART IDENTITY'))
      await server.settle(url)
      const file = caseName === 'update' ? files.changed : files.base
      runs.set(
        caseName,
        await withClient(url, (client) => runCase(client, name, steps, file, index))
      )
    }
  })
  return runs
}

async function createTables(client: pg.Client, name: YardstickName): Promise<void> {
  await client.query(await readSql('staging.sql'))
  if (name === 'equal_work') {
    for (const file of (await readdir(migrations)).sort()) {
      const text = await readFile(join(migrations, file), 'utf8')
      await client.query(text.split('-- Down Migration')[0] as string)
    }
  }
  await client.query(await readSql(`${name.replace('_', '-')}-schema.sql`))
}

interface Step {
  name: string
  sql: string
}

/** `-- step: name` begins a step; what stands before the first one is explanation. */
async function readSteps(name: YardstickName): Promise<Step[]> {
  const text = await readSql(`${name.replace('_', '-')}.sql`)
  return text
    .split(/^-- step: /m)
    .slice(1)
    .map((part) => {
      const lineEnd = part.indexOf('\n')
      return { name: part.slice(0, lineEnd), sql: part.slice(lineEnd + 1) }
    })
}

const readSql = (name: string) => readFile(join(folder, name), 'utf8')

async function runCase(
  client: pg.Client,
  name: YardstickName,
  steps: Step[],
  file: CsvFacts,
  run: number
): Promise<YardstickRun> {
  const seconds: Record<string, number> = {}
  await client.query('BEGIN')
  // The one setting that somebody who writes such a load by hand changes.
  await client.query(`SET LOCAL work_mem = '256MB'; SET LOCAL statement_timeout = '15min'`)
  const start = performance.now()
  for (const step of steps) {
    const stepStart = performance.now()
    if (step.sql.startsWith('COPY')) {
      const input = createReadStream(file.path, { highWaterMark: 256 * 1024 })
      await pipeline(input, client.query(copyFrom(step.sql)))
    } else {
      await client.query(step.sql.replaceAll('$import', String(run + 1)))
    }
    seconds[step.name] = (performance.now() - stepStart) / 1000
  }
  await client.query('COMMIT')
  const total = (performance.now() - start) / 1000
  return { seconds: total, counts: await countOutcomes(client, name, run + 1), steps: seconds }
}

async function countOutcomes(client: pg.Client, name: YardstickName, run: number) {
  const counts: Counts = { created: 0, updated: 0, unchanged: 0, rejected: 0 }
  const { rows } = await client.query<{ outcome: keyof Counts; count: string }>(
    `SELECT o.outcome, count(*) FROM ${outcomeTables[name]} o WHERE o.import_id = $1 GROUP BY 1`,
    [run]
  )
  for (const { outcome, count } of rows) counts[outcome] = Number(count)
  return counts
}
