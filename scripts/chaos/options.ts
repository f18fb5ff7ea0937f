// The command line of the chaos run -> Options. Called by chaos.ts.

import { parseArgs } from 'node:util'

export const scenarioNames = ['storm', 'rolling', 'frozen', 'patience', 'fairness'] as const
export type ScenarioName = (typeof scenarioNames)[number]

export interface Options {
  scenarios: ScenarioName[]
  /** The same seed gives the same faults in the same order; their effects depend on the clock. */
  seed: number
  /** Faults of the storm, at most. */
  faults: number
  /** The storm sends nothing new and breaks nothing more after this long. */
  minutes: number
  /** Accounts of the storm, 8 imports of each at a time. */
  accounts: number
  /** Rows of the largest of these imports. */
  rows: number
  /** Rows of the long imports of the other scenarios. */
  longRows: number
  json: boolean
  /** Folder that the processes' logs are left in; null: nothing is left. */
  logs: string | null
}

export const usage = `npm run chaos -- [options]

  --scenario storm,...  of: ${scenarioNames.join(', ')}
                        (default: all but fairness, which measures and proves nothing)
  --faults 200          faults of the storm
  --minutes 12          the storm ends after this long at the latest
  --accounts 8          accounts of the storm, each with 8 imports over the same keys at a time
  --rows 2000           rows of the largest of these
  --long-rows 60000     rows of the one import of the scenarios rolling and frozen
  --seed 1              which faults, when, and of whom
  --json                one JSON object on stdout instead of the table
  --logs FOLDER         keep the logs of all processes there
`

/** Reads the arguments. Throws an Error with the usage when they make no sense. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', default: 'storm,rolling,frozen,patience' },
      faults: { type: 'string', default: '200' },
      minutes: { type: 'string', default: '12' },
      accounts: { type: 'string', default: '8' },
      rows: { type: 'string', default: '2000' },
      'long-rows': { type: 'string', default: '60000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      logs: { type: 'string' }
    }
  })
  const names: string[] = values.scenario.split(',')
  const unknown = names.find((name) => !scenarioNames.some((one) => one === name))
  if (unknown !== undefined) throw new Error(`there is no scenario "${unknown}"\n\n${usage}`)
  return {
    scenarios: scenarioNames.filter((name) => names.includes(name)),
    seed: whole('seed', values.seed),
    faults: whole('faults', values.faults),
    minutes: whole('minutes', values.minutes, 60),
    accounts: whole('accounts', values.accounts, 50),
    rows: whole('rows', values.rows),
    longRows: whole('long-rows', values['long-rows']),
    json: values.json,
    logs: values.logs ?? null
  }
}

function whole(name: string, text: string, max = 1_000_000): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0 && value <= max) return value
  throw new Error(`--${name} takes whole numbers from 1 to ${max}, not "${text}"\n\n${usage}`)
}
