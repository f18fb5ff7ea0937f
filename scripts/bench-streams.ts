// What open event streams cost everybody else: the latency of GET /imports/{id} while an import
// runs, with and without 500 clients that follow it, in turns. Over loopback, on this machine.
// node scripts/bench-streams.ts [--rows 600000] [--streams 500] [--turns 3] [--seconds 4]

import { type ChildProcess, fork } from 'node:child_process'
import { openAsBlob } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { ImportJson } from '../src/import/import-json.ts'
import { startServer } from './bench/database.ts'
import { type Service, startService, type Usage } from './bench/service.ts'
import { writeCsv } from './make-csv.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '600000' },
    streams: { type: 'string', default: '500' },
    turns: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' }
  }
})
const [rows, streams, turns] = [Number(values.rows), Number(values.streams), Number(values.turns)]
const turnMs = Number(values.seconds) * 1_000

interface Turn {
  latencies: number[]
  apiCpuSeconds: number
  rowsPerSecond: number
  events: number
}

async function main(): Promise<void> {
  const tempDir = await mkdtemp(join(tmpdir(), 'muster-bench-streams-'))
  // As root, the database server runs as another user, who must pass through.
  await chmod(tempDir, 0o711)
  const server = await startServer({ dataDir: tempDir, databaseUrl: null, settings: {} })
  try {
    const path = join(tempDir, 'contacts.csv')
    await writeCsv({ out: path, variant: 'base', rows })
    await server.withDatabase('bench_streams', async (databaseUrl) => {
      const dataDir = join(tempDir, 'service')
      const service = await startService({ databaseUrl, dataDir, env: {} })
      try {
        report(await measure(service, path))
      } finally {
        await service.stop()
      }
    })
  } finally {
    await server.stop()
    await rm(tempDir, { recursive: true, force: true })
  }
}

/** Turns without and with streams on the same running import. */
async function measure(service: Service, path: string) {
  const id = await start(service, path)
  const results: { without: Turn[]; with: Turn[] } = { without: [], with: [] }
  await wait(2_000)
  for (let turn = 0; turn < turns; turn++) {
    // The import slows down as tables grow: neither side is always the first.
    if (turn % 2 === 0) results.without.push(await takeTurn(service, id))
    const holder = await holdStreams(service, id)
    const taken = await takeTurn(service, id)
    results.with.push({ ...taken, events: await letGo(holder) })
    // What closing costs is not part of either.
    await wait(500)
    if (turn % 2 === 1) results.without.push(await takeTurn(service, id))
  }
  const { state } = await read(service, id)
  if (state !== 'running') throw new Error(`the import is ${state}: give it more --rows`)
  return results
}

async function start({ url, key }: Service, path: string): Promise<number> {
  const form = new FormData()
  form.set('type', 'contacts')
  form.set('file', await openAsBlob(path), 'contacts.csv')
  const headers = { authorization: `Bearer ${key}` }
  const response = await fetch(`${url}/imports`, { method: 'POST', headers, body: form })
  return ((await response.json()) as ImportJson).id
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

function read({ url, key }: Service, id: number): Promise<ImportJson> {
  const headers = { authorization: `Bearer ${key}` }
  return new Promise((resolve, reject) => {
    get(`${url}/imports/${id}`, { headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve(JSON.parse(text)))
    }).once('error', reject)
  })
}

/** Asks a hundred times a second, as far as answers come that fast. */
async function takeTurn(service: Service, id: number): Promise<Turn> {
  const latencies: number[] = []
  const before: { api: Usage } = await service.readUsage()
  const first = await read(service, id)
  const began = performance.now()
  while (performance.now() - began < turnMs) {
    const at = performance.now()
    await read(service, id)
    latencies.push(performance.now() - at)
    await wait(Math.max(0, 10 - (performance.now() - at)))
  }
  const last = await read(service, id)
  const after = await service.readUsage()
  return {
    latencies,
    apiCpuSeconds: (after.api.cpuSeconds ?? 0) - (before.api.cpuSeconds ?? 0),
    rowsPerSecond: (last.rows.done - first.rows.done) / ((performance.now() - began) / 1_000),
    events: 0
  }
}

async function holdStreams({ url, key }: Service, id: number): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'bench/hold-streams.ts')
  const holder = fork(script, [url, key, String(id), String(streams)])
  await answerOf(holder, 'open')
  return holder
}

async function letGo(holder: ChildProcess): Promise<number> {
  holder.send('end')
  return answerOf(holder, 'events')
}

function answerOf(holder: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer: ${name}`)), 30_000)
    holder.on('message', (message: Record<string, number>) => {
      const value = message[name]
      if (value === undefined && !('error' in message)) return
      clearTimeout(timer)
      if (value === undefined) reject(new Error(String(message.error)))
      else resolve(value)
    })
  })
}

function report(results: { without: Turn[]; with: Turn[] }): void {
  console.log(`GET /imports/{id} while an import runs, ${turns} turns each; ms`)
  for (const [name, list] of Object.entries(results)) {
    const all = list.flatMap(({ latencies }) => latencies).sort((a, b) => a - b)
    const at = (share: number) => (all[Math.floor(all.length * share)] ?? 0).toFixed(1)
    const sum = (of: (turn: Turn) => number) => list.reduce((total, turn) => total + of(turn), 0)
    const speed = Math.round(sum(({ rowsPerSecond }) => rowsPerSecond) / turns)
    const cpu = (sum(({ apiCpuSeconds }) => apiCpuSeconds) / turns / (turnMs / 1_000)) * 100
    const events = sum((turn) => turn.events)
    console.log(
      `${name} ${streams} streams: p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, ` +
        `max ${at(0.9999)} (${all.length} requests); API ${cpu.toFixed(0)} % CPU; ` +
        `${speed} rows/s; ${events} events`
    )
  }
}

await main()
