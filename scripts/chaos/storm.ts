// The storm: several accounts, each with eight imports over the same keys at a time, and a fault every
// second or so, until there were enough; then everything is counted.

import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readConfig } from '../../src/config.ts'
import { leaseMs } from '../../src/platform/idempotency.ts'
import { createLog } from '../../src/platform/log.ts'
import { cleanUp } from '../../src/retention/clean.ts'
import type { Teardown } from '../../test/helpers/cluster.ts'
import { until } from '../../test/helpers/until.ts'
import { countForeignWrites } from './audit.ts'
import { checkAccount, checkImport, checkUploads, type SentFile } from './check.ts'
import { type Background, type FaultKind, inject } from './faults.ts'
import { filesOfRound, makeFile } from './files.ts'
import type { Options } from './options.ts'
import { type Place, startPlace } from './place.ts'
import { createRandom } from './random.ts'
import { followImports, type Sender, sendFile, sendIntoKill } from './send.ts'
import { countFault, faultsOf, newTally, type Tally } from './tally.ts'

// How often each kind comes, in a hundred.
const shares: [FaultKind, number][] = [
  ['worker_killed', 25],
  ['backend_killed', 20],
  ['session_ended', 23],
  ['server_stopped', 10],
  ['worker_restarted', 10],
  ['worker_frozen', 3],
  ['network_lost', 3],
  ['api_killed', 6]
]

const uploadIdleMs = 2_000
// Longer than the least heartbeat, and than the patience with a silent server.
const awayMs = 17_000
const roundLimitMs = 600_000

interface Storm {
  place: Place
  options: Options
  signal: AbortSignal
  tally: Tally
  /** What was sent, by position of the account; the last one is for uploads that are cut off. */
  sent: SentFile[][]
  isOver: boolean
  say: (text: string) => void
}

/** Runs the storm and counts. */
export async function runStorm(
  t: Teardown,
  options: Options,
  run: { signal: AbortSignal; say: (text: string) => void }
): Promise<Tally> {
  const place = await startPlace(t, {
    workers: 2,
    accounts: options.accounts + 1,
    env: {
      // The least that the queue takes: how long a dead worker may hold its imports.
      MUSTER_WORKER_HEARTBEAT_SECONDS: '10',
      MUSTER_BATCH_ROWS: '100',
      MUSTER_UPLOAD_IDLE_TIMEOUT_MS: String(uploadIdleMs)
    },
    logs: options.logs
  })
  const tally = newTally('storm')
  const sent = place.accounts.map(() => [])
  const storm: Storm = { place, options, tally, sent, isOver: false, ...run }
  const accounts = Array.from({ length: options.accounts }, (_, i) => runAccount(storm, i))
  // The first thing that goes wrong ends it all; the others follow when their place is taken away.
  const all = Promise.all(accounts)
  await Promise.race([breakThings(storm), all])
  await all
  await followUploads(storm)
  await countEverything(storm)
  return tally
}

const senderOf = ({ place, signal }: Storm, account: number): Sender => ({
  url: place.url,
  key: place.accounts[account]?.key ?? '',
  signal
})

/** Sends round after round; each import is looked at as soon as the round has ended. */
async function runAccount(storm: Storm, account: number): Promise<void> {
  const { place, options, tally, sent } = storm
  const sender = senderOf(storm, account)
  for (let round = 0; !storm.isOver; round++) {
    const files = filesOfRound(account, round, options.rows)
    const imports = await Promise.all(files.map((file) => sendFile(sender, file)))
    sent[account]?.push(...imports)
    await finishImports(storm, sender, imports)
    for (const one of imports) await checkImport(place.query, one, tally)
  }
}

async function finishImports({ tally }: Storm, sender: Sender, imports: SentFile[]) {
  const ids = imports.map((one) => one.import_id)
  const { wentBack } = await followImports(sender, ids, roundLimitMs)
  tally.wentBack += wentBack
  tally.imports += imports.length
}

/** Injects faults until there were enough or the time is over. */
async function breakThings(storm: Storm): Promise<void> {
  const { place, options, signal, tally, say } = storm
  const random = createRandom(options.seed)
  const end = Date.now() + options.minutes * 60_000
  const meanMs = (options.minutes * 60_000) / options.faults / 4
  const background: Background = new Set()
  const killApi = () => cutUploadOff(storm, faultsOf(tally), background)
  await until('the first batch', () => countBatches(place), 60_000)
  while (faultsOf(tally) < options.faults && Date.now() < end) {
    await wait(meanMs * (0.2 + random.below(1_600) / 1_000), undefined, { signal })
    const kind = chooseKind(random.below(100), end - Date.now())
    const before = await countBatches(place)
    if (!(await inject(kind, { place, random, background, killApi, awayMs }))) continue
    countFault(tally, kind)
    if (faultsOf(tally) % 20 === 0) say(`${faultsOf(tally)} faults, ${before} batches`)
    // What stands still cannot be broken: the next fault comes after another batch.
    const isMoving = async () => signal.aborted || (await countBatches(place)) > before
    await until('another batch', isMoving, 120_000)
  }
  storm.isOver = true
  // From here on it may be that nothing is left to write.
  tally.figures['longest time without any batch, s'] = await longestPause(place)
  say(`${faultsOf(tally)} faults; waiting for what is under way`)
  await Promise.all(background)
}

function chooseKind(point: number, leftMs: number): FaultKind {
  let sum = 0
  for (const [kind, share] of shares) {
    sum += share
    // What comes after an upload that was cut off takes its time.
    if (point < sum && (kind !== 'api_killed' || leftMs > leaseMs)) return kind
  }
  return 'worker_killed'
}

async function countBatches({ query }: Place): Promise<number> {
  const [row] = await query<{ count: number }>('SELECT count(*) AS count FROM chaos_batches')
  return row?.count ?? 0
}

async function longestPause({ query }: Place): Promise<number> {
  const [row] = await query<{ seconds: number | null }>(
    `SELECT round(extract(epoch FROM max(g.pause)), 1)::float8 AS seconds FROM (
      SELECT b.written_at - lag(b.written_at) OVER (ORDER BY b.written_at) AS pause
      FROM chaos_batches b) g`
  )
  return row?.seconds ?? 0
}

/** An upload whose server is killed in the middle, and which is then sent again: for as long as the
 *  key is kept for the request that died (leaseMs), and so in the background. */
async function cutUploadOff(
  storm: Storm,
  number: number,
  background: Background
): Promise<boolean> {
  const { place, options, sent } = storm
  const account = options.accounts
  const file = makeFile('contacts', `a${account}-u${number}`, 0, 200)
  const sender = senderOf(storm, account)
  const key = `upload ${number}`
  await sendIntoKill(place, sender, file, key)
  const again = sendFile(sender, file, key).then((one) => sent[account]?.push(one))
  background.add(again.finally(() => background.delete(again)))
  return true
}

async function followUploads(storm: Storm): Promise<void> {
  const imports = storm.sent[storm.options.accounts] ?? []
  await finishImports(storm, senderOf(storm, storm.options.accounts), imports)
  for (const one of imports) await checkImport(storm.place.query, one, storm.tally)
}

/** At rest: all that is stored, and the folder for uploads. */
async function countEverything({ place, sent, tally, say }: Storm): Promise<void> {
  say('counting')
  const { query, accounts } = place
  for (const [i, { account_id }] of accounts.entries()) {
    await checkAccount(query, account_id, sent[i] ?? [], tally)
  }
  tally.foreign = await countForeignWrites(query)
  await cleanUploads(place)
  await checkUploads(query, place.dataDir, tally)
  const imports = await query<{ id: number }>('SELECT i.id FROM imports i')
  if (imports.length !== tally.imports) tally.doubled += Math.abs(imports.length - tally.imports)
}

const twoDaysMs = 2 * 24 * 3_600_000

/** What is thrown away in time, without the time: leftovers of uploads that were cut off go when the
 *  service starts, files without an import after a day. */
async function cleanUploads(place: Place): Promise<void> {
  await wait(uploadIdleMs)
  await place.killApi()
  await place.startApi()
  const folder = join(place.dataDir, 'uploads')
  const then = new Date(Date.now() - twoDaysMs)
  for (const name of await readdir(folder)) {
    if (name !== 'partial') await utimes(join(folder, name), then, then)
  }
  await cleanUp({
    pool: place.pool,
    config: readConfig({ MUSTER_DATA_DIR: place.dataDir }),
    log: createLog('silent', 'chaos'),
    signal: new AbortController().signal
  })
}
