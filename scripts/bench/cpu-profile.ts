// A V8 CPU profile -> self time by module and by function. Pure. Called by profile.ts.

export interface CpuShare {
  name: string
  seconds: number
  /** Of the time the profile covers, idle time included. */
  share: number
}

export interface CpuSummary {
  seconds: number
  modules: CpuShare[]
  functions: CpuShare[]
}

export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

const listed = 25

/** Sums the self time up. `root` is the file URL of the repository, with a slash at its end. */
export function summarizeCpuProfile(profile: CpuProfile, root: string): CpuSummary {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]))
  const modules = new Map<string, number>()
  const functions = new Map<string, number>()
  let total = 0
  for (const [index, id] of profile.samples.entries()) {
    const frame = frames.get(id)
    const microseconds = profile.timeDeltas[index] ?? 0
    // Starting and ending the recording is no part of the case.
    if (!frame || microseconds < 0 || frame.url === 'node:inspector') continue
    total += microseconds
    const module = moduleOf(frame, root)
    add(modules, module, microseconds)
    if (frame.url) {
      const name = `${frame.functionName || '(anonymous)'} ${module}:${frame.lineNumber + 1}`
      add(functions, name, microseconds)
    } else add(functions, frame.functionName || '(native)', microseconds)
  }
  return { seconds: total / 1e6, modules: top(modules, total), functions: top(functions, total) }
}

function moduleOf({ functionName, url }: { functionName: string; url: string }, root: string) {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)'
  const dependency = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (dependency) return dependency
  return url.startsWith(root) ? url.slice(root.length) : url
}

function add(sums: Map<string, number>, name: string, microseconds: number): void {
  sums.set(name, (sums.get(name) ?? 0) + microseconds)
}

function top(sums: Map<string, number>, total: number): CpuShare[] {
  return [...sums]
    .sort((a, b) => b[1] - a[1])
    .slice(0, listed)
    .map(([name, microseconds]) => ({
      name,
      seconds: Math.round(microseconds / 1e3) / 1e3,
      share: Math.round((1000 * microseconds) / total) / 1000
    }))
}
