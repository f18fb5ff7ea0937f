// Samples -> the JSON object (keys: docs/benchmark.md). Called by bench.ts. Speeds are rows per second; the best run counts, the median stands beside it.

import { cpus, totalmem } from 'node:os'
import type { CaseSamples, SizeSamples, TypeSamples } from './measure.ts'
import type { CaseName, Options, YardstickName } from './options.ts'

export type Report = ReturnType<typeof buildReport>
export type CaseReport = ReturnType<typeof buildCase>
export type ComparedReport = ReturnType<typeof buildCompared>

/** The least that Muster may reach of a yardstick, for create and update of 100,000 rows. */
const floors: Record<YardstickName, number> = { lean: 0.42, equal_work: 0.7 }
const floorRows = 100_000
const floorCases: CaseName[] = ['create', 'update']

/** The share of its speed of contacts that Muster is to reach of configurations, which have twice
 *  the match rules and six references more. */
export const comparedAim = 0.333

/** The whole report as JSON. */
export function buildReport(
  sizes: SizeSamples[],
  run: { options: Options; postgres: string; startedAt: Date }
) {
  const { options, postgres, startedAt } = run
  const list = sizes.map(buildSize)
  return {
    format: 1,
    started_at: startedAt.toISOString(),
    seconds: round((Date.now() - startedAt.getTime()) / 1000, 1),
    machine: {
      cpus: cpus().length,
      cpu_model: cpus()[0]?.model ?? '',
      memory_bytes: totalmem(),
      platform: `${process.platform} ${process.arch}`,
      node: process.version,
      postgres
    },
    options: { repeat: options.repeat, profile: options.profile },
    sizes: list,
    floors: list.filter(({ rows }) => rows === floorRows).flatMap(({ cases }) => checkFloors(cases))
  }
}

function buildSize(size: SizeSamples) {
  const contacts = size.get('contacts')
  const compared = size.get('configurations')
  const rows = (contacts ?? compared)?.file.rows ?? 0
  return {
    rows,
    file_bytes: contacts?.file.bytes ?? null,
    organizations: contacts?.file.organizations ?? null,
    cases: Object.fromEntries(
      [...(contacts?.cases ?? [])].map(([name, samples]) => [name, buildCase(rows, samples)])
    ),
    configurations: compared ? buildComparedType(compared, contacts) : null
  }
}

function buildComparedType({ file, cases }: TypeSamples, contacts: TypeSamples | undefined) {
  return {
    rows: file.rows,
    file_bytes: file.bytes,
    organizations: file.organizations,
    cases: Object.fromEntries(
      [...cases].map(([name, samples]) => {
        const base = contacts?.cases.get(name)
        const speed = base && contacts ? buildMuster(base) : null
        return [name, buildCompared(buildMuster(samples), speed)]
      })
    )
  }
}

type Speeds = ReturnType<typeof buildMuster>

function buildCompared(muster: Speeds, contacts: Speeds) {
  const ratio_contacts = ratio(muster?.rows_per_second, contacts?.rows_per_second)
  return {
    muster,
    ratio_contacts,
    ratio_contacts_median: ratio(muster?.rows_per_second_median, contacts?.rows_per_second_median),
    aim: comparedAim,
    ok: ratio_contacts === null ? null : ratio_contacts >= comparedAim
  }
}

function buildCase(rows: number, samples: CaseSamples) {
  const muster = buildMuster(samples)
  const lean = buildYardstick(rows, samples.lean)
  const equal_work = buildYardstick(rows, samples.equal_work)
  return {
    muster,
    lean,
    equal_work,
    ratio_lean: ratio(muster?.rows_per_second, lean?.rows_per_second),
    ratio_lean_median: ratio(muster?.rows_per_second_median, lean?.rows_per_second_median),
    ratio_equal_work: ratio(muster?.rows_per_second, equal_work?.rows_per_second),
    ratio_equal_work_median: ratio(
      muster?.rows_per_second_median,
      equal_work?.rows_per_second_median
    )
  }
}

function speeds(rows: number, seconds: number[]) {
  return {
    rows_per_second: Math.round(rows / Math.min(...seconds)),
    rows_per_second_median: Math.round(rows / median(seconds)),
    seconds: seconds.map((value) => round(value, 3))
  }
}

function buildMuster({ muster: runs }: CaseSamples) {
  const first = runs[0]
  if (!first) return null
  return {
    ...speeds(
      first.rows,
      runs.map((run) => run.seconds)
    ),
    upload_seconds: runs.map((run) => round(run.uploadSeconds, 3)),
    running_seconds: runs.map((run) => round(run.runningSeconds, 3)),
    api_cpu_seconds: runs.map((run) => roundOrNull(run.api.cpuSeconds)),
    worker_cpu_seconds: runs.map((run) => roundOrNull(run.worker.cpuSeconds)),
    api_peak_rss_bytes: highest(runs.map((run) => run.api.peakBytes)),
    worker_peak_rss_bytes: highest(runs.map((run) => run.worker.peakBytes)),
    counts: first.counts,
    ...(first.profile && { profile: runs[runs.length - 1]?.profile })
  }
}

function buildYardstick(rows: number, runs: CaseSamples['lean']) {
  const first = runs[0]
  if (!first) return null
  const best = runs.reduce((a, b) => (b.seconds < a.seconds ? b : a), first)
  return {
    ...speeds(
      rows,
      runs.map((run) => run.seconds)
    ),
    step_seconds: Object.fromEntries(
      Object.entries(best.steps).map(([name, seconds]) => [name, round(seconds, 3)])
    )
  }
}

function checkFloors(cases: Record<string, CaseReport>) {
  return floorCases.flatMap((name) =>
    (['lean', 'equal_work'] as const).flatMap((yardstick) => {
      const reached = cases[name]?.[`ratio_${yardstick}`] ?? null
      const floor = floors[yardstick]
      return reached === null
        ? []
        : [{ case: name, yardstick, floor, reached, ok: reached >= floor }]
    })
  )
}

const round = (value: number, digits: number) => Number(value.toFixed(digits))

const roundOrNull = (value: number | null) => (value === null ? null : round(value, 2))

function ratio(own: number | undefined, other: number | undefined): number | null {
  return own === undefined || other === undefined ? null : round(own / other, 3)
}

function highest(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length > 0 ? Math.max(...known) : null
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
