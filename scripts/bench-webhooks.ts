// How soon webhooks arrive: imports end at a steady rate, real worker processes tell real receivers on
// loopback, and the time from the commit to the request is measured for every delivery.
//
//   node scripts/bench-webhooks.ts [--accounts 10] [--endpoints 100] [--dead 1] [--backlog 0]
//     [--imports-per-second 3] [--seconds 30] [--workers 1] [--kills 0] [--database-url postgres://...]
//
// `--endpoints` for each account; every import is told to all of its account. The dead take a
// connection and never answer; `--backlog` is how many deliveries wait for each of them, as after a day
// of that. With `--kills` a worker is killed (SIGKILL) so many times meanwhile.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createPool, type Pool } from '../src/platform/db.ts'
import { createLog } from '../src/platform/log.ts'
import { migrate } from '../src/platform/migrate.ts'
import { openSecrets } from '../src/platform/secrets.ts'
import { makeWebhookSecret } from '../src/platform/webhook-signature.ts'
import { startServer } from './bench/database.ts'

interface Options {
  accounts: number
  endpoints: number
  dead: number
  backlog: number
  perSecond: number
  seconds: number
  workers: number
  kills: number
  databaseUrl: string | null
}

function readOptions(): Options {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      accounts: { ...text, default: '10' },
      endpoints: { ...text, default: '100' },
      dead: { ...text, default: '1' },
      backlog: { ...text, default: '0' },
      'imports-per-second': { ...text, default: '3' },
      seconds: { ...text, default: '30' },
      workers: { ...text, default: '1' },
      kills: { ...text, default: '0' },
      'database-url': text
    }
  })
  return {
    accounts: Number(values.accounts),
    endpoints: Number(values.endpoints),
    dead: Number(values.dead),
    backlog: Number(values.backlog),
    perSecond: Number(values['imports-per-second']),
    seconds: Number(values.seconds),
    workers: Number(values.workers),
    kills: Number(values.kills),
    databaseUrl: values['database-url'] ?? null
  }
}

/** Answers at once; for the dead never. `arrivals`: endpoint and import -> when it first came. */
async function startReceiver() {
  const arrivals = new Map<string, number>()
  let requests = 0
  const server = createServer(async (request, response) => {
    if (request.url?.startsWith('/dead/')) return
    const at = performance.now()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    requests++
    const { data } = JSON.parse(Buffer.concat(chunks).toString())
    const key = `${request.url} ${data.import.id}`
    if (!arrivals.has(key)) arrivals.set(key, at)
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, arrivals, requests: () => requests, close }
}

async function fill(pool: Pool, dataDir: string, url: string, options: Options): Promise<void> {
  const secrets = await openSecrets({ secretKeys: null, dataDir })
  const { accounts, endpoints, dead } = options
  await pool.query(`INSERT INTO accounts (name) SELECT 'bench' FROM generate_series(1, $1)`, [
    accounts
  ])
  await pool.query(
    `INSERT INTO webhook_endpoints (account_id, url, secret, event_types)
    SELECT a.account_id, $1 || CASE WHEN a.account_id = 1 AND n <= $4 THEN '/dead/' ELSE '/' END
      || a.account_id || '/' || n, $2, '{import.completed}'
    FROM accounts a CROSS JOIN generate_series(1, $3::integer) n`,
    [url, secrets.seal(makeWebhookSecret()), endpoints, dead]
  )
}

/** A day of deliveries that the dead did not take: all of them are due again. */
async function addBacklog(pool: Pool, { backlog }: Options): Promise<void> {
  if (backlog === 0) return
  await pool.query('SELECT ensure_partitions(current_date)')
  await pool.query(
    `WITH past AS (
      INSERT INTO events (account_id, created_on, type, seq, data)
      SELECT 1, current_date, 'import.completed', nextval('event_seqs'),
        '{"import": {"id": 0, "type": "contacts"}}'
      FROM generate_series(1, $1::integer)
      RETURNING id, created_on, seq
    ), made AS (
      INSERT INTO deliveries (account_id, endpoint_id, created_on, event_id, event_on, event_type,
        ordered, attempts, next_at, sequence)
      SELECT 1, w.id, p.created_on, p.id, p.created_on, 'import.completed', false, 4,
        now() - random() * interval '1 day', row_number() OVER (PARTITION BY w.id ORDER BY p.seq)
      FROM past p
      CROSS JOIN webhook_endpoints w
      WHERE w.url LIKE '%/dead/%'
    )
    UPDATE webhook_endpoints
    SET last_sequence = $1::integer, due_at = now() - interval '1 day',
      failing_since = now() - interval '1 day', failed_at = now()
    WHERE url LIKE '%/dead/%'`,
    [backlog]
  )
}

const root = join(import.meta.dirname, '..')

function startWorker(databaseUrl: string, dataDir: string): ChildProcess {
  return spawn(process.execPath, ['src/worker.ts'], {
    cwd: root,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      MUSTER_DATA_DIR: dataDir,
      MUSTER_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      MUSTER_LOG_LEVEL: 'warn'
    },
    stdio: 'inherit'
  })
}

/** Ends imports at a steady rate. Out: by import, its account and when the commit was known. */
async function endImports(pool: Pool, { accounts, perSecond, seconds }: Options) {
  const ended = new Map<number, { account: number; at: number }>()
  const count = perSecond * seconds
  const begin = performance.now()
  for (let i = 0; i < count; i++) {
    await wait(Math.max(0, begin + (i / perSecond) * 1_000 - performance.now()))
    const account = (i % accounts) + 1
    const { rows } = await pool.query(
      `INSERT INTO imports (account_id, type, state, file_name, file_key, file_bytes, file_sha256,
        dialect, options, mapping)
      VALUES ($1, 'contacts', 'running', 'f', 'k', 1, 's', '{}', '{}', '[]') RETURNING id`,
      [account]
    )
    // Before the commit, so that what is measured is rather too long than too short.
    const at = performance.now()
    await pool.query(`UPDATE imports SET state = 'completed', finished_at = now() WHERE id = $1`, [
      rows[0].id
    ])
    ended.set(rows[0].id, { account, at })
  }
  return ended
}

async function killNowAndThen(
  workers: ChildProcess[],
  again: () => ChildProcess,
  { kills, seconds }: Options
): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await wait((seconds * 1_000) / (kills + 1))
    const worker = workers.shift()
    worker?.kill('SIGKILL')
    workers.push(again())
  }
}

type Receiver = Awaited<ReturnType<typeof startReceiver>>

async function measure(databaseUrl: string, dataDir: string, options: Options): Promise<void> {
  await migrate(databaseUrl, createLog('warn', 'bench'))
  const pool = createPool({
    connectionString: databaseUrl,
    name: 'bench',
    max: 2,
    statementTimeoutMs: 30_000,
    onError: () => {}
  })
  const receiver = await startReceiver()
  await fill(pool, dataDir, receiver.url, options)
  await addBacklog(pool, options)
  const start = () => startWorker(databaseUrl, dataDir)
  const workers = Array.from({ length: options.workers }, start)
  try {
    await wait(3_000)
    const killing = killNowAndThen(workers, start, options)
    const ended = await endImports(pool, options)
    await killing
    const wanted = new Map<string, number>()
    for (const [id, { account, at }] of ended) {
      for (let n = account === 1 ? options.dead + 1 : 1; n <= options.endpoints; n++) {
        wanted.set(`/${account}/${n} ${id}`, at)
      }
    }
    const deadline = performance.now() + 90_000
    while (receiver.arrivals.size < wanted.size && performance.now() < deadline) await wait(100)
    report(wanted, receiver, options)
  } finally {
    for (const worker of workers) worker.kill('SIGTERM')
    await Promise.all(workers.map((worker) => worker.exitCode ?? once(worker, 'exit')))
    receiver.close()
    await pool.end()
  }
}

function report(wanted: Map<string, number>, { arrivals, requests }: Receiver, options: Options) {
  const waits = [...wanted].flatMap(([key, at]) => {
    const arrived = arrivals.get(key)
    return arrived === undefined ? [] : [arrived - at]
  })
  waits.sort((a, b) => a - b)
  const share = (part: number) => Math.round(waits[Math.floor((waits.length - 1) * part)] ?? 0)
  console.log(
    JSON.stringify({
      ...options,
      databaseUrl: undefined,
      deliveries: wanted.size,
      missing: wanted.size - waits.length,
      sent_twice: requests() - arrivals.size,
      ms: { p50: share(0.5), p95: share(0.95), p99: share(0.99), max: share(1) }
    })
  )
}

async function main(): Promise<void> {
  const options = readOptions()
  const dataDir = await mkdtemp(join(tmpdir(), 'muster-bench-'))
  // As root, the database server runs as another user, who must pass through.
  await chmod(dataDir, 0o711)
  const { databaseUrl } = options
  const server = await startServer({ dataDir, databaseUrl, settings: {} })
  try {
    await server.withDatabase('muster_bench_webhooks', (url) => measure(url, dataDir, options))
  } finally {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

await main()
