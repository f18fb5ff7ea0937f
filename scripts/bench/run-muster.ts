// The service's side: imports the files of one record type case by case, and checks every result.
// Called by measure.ts.

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkImport, checkUndo, expectedCounts } from './check.ts'
import { runImport, runUndo } from './client.ts'
import { type Server, withClient } from './database.ts'
import type { Files } from './files.ts'
import { type CaseName, caseNames, type Options } from './options.ts'
import { type Profile, preloadEnv, startProfile } from './profile.ts'
import { type Service, startService, type Usage } from './service.ts'
import type { Counts } from './yardsticks.ts'

export interface Bench {
  server: Server
  tempDir: string
  options: Options
  signal: AbortSignal
  /** Tells a person what is going on. */
  note: (text: string) => void
}

export interface MusterRun {
  /** Rows of the file, or records taken back. */
  rows: number
  seconds: number
  uploadSeconds: number
  runningSeconds: number
  counts: Counts
  /** Peak memory and CPU time of this run. */
  api: Usage
  worker: Usage
  profile: Profile | null
}

type Runs = [CaseName, MusterRun][]

/** create, unchanged and update in one store; bad in another one, with a service of its own. */
export async function runMuster(bench: Bench, files: Files, wanted: CaseName[]): Promise<Runs> {
  const undoes = wanted.some((name) => name.startsWith('undo'))
  const stored = caseNames.filter(
    (name) =>
      name === 'create' ||
      (name !== 'bad' && wanted.includes(name)) ||
      // What came after is taken back first.
      (undoes && ['update', 'undo_update'].includes(name))
  )
  const groups: CaseName[][] = []
  if (wanted.some((name) => name !== 'bad')) groups.push(stored)
  if (wanted.includes('bad')) groups.push(['bad'])
  const runs: Runs = []
  for (const group of groups) {
    bench.signal.throwIfAborted()
    await bench.server.withDatabase('bench_muster', async (url) => {
      runs.push(...(await runGroup(bench, url, group, files)))
    })
  }
  return runs
}

async function runGroup(bench: Bench, url: string, group: CaseName[], files: Files): Promise<Runs> {
  const dataDir = join(bench.tempDir, 'service')
  const profiles = join(bench.tempDir, 'profiles')
  const start = () =>
    startService({
      databaseUrl: url,
      dataDir,
      env: {
        MUSTER_MAX_UPLOAD_BYTES: String(files.base.bytes * 2),
        ...(bench.options.profile && preloadEnv(profiles))
      }
    })
  const runs: Runs = []
  try {
    if (files.needed.length > 0) await withService(start, (one) => prepare(bench, one, files))
    await withService(start, async (service) => {
      await importBefore(bench, service, warmUp)
      const place = { service, url, profiles, imports: new Map<CaseName, number>() }
      for (const name of group) {
        await bench.server.settle(url)
        runs.push([name, await runCase(bench, place, name, files)])
      }
    })
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
  return runs
}

async function withService(
  start: () => Promise<Service>,
  work: (service: Service) => Promise<void>
): Promise<void> {
  const service = await start()
  try {
    await work(service)
  } finally {
    await service.stop()
  }
}

/** One organization, imported so that the worker is known to be up. No record of a measured type
 *  is made by it. */
const warmUp = { type: 'organizations', csv: 'name\nWarm-up\n' }

/** What the rows refer to is imported by a service that is stopped again: the worker that is
 *  measured has compiled nothing yet, whatever type it is measured with. */
async function prepare(bench: Bench, service: Service, { needed }: Files): Promise<void> {
  for (const file of needed) await importBefore(bench, service, file)
}

/** Imports a small file, untimed. Throws an Error unless each of its rows makes a record. */
async function importBefore(
  bench: Bench,
  service: Service,
  { type, csv }: Files['needed'][number]
): Promise<void> {
  const path = join(bench.tempDir, 'before.csv')
  await writeFile(path, csv)
  const { signal } = bench
  const { json } = await runImport(service, { path, type, patienceMs: 60_000, signal })
  const rows = csv.split('\n').length - 2
  if (json.counts.created === rows) return
  throw new Error(`Muster made ${json.counts.created} of ${rows} ${type} before the clock started`)
}

async function runCase(
  bench: Bench,
  place: { service: Service; url: string; profiles: string; imports: Map<CaseName, number> },
  name: CaseName,
  files: Files
): Promise<MusterRun> {
  const { service, url, imports } = place
  const { base, changed, bad } = files
  const file = {
    create: base,
    unchanged: base,
    update: changed,
    undo_update: changed,
    undo_create: base,
    bad
  }[name]
  bench.note(`${file.rows} rows: Muster ${name} ${files.type}`)
  await service.resetPeaks()
  const before = await service.readUsage()
  const profiling = bench.options.profile ? await startProfile(bench.server, place) : null
  // 1,000 rows a second, a thirtieth of the speed looked for, are still waited for.
  const patience = { patienceMs: 120_000 + file.rows, signal: bench.signal }
  const undone = imports.get(name === 'undo_update' ? 'update' : 'create')
  const run = await (name.startsWith('undo')
    ? runUndo(service, { id: undone ?? 0, ...patience })
    : runImport(service, { path: file.path, type: files.type, ...patience }))
  imports.set(name, run.json.id)
  const after = await service.readUsage()
  const profile = profiling ? await profiling.stop() : null
  const done = { type: files.type, name, file }
  await withClient(url, async (client) => {
    if (run.json.kind === 'undo') checkUndo(run.json, done)
    else await checkImport(client, run.json, done)
  })
  return {
    rows: run.json.kind === 'undo' ? run.json.counts.reverted : file.rows,
    seconds: run.seconds,
    uploadSeconds: run.uploadSeconds,
    runningSeconds: run.runningSeconds,
    counts: expectedCounts(name, file),
    api: usedBetween(before.api, after.api),
    worker: usedBetween(before.worker, after.worker),
    profile
  }
}

function usedBetween(before: Usage, { cpuSeconds, peakBytes }: Usage): Usage {
  if (cpuSeconds === null || before.cpuSeconds === null) return { peakBytes, cpuSeconds: null }
  return { peakBytes, cpuSeconds: cpuSeconds - before.cpuSeconds }
}
