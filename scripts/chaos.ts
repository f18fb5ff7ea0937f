// `npm run chaos`: the real service is killed, frozen, cut off and restarted while it imports; then
// everything is counted. `--help` lists the options, docs/guarantees.md tells what is proven by it.
// All of it runs on this machine, over loopback, in temporary folders that are removed at the end.

import { createCleanup } from './chaos/cleanup.ts'
import { runFairness } from './chaos/fairness.ts'
import { runFrozen, runPatience, runRolling, type ScenarioRun } from './chaos/long-import.ts'
import { type Options, readOptions, type ScenarioName, usage } from './chaos/options.ts'
import { runStorm } from './chaos/storm.ts'
import { formatTallies, isSound, type Tally } from './chaos/tally.ts'

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
  const tallies: Tally[] = []
  try {
    for (const names of inTurns(options.scenarios)) {
      const runs = names.map((name) =>
        runOne(name, options, interrupted).then((tally) => tallies.push(tally))
      )
      // Each ends what it has started before anything is said.
      for (const { reason } of (await Promise.allSettled(runs)).filter(isRejected)) throw reason
    }
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    const { seed } = options
    if (options.json) console.log(JSON.stringify({ seed, scenarios: tallies }, null, 2))
    else if (tallies.length > 0) console.log(formatTallies(tallies, seed))
  }
  if (!tallies.every(isSound)) process.exitCode = 1
}

const isRejected = (one: PromiseSettledResult<unknown>) => one.status === 'rejected'

/** The storm and what is measured are by themselves; the others mostly wait, and run side by side. */
function inTurns(names: ScenarioName[]): ScenarioName[][] {
  const isAlone = (name: ScenarioName): boolean => name === 'storm' || name === 'fairness'
  const others = names.filter((name) => !isAlone(name))
  const alone = names.filter(isAlone).map((name) => [name])
  return [...alone, others].filter((turn) => turn.length > 0)
}

async function runOne(
  name: ScenarioName,
  options: Options,
  { signal }: AbortController
): Promise<Tally> {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1_000
  const say = (text: string) => console.error(`${name}, ${Math.round(seconds())} s: ${text}`)
  const run: ScenarioRun = { signal, say }
  const cleanup = createCleanup()
  say('starting')
  try {
    signal.throwIfAborted()
    const tally = await runScenario[name](cleanup, options, run)
    return { ...tally, seconds: seconds() }
  } finally {
    await cleanup.run()
  }
}

const runScenario = {
  storm: runStorm,
  rolling: runRolling,
  frozen: runFrozen,
  patience: runPatience,
  fairness: (_: unknown, options: Options, run: ScenarioRun) => runFairness(options, run)
}

await main().catch((error: unknown) => {
  const isUsage = error instanceof Error && error.message.endsWith(usage)
  console.error(isUsage ? error.message : error)
  process.exitCode = 1
})
