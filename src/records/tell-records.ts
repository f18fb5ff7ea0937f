// Events about records -> the outbox, up to 100 records each, in the transaction of their change.
// Called by restoring a version and by pushes of imports.

import type { EventRecord } from '../event-data.ts'
import type { EventType } from '../events.ts'
import type { Tx } from '../platform/db.ts'
import { type Actor, eventRecords, type Told } from './event-records.ts'
import type { OrganizationPlace } from './organizations.ts'
import { markPending, noteTold, writeEvents } from './store.ts'

const recordsPerEvent = 100

export interface Telling {
  type: EventType
  /** The import that made the change; null: none did. */
  import_id: number | null
  actor: Actor
  /** What the event tells besides, of all of its records. */
  more?: Record<string, unknown>
}

/** Writes the events of records of one type, in their order, and notes what record.* events tell. Needs
 *  the account's turn (lockTelling), taken before the records were read. */
export async function tellRecords(
  tx: Tx,
  place: OrganizationPlace,
  { type, import_id, actor, more }: Telling,
  told: Told[]
): Promise<void> {
  if (told.length === 0) return
  // A record that was made and changed since may say more than whoever linked it has seen.
  const newer = told.filter(({ version }) => type !== 'record.created' || version > 1)
  if (newer.length > 0 && ['record.created', 'record.updated'].includes(type)) {
    const ids = newer.map(({ id }) => id)
    await markPending(tx, place.account_id, ids, actor?.id ?? null)
  }
  const tellsValues = type.startsWith('record.')
  if (tellsValues) await noteTold(tx, place.account_id, told)
  const records = await eventRecords(tx, place, told, actor)
  // What an import changed is held until it is pushed, also where a connector reports meanwhile.
  if (!tellsValues) for (const record of records) record.values = null
  const chunks: EventRecord[][] = []
  for (let from = 0; from < records.length; from += recordsPerEvent) {
    chunks.push(records.slice(from, from + recordsPerEvent))
  }
  await writeEvents(tx, {
    account_id: place.account_id,
    type,
    import_id,
    record_type: place.type.name,
    actor_key: actor?.id ?? null,
    all: chunks.map((chunk) => ({ ...more, import_id, records: chunk }))
  })
}
