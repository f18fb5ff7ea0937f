// One file size: makes the files of every record type, runs the yardsticks and the service in turn,
// never at the same time, as often as asked. Out: the samples of every case. Called by bench.ts.

import { rm } from 'node:fs/promises'
import type { CsvFacts } from '../make-csv.ts'
import { checkCounts, expectedCounts } from './check.ts'
import { type Files, makeFiles, type Size } from './files.ts'
import type { CaseName, YardstickName } from './options.ts'
import type { TypeName } from './row-types.ts'
import { type Bench, type MusterRun, runMuster } from './run-muster.ts'
import { runYardstick, type YardstickRun } from './yardsticks.ts'

export interface CaseSamples {
  muster: MusterRun[]
  lean: YardstickRun[]
  equal_work: YardstickRun[]
}

/** The samples of one record type. */
export interface TypeSamples {
  file: CsvFacts
  cases: Map<CaseName, CaseSamples>
}

/** The types in the order of typeNames; those not asked for are missing. */
export type SizeSamples = Map<TypeName, TypeSamples>

/** Measures one size: that many rows, or one file of `bytes`. Throws an Error when a case fails or
 *  its result is wrong. */
export async function measureSize(bench: Bench, size: Size): Promise<SizeSamples> {
  const { options } = bench
  bench.note(size.rows ? `${size.rows} rows: making files` : 'making the file')
  const allFiles: Files[] = []
  for (const type of options.types) allFiles.push(await makeFiles(bench.tempDir, type, size))
  const samples: SizeSamples = new Map(
    allFiles.map(({ type, base }) => [type, { file: base, cases: emptyCases(options.cases) }])
  )
  for (let round = 1; round <= options.repeat; round++) {
    for (const files of allFiles) {
      const { cases } = samples.get(files.type) as TypeSamples
      const yardsticks = files.type === 'contacts' ? options.yardsticks : []
      for (const name of yardsticks) await runOneYardstick(bench, name, files, cases)
      if (!options.runMuster) continue
      const runs = await runMuster(bench, files, [...cases.keys()])
      for (const [name, run] of runs) cases.get(name)?.muster.push(run)
    }
  }
  const written = allFiles.flatMap(({ base, changed, bad }) => [base, changed, bad])
  for (const path of new Set(written.map((file) => file.path))) await rm(path)
  return samples
}

const emptyCases = (names: CaseName[]) =>
  new Map(names.map((name): [CaseName, CaseSamples] => [name, newSamples()]))

const newSamples = (): CaseSamples => ({ muster: [], lean: [], equal_work: [] })

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
