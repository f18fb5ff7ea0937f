// One server per data folder: a lock file that names its process, and an end for a server that a
// killed parent left behind. Called by embedded-postgres.ts before it starts the server.

import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Takes the lock of `home` for this process. Out: the function that gives it back.
 *  Throws an Error naming the process that holds it. The lock of a dead process counts as free. */
export async function takeLock(home: string, dataDir: string): Promise<() => Promise<void>> {
  const path = join(home, 'owner')
  const mine = `${process.pid} ${await birthOf(process.pid)}`
  for (let tries = 0; tries < 3; tries++) {
    try {
      await writeFile(path, mine, { flag: 'wx', mode: 0o600 })
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const held = await readFile(path, 'utf8').catch(() => '')
    const pid = Number(held.split(' ')[0])
    if (pid > 0 && held === `${pid} ${await birthOf(pid)}`) {
      throw new Error(
        `Another Muster (process ${pid}) uses the data folder ${dataDir}. Stop it or set MUSTER_DATA_DIR to another folder.`
      )
    }
    await rm(path, { force: true })
  }
  throw new Error(`The lock ${path} is taken again and again; is another Muster starting?`)
}

/** Ends a server that still runs on `pgData` although nobody owns it: fast, then harder.
 *  Out: whether there was one. */
export async function stopStaleServer(pgData: string): Promise<boolean> {
  const pidFile = join(pgData, 'postmaster.pid')
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10)
  if (!(pid > 0)) return false
  const command = await commandOf(pid)
  if (!command.includes(pgData)) {
    // The number went to another process since, and PostgreSQL would take that for a server.
    if (command !== '') await rm(pidFile, { force: true })
    return false
  }
  await endProcess(pid)
  return true
}

/** Ends a server process: fast shutdown, after 10 s immediate, after 5 s more SIGKILL. */
export async function endProcess(pid: number): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000]
  ] as const) {
    if (!send(pid, signal)) return
    const deadline = Date.now() + patienceMs
    while (Date.now() < deadline) {
      if ((await birthOf(pid)) === '') return
      await wait(20)
    }
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    // ESRCH: it is gone, which is what we want.
    return false
  }
}

/** When a process was born; empty when it does not run. Process numbers are used again (in a
 *  container soon), births are not. */
async function birthOf(pid: number): Promise<string> {
  if (process.platform === 'win32') return send(pid, 0) ? 'running' : ''
  if (process.platform !== 'linux') return psField(pid, 'lstart')
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Fields 3 and 22, counted from the end of the name, which may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // Z: dead, but its parent has not asked how it ended (usual in a container without init).
  return fields[0] === 'Z' ? '' : (fields[19] ?? '')
}

/** The command line of a process; empty when it does not run. */
async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  }
  return psField(pid, 'command')
}

async function psField(pid: number, field: string): Promise<string> {
  return run('ps', ['-o', `${field}=`, '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => ''
  )
}
