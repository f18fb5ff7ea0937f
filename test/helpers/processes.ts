// Real processes of ours in tests: started with a clean environment, read line by line, ended.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Teardown } from './cluster.ts'
import { until } from './until.ts'

export interface RunningProcess {
  pid: number
  /** All that was printed so far. */
  stdout(): string
  stderr(): string
  kill(signal: NodeJS.Signals): void
  /** The first capture (else the match) of the first output that fits; waits for it.
   *  Throws an Error with the output when the process ends without it. */
  waitFor(pattern: RegExp): Promise<string>
  /** How it ended: its exit code, or the name of the signal. */
  ended: Promise<number | NodeJS.Signals>
}

const root = join(import.meta.dirname, '..', '..')

/** Starts a script of the repository (`src/main.ts`) with Node. Of our environment only what every
 *  program needs is handed on; it is killed when the test ends. */
export function startProcess(
  t: Teardown,
  script: string,
  args: string[] = [],
  env: Record<string, string> = {}
): RunningProcess {
  return startCommand(t, script, [process.execPath, join(root, script), ...args], env)
}

/** As `startProcess`, with a limit on the size of each file that it (and its children) may write. */
export function startLimitedProcess(
  t: Teardown,
  { fileKiB }: { fileKiB: number },
  script: string,
  args: string[] = [],
  env: Record<string, string> = {}
): RunningProcess {
  // The shell counts in blocks of 512 bytes.
  const limited = ['/bin/sh', '-c', `ulimit -f ${fileKiB * 2}; exec "$@"`, 'sh']
  return startCommand(t, script, [...limited, process.execPath, join(root, script), ...args], env)
}

function startCommand(
  t: Teardown,
  script: string,
  [program = '', ...args]: string[],
  env: Record<string, string>
): RunningProcess {
  const { PATH = '', HOME = '/', TMPDIR } = process.env
  const child = spawn(program, args, {
    cwd: root,
    env: { PATH, HOME, ...(TMPDIR && { TMPDIR }), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  let result: number | NodeJS.Signals | null = null
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => {
      result = code ?? signal ?? 1
      resolve(result)
    })
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const waitFor = (pattern: RegExp) =>
    until(`${script} to print ${pattern}`, () => {
      const match = pattern.exec(stdout) ?? pattern.exec(stderr)
      if (match) return match[1] ?? match[0]
      if (result !== null) throw new Error(`${script} ended (${result}):\n${stdout}\n${stderr}`)
      return null
    })
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => child.kill(signal),
    waitFor,
    ended
  }
}

/** Runs a script to its end. */
export async function runProcess(
  t: Teardown,
  script: string,
  args: string[] = [],
  env: Record<string, string> = {}
): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
  const child = startProcess(t, script, args, env)
  const code = await child.ended
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}
