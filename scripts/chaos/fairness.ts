// How long a small import of one account waits behind large ones of another. Measures; whatever comes
// out is not a fault.

import { createCleanup } from './cleanup.ts'
import { makeFile } from './files.ts'
import type { ScenarioRun } from './long-import.ts'
import type { Options } from './options.ts'
import { startPlace } from './place.ts'
import { followImports, sendFile } from './send.ts'
import { newTally, type Tally } from './tally.ts'

const large = [
  ['contacts', 300_000],
  ['locations', 100_000],
  ['domains', 100_000]
] as const
const limitMs = 600_000

/** With one import at a time, and with as many as shipped. */
export async function runFairness(options: Options, run: ScenarioRun): Promise<Tally> {
  const tally = { ...newTally('fairness'), isCounted: false }
  for (const concurrency of [1, null]) {
    const cleanup = createCleanup()
    try {
      const seconds = await measure(cleanup, concurrency, { options, run, tally })
      const what = concurrency === null ? 'as shipped' : `${concurrency} at a time`
      tally.figures[`until B starts, ${what}, s`] = seconds.start
      tally.figures[`until B ends, ${what}, s`] = seconds.end
      run.say(`${what}: B starts after ${seconds.start} s, ends after ${seconds.end} s`)
    } finally {
      await cleanup.run()
    }
  }
  return tally
}

async function measure(
  cleanup: ReturnType<typeof createCleanup>,
  concurrency: number | null,
  { options, run, tally }: { options: Options; run: ScenarioRun; tally: Tally }
): Promise<{ start: number; end: number }> {
  const place = await startPlace(cleanup, {
    workers: 1,
    accounts: 2,
    env: concurrency === null ? {} : { MUSTER_WORKER_CONCURRENCY: String(concurrency) },
    logs: options.logs
  })
  const senderOf = (index: number) => {
    const key = place.accounts[index]?.key ?? ''
    return { url: place.url, key, signal: run.signal }
  }
  for (const [type, rows] of large) {
    tally.rows += rows
    await sendFile(senderOf(0), makeFile(type, `a-${type}`, 0, rows))
  }
  const small = await sendFile(senderOf(1), makeFile('contacts', 'b', 0, 100))
  await followImports(senderOf(1), [small.import_id], limitMs)
  tally.imports += large.length + 1
  tally.rows += 100
  const [times] = await place.query<{ start: number; end: number; open: number }>(
    `SELECT extract(epoch FROM i.started_at - i.queued_at)::float8 AS start,
      extract(epoch FROM i.finished_at - i.queued_at)::float8 AS end,
      (SELECT count(*) FROM imports o WHERE o.finished_at IS NULL) AS open
    FROM imports i WHERE i.id = $1::bigint`,
    [small.import_id]
  )
  const round = (value = 0) => Math.round(value * 10) / 10
  tally.figures[`imports of A still open (concurrency ${concurrency ?? 'shipped'})`] =
    times?.open ?? 0
  return { start: round(times?.start), end: round(times?.end) }
}
