// A case's profile as text for people. Called by bench.ts.

import type { CpuShare } from './cpu-profile.ts'
import type { SizeSamples } from './measure.ts'
import type { Profile } from './profile.ts'

/** The profiles of all cases that have one; '' when there is none. */
export function formatProfiles(sizes: SizeSamples[]): string {
  const lines: string[] = []
  for (const [type, { file, cases }] of sizes.flatMap((size) => [...size])) {
    for (const [name, { muster }] of cases) {
      const profile = muster[muster.length - 1]?.profile
      const title = `${file.rows} ${type}, ${name}: where the time goes`
      if (profile) lines.push('', title, ...format(profile))
    }
  }
  return lines.join('\n')
}

function format({ cpu, activity, statements }: Profile): string[] {
  return [
    '',
    `worker, self time by module (${cpu.seconds.toFixed(1)} s recorded)`,
    ...cpu.modules.map(shareLine),
    '',
    'worker, self time by function',
    ...cpu.functions.map(shareLine),
    '',
    'PostgreSQL, share of samples: working, waiting for the client, waiting for something else',
    ...activity.map(
      (one) =>
        `  ${percent(one.working)} ${percent(one.waiting_for_client)} ${percent(one.waiting_for_other)}  ${one.statement}`
    ),
    ...(statements === null
      ? []
      : [
          '',
          'PostgreSQL, seconds (for COPY the wait for its data included), calls, rows',
          ...statements.map(
            (one) =>
              `  ${one.seconds.toFixed(3).padStart(9)} ${String(one.calls).padStart(7)} ${String(one.rows).padStart(9)}  ${one.statement}`
          )
        ])
  ]
}

const percent = (share: number) => `${(share * 100).toFixed(1)}%`.padStart(6)

const shareLine = ({ name, seconds, share }: CpuShare) =>
  `  ${percent(share)} ${seconds.toFixed(3).padStart(8)} s  ${name}`
