// Rotation: everything that is encrypted with another key than the current one is encrypted anew.
// Batch by batch, each a transaction of its own; what is done is not found again, so it may be
// stopped anywhere and started once more. Called by `muster secrets rotate`.

import { AppError } from '../errors.ts'
import { type Pool, type Tx, withTransaction } from '../platform/db.ts'
import { listUploads, resealUpload, uploadKeyId } from '../platform/files.ts'
import { isSealed, type Secrets } from '../platform/secrets.ts'
import type { Json } from '../record-types/types.ts'
import { findSensitivePlaces } from './sensitive-types.ts'
import { type SealedKind, sealedKinds } from './status.ts'
import {
  type CellPlace,
  type JsonPlace,
  lockOldCells,
  lockOldJson,
  lockOldWebhooks,
  lockType,
  type RowPlace,
  updateCells,
  updateJson,
  updateWebhooks
} from './store.ts'

export interface Rotation {
  pool: Pool
  secrets: Secrets
  dataDir: string
  /** Called after every batch and file, with the totals so far. */
  onProgress(totals: RotationTotals): void
}

export interface RotationTotals {
  /** Values (uploads: files) that were encrypted anew. */
  done: Record<SealedKind, number>
  /** Those that stayed as they are: their key is missing, or they were tampered with. */
  unreadable: Record<SealedKind, number>
  /** Ids of the keys that are missing. */
  missingKeys: Set<string>
}

const batchRows = 500

/** Rotates all accounts, then the uploads. Out: the totals. */
export async function rotate(rotation: Rotation, account_ids: number[]): Promise<RotationTotals> {
  const totals = { done: zeros(), unreadable: zeros(), missingKeys: new Set<string>() }
  const work = { ...rotation, totals }
  for (const account_id of account_ids) {
    const { fields, import_ids } = await findSensitivePlaces(rotation.pool, account_id)
    for (const [type_id, names] of fields) {
      const type = { account_id, type_id, fields: names }
      await rotateJson(work, 'records', type)
      await rotateJson(work, 'history', type)
    }
    await rotateWebhooks(work, account_id)
    if (import_ids.length === 0) continue
    await rotateCells(work, 'rows', { account_id, import_ids })
    await rotateCells(work, 'waiting_rows', { account_id, import_ids })
  }
  await rotateUploads(work)
  return totals
}

const zeros = () =>
  Object.fromEntries(sealedKinds.map((kind) => [kind, 0])) as Record<SealedKind, number>

type Work = Rotation & { totals: RotationTotals }

async function rotateJson(
  work: Work,
  place: JsonPlace,
  type: { account_id: number; type_id: number; fields: string[] }
): Promise<void> {
  const { account_id, type_id } = type
  await inBatches(work, place, async (tx, page, reseal) => {
    // History is only ever added to, and what a restore takes from it is sealed anew: nobody puts an
    // old form back.
    if (place === 'records') await lockType(tx, account_id, type_id)
    const rows = await lockOldJson(tx, place, { ...type, ...page })
    const made = rows.map((row) => ({ ...row, values: mapValues(row.values, reseal) }))
    if (made.length > 0) await updateJson(tx, place, account_id, type_id, made)
    return rows
  })
}

async function rotateCells(
  work: Work,
  place: CellPlace,
  imports: { account_id: number; import_ids: number[] }
): Promise<void> {
  await inBatches(work, place, async (tx, page, reseal) => {
    const rows = await lockOldCells(tx, place, { ...imports, ...page })
    const made = rows.map((row) => ({
      ...row,
      cells: row.cells.map((cell) => (isSealed(cell) ? reseal(cell) : cell))
    }))
    if (made.length > 0) await updateCells(tx, place, imports.account_id, made)
    return rows
  })
}

async function rotateWebhooks(work: Work, account_id: number): Promise<void> {
  await inBatches(work, 'webhooks', async (tx, page, reseal) => {
    const rows = await lockOldWebhooks(tx, { account_id, ...page })
    const again = (text: string | null) => text && reseal(text)
    const made = rows.map(({ id, part, secret, old_secret, headers }) => ({
      id,
      part,
      secret: reseal(secret),
      old_secret: again(old_secret),
      headers: again(headers)
    }))
    if (made.length > 0) await updateWebhooks(tx, account_id, made)
    return rows
  })
}

type Reseal = (text: string) => string
type BatchPage = { after: RowPlace; prefix: string; limit: number }

/** Runs batches until one is not full. What a batch did counts once it is committed. */
async function inBatches(
  { pool, secrets, totals, onProgress }: Work,
  kind: SealedKind,
  batch: (tx: Tx, page: BatchPage, reseal: Reseal) => Promise<RowPlace[]>
): Promise<void> {
  const prefix = `enc:1:${secrets.currentKeyId}:`
  let after: RowPlace = { id: 0, part: 0 }
  for (;;) {
    const { reseal, counts } = makeReseal(secrets, prefix, totals.missingKeys)
    const rows = await withTransaction(pool, (tx) =>
      batch(tx, { after, prefix, limit: batchRows }, reseal)
    )
    totals.done[kind] += counts.done
    totals.unreadable[kind] += counts.unreadable
    if (rows.length > 0) onProgress(totals)
    const last = rows.at(-1)
    if (!last || rows.length < batchRows) return
    after = { id: last.id, part: last.part }
  }
}

/** A text under the current key; what cannot be read stays as it is. A plain text gets encrypted:
 *  it was stored before its field became sensitive. */
function makeReseal(secrets: Secrets, prefix: string, missingKeys: Set<string>) {
  const counts = { done: 0, unreadable: 0 }
  const reseal: Reseal = (text) => {
    if (text.startsWith(prefix)) return text
    try {
      const sealed = secrets.seal(isSealed(text) ? secrets.open(text) : text)
      counts.done++
      return sealed
    } catch (error) {
      counts.unreadable++
      const isMissing = error instanceof AppError && error.code === 'secret_key_missing'
      if (isMissing) missingKeys.add(text.split(':')[2] ?? '')
      return text
    }
  }
  return { reseal, counts }
}

function mapValues(values: Record<string, Json>, reseal: Reseal): Record<string, Json> {
  const one = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(one)
    return typeof value === 'string' ? reseal(value) : value
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, one(value)]))
}

async function rotateUploads({ secrets, dataDir, totals, onProgress }: Work): Promise<void> {
  for (const file_key of await listUploads(dataDir)) {
    const keyId = await uploadKeyId(dataDir, file_key)
    if (keyId === secrets.currentKeyId) continue
    if (keyId !== null && !secrets.keyIds.includes(keyId)) {
      totals.unreadable.uploads++
      totals.missingKeys.add(keyId)
      continue
    }
    const isDone = await resealUpload({ dataDir, secrets }, file_key).then(
      () => true,
      (error) => {
        // Its header was changed: the others can still be done.
        if (error instanceof AppError && error.code === 'secret_unreadable') return false
        throw error
      }
    )
    totals[isDone ? 'done' : 'unreadable'].uploads++
    onProgress(totals)
  }
}
