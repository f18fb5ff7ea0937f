// The work of `muster secrets`: on the database of DATABASE_URL, else on the embedded one, on the
// uploads of the data folder, and with the keys of MUSTER_SECRET_KEYS or of that folder.

import { listAccounts } from '../access/store.ts'
import { checkKeys, registerKeys } from '../platform/known-keys.ts'
import { openSecrets, type Secrets } from '../platform/secrets.ts'
import { type RotationTotals, rotate } from '../secrets/rotate.ts'
import { countKeyUse, type KeyUse, type SealedKind, sealedKinds } from '../secrets/status.ts'
import { CliError } from './client.ts'
import { withDatabase } from './with-database.ts'

const place = { name: 'muster-secrets', statementTimeoutMs: 0 }

/** Prints a table: a line for each key. */
export async function printStatus(): Promise<void> {
  await withDatabase(place, async (pool, config) => {
    const secrets = await openSecrets(config)
    await checkKeys(pool, secrets)
    const accounts = await listAccounts(pool)
    const ids = accounts.map(({ account_id }) => account_id)
    const use = await countKeyUse(pool, config.dataDir, ids)
    console.log(statusLines(secrets, use).join('\n'))
  })
}

/** Rotates, and prints what was done. Throws a CliError when something could not be read. */
export async function rotateSecrets(): Promise<void> {
  await withDatabase(place, async (pool, config) => {
    const secrets = await openSecrets(config)
    await registerKeys(pool, secrets)
    const accounts = await listAccounts(pool)
    const rotation = { pool, secrets, dataDir: config.dataDir, onProgress: everySecond() }
    const ids = accounts.map(({ account_id }) => account_id)
    const totals = await rotate(rotation, ids)
    console.log(`Encrypted anew with key ${secrets.currentKeyId}: ${sentence(totals.done)}.`)
    reportUnreadable(totals)
  })
}

const labels: Record<SealedKind, string> = {
  records: 'records',
  history: 'history',
  rows: 'rejected rows',
  waiting_rows: 'waiting rows',
  webhooks: 'webhooks',
  uploads: 'uploads'
}

const none = { records: 0, history: 0, rows: 0, waiting_rows: 0, webhooks: 0, uploads: 0 }

/** One line for each key, configured or only in use. */
export function statusLines({ currentKeyId, keyIds }: Secrets, use: KeyUse): string[] {
  const ids = [...new Set([...keyIds, ...[...use.keys()].sort()])]
  const titles = ids.map((id) => titleOf(id, currentKeyId, keyIds))
  const width = Math.max(...titles.map((title) => title.length), 3)
  const line = (title: string, cells: string[]) =>
    [title.padEnd(width), ...cells.map((cell, i) => cell.padStart(columnWidths[i] ?? 0))].join('  ')
  const heads = sealedKinds.map((kind) => labels[kind])
  const columnWidths = heads.map((head) => Math.max(head.length, 9))
  const body = ids.map((id, i) => {
    const counts = use.get(id) ?? none
    return line(
      titles[i] ?? '',
      sealedKinds.map((kind) => counts[kind].toLocaleString('en'))
    )
  })
  return [line('key', heads), ...body]
}

function titleOf(id: string, current: string, known: string[]): string {
  if (id === '') return 'not encrypted'
  if (id === current) return `${id} (current)`
  return known.includes(id) ? id : `${id} (missing)`
}

function sentence(counts: Record<SealedKind, number>): string {
  return sealedKinds
    .map((kind) => `${counts[kind].toLocaleString('en')} in ${labels[kind]}`)
    .join(', ')
    .replace(/ in uploads$/, ' uploads')
}

/** Cells may be texts that only look encrypted: somebody typed them. The rest is lost without its
 *  key. */
function reportUnreadable({ unreadable, missingKeys }: RotationTotals): void {
  const { rows, waiting_rows, records, history, webhooks, uploads } = unreadable
  if (rows + waiting_rows > 0) {
    console.log(
      `${rows + waiting_rows} cells look encrypted and cannot be read; they stay as they are.`
    )
  }
  if (records + history + webhooks + uploads === 0) return
  const missing = missingKeys.size > 0 ? ` Missing keys: ${[...missingKeys].join(', ')}.` : ''
  throw new CliError(`Could not be read, and stay as they are: ${sentence(unreadable)}.${missing}`)
}

/** Prints the totals so far to stderr, at most once a second. */
function everySecond(): (totals: RotationTotals) => void {
  let next = performance.now() + 1_000
  return ({ done }) => {
    if (performance.now() < next) return
    next = performance.now() + 1_000
    console.error(`  so far: ${sentence(done)}`)
  }
}
