// The benchmark: how fast the service imports, next to two yardsticks on the same database server.
// Of record types beyond contacts it measures the service alone, next to its own speed of contacts.
// `npm run bench -- --help` lists the options, docs/benchmark.md tells what is measured and how.
// Everything runs on this machine, over loopback, in a temp folder that is removed at the end.

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from './bench/database.ts'
import { measureSize, type SizeSamples } from './bench/measure.ts'
import { type Options, readOptions, usage } from './bench/options.ts'
import { formatProfiles } from './bench/print-profile.ts'
import { formatReport } from './bench/print-report.ts'
import { profileSettings } from './bench/profile.ts'
import { buildReport } from './bench/report.ts'
import type { Bench } from './bench/run-muster.ts'

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return console.log(usage)
  const options = readOptions(process.argv.slice(2))
  const interrupted = new AbortController()
  const onSignal = () => {
    interrupted.abort(new Error('interrupted'))
    // A second signal is not caught any more.
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const startedAt = new Date()
  const tempDir = await mkdtemp(join(tmpdir(), 'muster-bench-'))
  try {
    // As root, the database server runs as another user, who must pass through.
    await chmod(tempDir, 0o711)
    await run(options, { tempDir, startedAt, signal: interrupted.signal })
  } finally {
    await rm(tempDir, { recursive: true, force: true })
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

async function run(
  options: Options,
  place: { tempDir: string; startedAt: Date; signal: AbortSignal }
): Promise<void> {
  const { tempDir, startedAt, signal } = place
  const server = await startServer({
    dataDir: tempDir,
    databaseUrl: options.databaseUrl,
    settings: options.profile ? profileSettings : {}
  })
  try {
    const note = (text: string) => console.error(text)
    const bench: Bench = { server, tempDir, options, signal, note }
    const sizes: SizeSamples[] = []
    const wanted = options.bytes
      ? [{ bytes: options.bytes }]
      : options.rows.map((rows) => ({ rows }))
    for (const size of wanted) sizes.push(await measureSize(bench, size))
    const report = buildReport(sizes, { options, postgres: server.version, startedAt })
    if (options.json) console.log(JSON.stringify(report, null, 2))
    else console.log(`${formatReport(report)}\n${formatProfiles(sizes)}`)
  } finally {
    await server.stop()
  }
}

await main().catch((error: unknown) => {
  // The way through our code helps with a fault, not with a mistyped option.
  const isUsage = error instanceof Error && error.message.endsWith(usage)
  console.error(isUsage ? error.message : error)
  process.exitCode = 1
})
