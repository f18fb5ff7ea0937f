// The command line of the benchmark -> Options. Called by bench.ts.

import { parseArgs } from 'node:util'
import { type TypeName, typeNames } from './row-types.ts'

/** create: into an empty store; unchanged: the same file again; update: half of the rows changed;
 *  undo_update, undo_create: these two imports taken back, counted in records; bad: one row in a
 *  hundred cannot be imported, into an empty store. */
export const caseNames = [
  'create',
  'unchanged',
  'update',
  'undo_update',
  'undo_create',
  'bad'
] as const
export type CaseName = (typeof caseNames)[number]

const yardstickNames = ['lean', 'equal_work'] as const
export type YardstickName = (typeof yardstickNames)[number]

export interface Options {
  /** Rows per file, one file size after the other. */
  rows: number[]
  /** Size of the one file instead of `rows`: the memory case. */
  bytes: number | null
  /** Runs of every case; best and median are reported. */
  repeat: number
  /** Record types, in the order of typeNames. */
  types: TypeName[]
  cases: CaseName[]
  runMuster: boolean
  yardsticks: YardstickName[]
  json: boolean
  profile: boolean
  /** A server to use instead of the embedded one; its role must be allowed to create databases. */
  databaseUrl: string | null
}

export const usage = `npm run bench -- [options]

  --rows 10000,100000,500000  rows per file
  --bytes 1073741824          one file of this size instead: create only, no yardsticks (memory)
  --repeat 1                  runs of every case; best and median are reported
  --types contacts            of: ${typeNames.join(', ')} (default: all; with --bytes: contacts)
  --cases create,update       of: ${caseNames.join(', ')} (default: all)
  --only muster|yardsticks    one side alone; yardsticks are of contacts
  --profile                   where the time goes: CPU of the worker, statements in PostgreSQL
  --json                      one JSON object on stdout, see docs/benchmark.md
  --database-url URL          this PostgreSQL server instead of the embedded one
`

/** Reads the arguments. Throws an Error with the usage when they make no sense. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '10000,100000,500000' },
      bytes: { type: 'string' },
      repeat: { type: 'string', default: '1' },
      types: { type: 'string' },
      cases: { type: 'string', default: caseNames.join(',') },
      only: { type: 'string' },
      profile: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'database-url': { type: 'string' }
    }
  })
  if (values.only !== undefined && !['muster', 'yardsticks'].includes(values.only)) {
    throw new Error(`--only is muster or yardsticks\n\n${usage}`)
  }
  const bytes = values.bytes === undefined ? null : whole('bytes', values.bytes)
  const types = chosen('type', typeNames, values.types ?? defaultTypes(bytes))
  const cases = chosen('case', caseNames, values.cases)
  const runMuster = values.only !== 'yardsticks'
  if (!runMuster && !types.includes('contacts')) {
    throw new Error(`yardsticks are of contacts\n\n${usage}`)
  }
  return {
    rows: values.rows.split(',').map((text) => whole('rows', text)),
    bytes,
    repeat: whole('repeat', values.repeat),
    types: runMuster ? types : ['contacts'],
    cases: bytes === null ? cases : ['create'],
    runMuster,
    yardsticks: values.only === 'muster' || bytes !== null ? [] : [...yardstickNames],
    json: values.json,
    profile: values.profile,
    databaseUrl: values['database-url'] ?? null
  }
}

const defaultTypes = (bytes: number | null) => (bytes === null ? typeNames.join(',') : 'contacts')

/** Those of `known` that a list names, in the order of `known`. */
function chosen<T extends string>(what: string, known: readonly T[], text: string): T[] {
  const names: string[] = text.split(',')
  const unknown = names.find((name) => !known.some((one) => one === name))
  if (unknown !== undefined) throw new Error(`there is no ${what} "${unknown}"\n\n${usage}`)
  return known.filter((name) => names.includes(name))
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} takes whole numbers above 0, not "${text}"\n\n${usage}`)
}
