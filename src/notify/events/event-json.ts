// A row of `events` -> the event as the API shows it and deliveries carry it. Pure.

import type { EventJson } from '../../events.ts'
import type { EventRow } from './store.ts'

/** The id of an event as it is shown. */
export const shownEventId = (id: string) => `evt_${id}`

/** The event as JSON. `publicUrl` null: links are paths. */
export function eventJson(row: EventRow, publicUrl: string | null): EventJson {
  return {
    id: shownEventId(row.id),
    type: row.type,
    timestamp: row.created_at.toISOString(),
    account_id: row.account_id,
    data: row.data,
    links: row.import_id === null ? {} : linksOf(row.import_id, publicUrl ?? '')
  }
}

function linksOf(import_id: number, base: string): Record<string, string> {
  const self = `${base}/imports/${import_id}`
  return { import: self, rows: `${self}/rows`, rejects: `${self}/rejects.csv` }
}
