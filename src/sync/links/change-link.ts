// Changing a link: the move is checked, written, and told of, in one transaction.
// In: who says so, which record and system, what it is from now on. Out: the link. Called by routes.ts.

import { appError } from '../../errors.ts'
import { type Pool, type Tx, withTransaction } from '../../platform/db.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { loadTypes } from '../../record-types/store.ts'
import { getActor, getRecord, lockTelling, type RecordRow } from '../../records/store.ts'
import { tellRecords } from '../../records/tell-records.ts'
import { isReport, type LinkState, linkMoves, mayMove } from './status.ts'
import {
  holdRecord,
  type LinkRow,
  limitWaiting,
  listLinks,
  saveLink,
  takeExternalId
} from './store.ts'

export interface LinkChange {
  account_id: number
  /** The API key that says so. */
  key_id: number
  record_id: number
  system: string
  state: LinkRow['state']
  /** undefined: as it was. */
  external_id?: string | null | undefined
  error?: string | null | undefined
}

/** Moves a link. Throws record_not_found, link_state_conflict, link_taken, and what
 *  limitWaiting makes the database throw. */
export async function changeLink(pool: Pool, change: LinkChange): Promise<void> {
  const { account_id, record_id, system, state } = change
  await withTransaction(pool, async (tx) => {
    await limitWaiting(tx)
    const types = await loadTypes(tx, account_id)
    const type_ids = types.list.map(({ type_id }) => type_id)
    // Held before its links are read: an undo that would delete it sees the link, or was here first.
    const held = await holdRecord(tx, account_id, type_ids, record_id)
    await lockTelling(tx, account_id)
    const [was] = await listLinks(tx, account_id, record_id, system)
    const record = held === null ? null : await getRecord(tx, account_id, [held], record_id)
    const type_id = record?.type_id ?? was?.type_id
    if (type_id === undefined || !(record || isForGone(was, state))) {
      throw appError('record_not_found', { id: record_id })
    }
    const from: LinkState = was?.state ?? 'not_synced'
    if (!mayMove(from, state)) {
      const allowed = Object.keys(linkMoves[from]).join(', ')
      throw appError('link_state_conflict', {
        id: record_id,
        system,
        state: from,
        to: state,
        allowed
      })
    }
    const external_id = said(cleanId(change.external_id), was?.external_id) ?? null
    const error = state === 'error' ? (said(change.error, was?.error) ?? null) : null
    const link = { account_id, record_id, system, type_id, external_id, state, error }
    if (external_id !== null) await takeExternalId(tx, { ...link, external_id })
    const changed_by = isReport(from, state) ? change.key_id : null
    const keeps_id = change.external_id === undefined
    if (!(await saveLink(tx, { ...link, changed_by, keeps_id }))) {
      throw appError('link_taken', { id: record_id, system, external_id: external_id ?? '' })
    }
    const isNews = from !== state || was?.external_id !== external_id || was.error !== error
    if (record && isNews) {
      await tell(tx, types, change, { from, external_id, error }, record)
    }
  })
}

/** As the cells of files are cleaned: what looks the same is the same. */
const cleanId = (id: string | null | undefined) => id?.trim().normalize('NFC') || id

/** What was left out stays as it was. */
const said = <T>(value: T | undefined, was: T | undefined) => (value === undefined ? was : value)

/** Whether the link of a record that was deleted may be said to be so: it can be taken off, or found
 *  orphaned. */
const isForGone = (was: LinkRow | undefined, state: LinkState) =>
  was !== undefined && [was.state, 'orphaned', 'disconnected'].includes(state)

async function tell(
  tx: Tx,
  types: TypeCatalogue,
  { account_id, key_id, system, state }: LinkChange,
  {
    from,
    external_id,
    error
  }: { from: LinkState; external_id: string | null; error: string | null },
  { id, type_id, version, data, organization_id }: RecordRow
): Promise<void> {
  const type = types.getById(type_id)
  if (!type) return
  const actor = await getActor(tx, account_id, key_id)
  const told = { id, version, data, organization_id, before: null, gone: false }
  const event = state === 'error' ? 'sync.failed' : 'sync.updated'
  const more = { system, state, state_before: from, external_id, error }
  const telling = { type: event, import_id: null, actor, more } as const
  await tellRecords(tx, { account_id, types, type }, telling, [told])
}
