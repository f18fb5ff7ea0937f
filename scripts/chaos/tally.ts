// What a run has found, and how it is shown.

import { type Findings, noFindings } from './check.ts'
import type { FaultKind } from './faults.ts'

export interface Tally extends Findings {
  scenario: string
  /** false: it only measures. */
  isCounted: boolean
  faults: Partial<Record<FaultKind, number>>
  imports: number
  /** Rows in the store that no batch of an import's latest attempt wrote. */
  foreign: number
  /** Times that progress was less than it had been before. */
  wentBack: number
  /** What was measured, by what it is. */
  figures: Record<string, number>
  seconds: number
}

export function newTally(scenario: string): Tally {
  const none = { faults: {}, imports: 0, foreign: 0, wentBack: 0, figures: {}, seconds: 0 }
  return { scenario, isCounted: true, ...none, ...noFindings() }
}

export function countFault(tally: Tally, kind: FaultKind): void {
  tally.faults[kind] = (tally.faults[kind] ?? 0) + 1
}

export const faultsOf = ({ faults }: Tally) =>
  Object.values(faults).reduce((sum, count) => sum + count, 0)

/** Whether nothing was lost, doubled or otherwise wrong. */
export const isSound = (tally: Tally) =>
  tally.missing + tally.doubled + tally.wrong + tally.foreign + tally.wentBack === 0

/** The tallies as a table for people. */
export function formatTallies(tallies: Tally[], seed: number): string {
  const lines = [`Chaos, seed ${seed}`]
  const add = (name: string, value: unknown) =>
    lines.push(`  ${name.padEnd(44)}${String(value).padStart(10)}`)
  for (const tally of tallies) {
    lines.push('', `${tally.scenario} (${Math.round(tally.seconds)} s)`)
    for (const [kind, count] of Object.entries(tally.faults)) add(kind.replace('_', ' '), count)
    if (faultsOf(tally) > 0) add('faults', faultsOf(tally))
    add('imports', tally.imports)
    add('rows', tally.rows)
    if (tally.isCounted) {
      add('missing', tally.missing)
      add('doubled', tally.doubled)
      add('wrong otherwise', tally.wrong)
      add('foreign writes', tally.foreign)
      add('progress that went back', tally.wentBack)
    }
    for (const [name, value] of Object.entries(tally.figures)) add(name, value)
    for (const note of tally.notes) lines.push(`  ${note}`)
  }
  if (!tallies.every(isSound)) lines.push('', 'NOT SOUND.')
  else if (tallies.some((tally) => tally.isCounted)) {
    lines.push('', 'Nothing missing, nothing doubled.')
  }
  return lines.join('\n')
}
