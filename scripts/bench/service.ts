// The real service as processes of its own: `node src/main.ts` on a database that is given.
// Out: its address, its key, its two processes and their memory. Called by run-muster.ts.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { keyFilePath } from '../../src/key-file.ts'

// As `npm start` and the image run it.
const nodeFlags = ['--max-semi-space-size=4', '--heap-growing-percent=80']

/** What a process has used; null where the system does not tell. */
export interface Usage {
  /** Highest resident memory since the last reset, in bytes. */
  peakBytes: number | null
  /** CPU time since its start, in user and system mode. */
  cpuSeconds: number | null
}

export interface Service {
  url: string
  key: string
  apiPid: number
  workerPid: number
  /** Forgets the highest memory use so far. */
  resetPeaks(): Promise<void>
  readUsage(): Promise<{ api: Usage; worker: Usage }>
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '../..')
const startPatienceMs = 60_000
const stopPatienceMs = 30_000

/** Starts the service. Throws an Error with the end of its output when it does not come up. */
export async function startService(options: {
  databaseUrl: string
  dataDir: string
  env: NodeJS.ProcessEnv
}): Promise<Service> {
  const port = await freePort()
  const child = spawn(process.execPath, [...nodeFlags, 'src/main.ts'], {
    cwd: root,
    env: {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      MUSTER_DATA_DIR: options.dataDir,
      MUSTER_HOST: '127.0.0.1',
      MUSTER_PORT: String(port),
      MUSTER_LOG_LEVEL: 'warn',
      ...options.env
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const output = keepTail(child)
  const url = `http://127.0.0.1:${port}`
  try {
    await waitUntil(child, output, () => answers(`${url}/readyz`))
    let workerPid = 0
    await waitUntil(child, output, async () => {
      workerPid = await findWorker(child.pid as number)
      return workerPid > 0
    })
    const key = (await readFile(keyFilePath(options.dataDir), 'utf8')).trim()
    return describe(child, { url, key, workerPid })
  } catch (error) {
    await stop(child)
    throw error
  }
}

function describe(
  child: ChildProcess,
  { url, key, workerPid }: { url: string; key: string; workerPid: number }
): Service {
  const apiPid = child.pid as number // it answered, so it was started
  return {
    url,
    key,
    apiPid,
    workerPid,
    async resetPeaks() {
      // 5: set the high-water mark of resident memory back to what is used now (man proc).
      for (const pid of [apiPid, workerPid]) {
        await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {})
      }
    },
    readUsage: async () => ({ api: await usageOf(apiPid), worker: await usageOf(workerPid) }),
    stop: () => stop(child)
  }
}

/** The last lines that the service wrote; it writes no cell contents. */
function keepTail(child: ChildProcess): () => string {
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      tail = (tail + chunk).slice(-4_000)
    })
  }
  return () => tail
}

async function waitUntil(
  child: ChildProcess,
  output: () => string,
  isReached: () => Promise<boolean>
): Promise<void> {
  for (const deadline = Date.now() + startPatienceMs; Date.now() < deadline; await wait(20)) {
    if (child.exitCode !== null || child.signalCode !== null) break
    if (await isReached()) return
  }
  throw new Error(`The service did not start. The end of its output:\n${output()}`)
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null)
  await response?.arrayBuffer()
  return response?.ok ?? false
}

/** The child process that runs jobs; 0 while there is none. */
async function findWorker(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  for (const id of children.trim().split(/\s+/).filter(Boolean)) {
    const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('worker.ts')) return Number(id)
  }
  return 0
}

// The unit of CPU time in /proc, on every Linux there is.
const ticksPerSecond = 100

async function usageOf(pid: number): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
  // The fields after the command in parentheses; CPU time is fields 14 and 15 of the line.
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(') ')[1]
  const fields = stat?.split(' ')
  return {
    peakBytes: kilobytes === undefined ? null : Number(kilobytes) * 1024,
    cpuSeconds: fields ? (Number(fields[11]) + Number(fields[12])) / ticksPerSecond : null
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs)
  await ended
  clearTimeout(killer)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
