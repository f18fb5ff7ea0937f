// How much is encrypted with which key, over all accounts and the uploads on disk. Needs no key.
// Called by `muster secrets status`.

import type { Db } from '../platform/db.ts'
import { listUploads, uploadKeyId } from '../platform/files.ts'
import { findSensitivePlaces } from './sensitive-types.ts'
import { countCells, countJson, countWebhooks, type KeyCounts } from './store.ts'

/** The kinds of places where something is encrypted. */
export const sealedKinds = [
  'records',
  'history',
  'rows',
  'waiting_rows',
  'webhooks',
  'uploads'
] as const
export type SealedKind = (typeof sealedKinds)[number]

/** Values (uploads: files) by key id; `''`: those that are not encrypted. */
export type KeyUse = Map<string, Record<SealedKind, number>>

/** Counts everything. */
export async function countKeyUse(db: Db, dataDir: string, account_ids: number[]): Promise<KeyUse> {
  const use: KeyUse = new Map()
  for (const account_id of account_ids) {
    const { fields, import_ids } = await findSensitivePlaces(db, account_id)
    for (const [type_id, names] of fields) {
      const place = { account_id, type_id, fields: names }
      add(use, 'records', await countJson(db, 'records', place))
      add(use, 'history', await countJson(db, 'history', place))
    }
    add(use, 'webhooks', await countWebhooks(db, account_id))
    if (import_ids.length === 0) continue
    for (const kind of ['rows', 'waiting_rows'] as const) {
      add(use, kind, await countCells(db, kind, { account_id, import_ids }))
    }
  }
  for (const file_key of await listUploads(dataDir)) {
    add(use, 'uploads', new Map([[(await uploadKeyId(dataDir, file_key)) ?? '', 1]]))
  }
  return use
}

const noUse = Object.fromEntries(sealedKinds.map((kind) => [kind, 0])) as Record<SealedKind, number>

function add(use: KeyUse, kind: SealedKind, counts: KeyCounts): void {
  for (const [key, count] of counts) {
    const found = use.get(key) ?? { ...noUse }
    found[kind] += count
    use.set(key, found)
  }
}
