// The list of events: everything that somebody may want to be told of, and when it happens. They are
// rows of the table `events`, written in the transaction of what they tell (SQL function
// write_event). docs/events.md describes each and is held to this file by a test.

/** Every type of event that is stored, with when it happens. */
export const eventTypes = {
  'import.created': 'A file was accepted, or an undo was asked for.',
  'import.started': 'A worker took the import for the first time.',
  'import.completed': 'The import, dry run or undo came to its end, whatever became of its rows.',
  'import.failed': 'The import could not be done; `error` says why.',
  'import.cancelled': 'The import was cancelled; what it had written stays.',
  'import.undone': 'What the import wrote was taken back, all of it or in part.',
  'record.created': 'Records were created.',
  'record.updated': 'Records were changed.',
  'record.deleted': 'Records were deleted.',
  'record.merged': 'Records were merged into others.',
  'sync.updated': 'The state of records in another system has changed.',
  'sync.failed': 'Records could not be brought to another system.',
  'webhook.disabled': 'Muster disabled an endpoint that no longer takes deliveries.',
  'webhook.test': 'Somebody sent a test to the endpoint; only that endpoint is told.'
} as const

export type EventType = keyof typeof eventTypes

/** What endpoints can choose from: a test goes to the endpoint that it was sent to, chosen or not. */
export const choosableEvents = (Object.keys(eventTypes) as EventType[]).filter(
  (type) => type !== 'webhook.test'
)

/** An event as the API shows it and as deliveries carry it. */
export interface EventJson {
  /** `evt_` and a UUID: the same wherever the event is seen. */
  id: string
  type: EventType
  /** When it happened, ISO 8601 in UTC. */
  timestamp: string
  account_id: number
  data: Record<string, unknown>
  /** Where to read on: addresses, or paths where MUSTER_PUBLIC_URL is not set. */
  links: Record<string, string>
}
