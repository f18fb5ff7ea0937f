// One file size: makes the files, runs the yardsticks and the service in turn, never at the same
// time, as often as asked. Out: the samples of every case. Called by bench.ts.

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CsvFacts, writeContactsCsv } from '../make-csv.ts'
import { checkCounts, checkImport, expectedCounts } from './check.ts'
import { runImport } from './client.ts'
import { type Server, withClient } from './database.ts'
import type { CaseName, Options, YardstickName } from './options.ts'
import { type Profile, preloadEnv, startProfile } from './profile.ts'
import { type Service, startService, type Usage } from './service.ts'
import { type Counts, runYardstick, type YardstickRun } from './yardsticks.ts'

export interface MusterRun {
  seconds: number
  uploadSeconds: number
  runningSeconds: number
  counts: Counts
  /** Peak memory and CPU time of this run. */
  api: Usage
  worker: Usage
  profile: Profile | null
}

export interface CaseSamples {
  muster: MusterRun[]
  lean: YardstickRun[]
  equal_work: YardstickRun[]
}

export interface SizeSamples {
  file: CsvFacts
  cases: Map<CaseName, CaseSamples>
}

export interface Bench {
  server: Server
  tempDir: string
  options: Options
  signal: AbortSignal
  /** Tells a person what is going on. */
  note: (text: string) => void
}

type Files = Record<'base' | 'changed' | 'bad', CsvFacts>

/** Measures one size: that many rows, or one file of `bytes`. Throws an Error when a case fails or
 *  its result is wrong. */
export async function measureSize(
  bench: Bench,
  size: { rows?: number; bytes?: number }
): Promise<SizeSamples> {
  const { options, tempDir } = bench
  bench.note(size.rows ? `${size.rows} rows: making files` : 'making the file')
  const make = (variant: keyof Files) =>
    writeContactsCsv({ ...size, variant, out: join(tempDir, `${variant}.csv`) })
  const base = await make('base')
  const files: Files = options.bytes
    ? { base, changed: base, bad: base }
    : { base, changed: await make('changed'), bad: await make('bad') }
  const cases = new Map<CaseName, CaseSamples>(
    options.cases.map((name) => [name, { muster: [], lean: [], equal_work: [] }])
  )
  for (let round = 1; round <= options.repeat; round++) {
    for (const name of options.yardsticks) await runOneYardstick(bench, name, files, cases)
    if (options.runMuster) await runMuster(bench, files, cases)
  }
  for (const { path } of new Set(Object.values(files))) await rm(path)
  return { file: base, cases }
}

async function runOneYardstick(
  bench: Bench,
  name: YardstickName,
  files: Files,
  cases: Map<CaseName, CaseSamples>
): Promise<void> {
  bench.signal.throwIfAborted()
  bench.note(`${files.base.rows} rows: yardstick ${name}`)
  const runs = await runYardstick(bench.server, name, files, [...cases.keys()])
  for (const [caseName, run] of runs) {
    const file = caseName === 'update' ? files.changed : files.base
    checkCounts(`yardstick ${name}, ${caseName}`, run.counts, expectedCounts(caseName, file))
    cases.get(caseName)?.[name].push(run)
  }
}

/** create, unchanged and update in one store; bad in another one, with a service of its own. */
async function runMuster(
  bench: Bench,
  files: Files,
  cases: Map<CaseName, CaseSamples>
): Promise<void> {
  const wanted = [...cases.keys()]
  const stored = (['create', 'unchanged', 'update'] as const).filter(
    (name) => name === 'create' || cases.has(name)
  )
  const groups: CaseName[][] = []
  if (wanted.some((name) => name !== 'bad')) groups.push(stored)
  if (cases.has('bad')) groups.push(['bad'])
  for (const group of groups) {
    bench.signal.throwIfAborted()
    await bench.server.withDatabase('bench_muster', (url) =>
      runGroup(bench, url, group, files, cases)
    )
  }
}

async function runGroup(
  bench: Bench,
  url: string,
  group: CaseName[],
  files: Files,
  cases: Map<CaseName, CaseSamples>
): Promise<void> {
  const dataDir = join(bench.tempDir, 'service')
  const profiles = join(bench.tempDir, 'profiles')
  const service = await startService({
    databaseUrl: url,
    dataDir,
    env: {
      MUSTER_MAX_UPLOAD_BYTES: String(files.base.bytes * 2),
      ...(bench.options.profile && preloadEnv(profiles))
    }
  })
  try {
    await warmUp(bench, service)
    for (const name of group) {
      await bench.server.settle(url)
      const run = await runCase(bench, { service, url, profiles }, name, files)
      cases.get(name)?.muster.push(run)
    }
  } finally {
    await service.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** One organization is imported, untimed, so that the worker is known to be up. No contact is
 *  stored by it: the store of contacts stays empty. */
async function warmUp(bench: Bench, service: Service): Promise<void> {
  const path = join(bench.tempDir, 'warm-up.csv')
  await writeFile(path, 'name\nWarm-up\n')
  await runImport(service, {
    path,
    type: 'organizations',
    patienceMs: 60_000,
    signal: bench.signal
  })
}

async function runCase(
  bench: Bench,
  place: { service: Service; url: string; profiles: string },
  name: CaseName,
  files: Files
): Promise<MusterRun> {
  const { service, url } = place
  const file = { create: files.base, unchanged: files.base, update: files.changed, bad: files.bad }[
    name
  ]
  bench.note(`${file.rows} rows: Muster ${name}`)
  await service.resetPeaks()
  const before = await service.readUsage()
  const profiling = bench.options.profile ? await startProfile(bench.server, place) : null
  const run = await runImport(service, {
    path: file.path,
    type: 'contacts',
    // 1,000 rows a second, a thirtieth of the speed looked for, are still waited for.
    patienceMs: 120_000 + file.rows,
    signal: bench.signal
  })
  const after = await service.readUsage()
  const profile = profiling ? await profiling.stop() : null
  const expected = expectedCounts(name, file)
  await withClient(url, (client) => checkImport(client, run.json, expected, name))
  return {
    seconds: run.seconds,
    uploadSeconds: run.uploadSeconds,
    runningSeconds: run.runningSeconds,
    counts: expected,
    api: usedBetween(before.api, after.api),
    worker: usedBetween(before.worker, after.worker),
    profile
  }
}

function usedBetween(before: Usage, { cpuSeconds, peakBytes }: Usage): Usage {
  if (cpuSeconds === null || before.cpuSeconds === null) return { peakBytes, cpuSeconds: null }
  return { peakBytes, cpuSeconds: cpuSeconds - before.cpuSeconds }
}
