// What is delivered: an event, or a part of its records, to one endpoint. Types of the envelopes,
// and the parts into which an event is cut.

import type { EventData } from '../../event-data.ts'

/** An event as the API shows it. */
export interface SentEvent {
  /** `evt_<uuid>`, of a part with `_<number>` behind it: the receiver knows a repetition by it. */
  id: string
  type: string
  /** When it happened, ISO 8601 in UTC. */
  timestamp: string
  account_id: number
  data: EventData
  /** Where to read on. */
  links: Record<string, string>
}

export interface Delivery {
  event: SentEvent
  /** The endpoint's own count of its deliveries. */
  sequence: number
  attemptAt: Date
  endpoint: {
    id: number
    /** The current secret; behind it, until its time is over, the one before. */
    secrets: [string, ...string[]]
    /** Headers that its owner wants to be sent. */
    headers: Record<string, string>
  }
  /** Address of this service without a slash at its end; null: not known, links are paths. */
  publicUrl: string | null
}

/** What is sent to the URL of an endpoint. */
export interface SignedRequest {
  headers: Record<string, string>
  body: string
}

/** What an envelope makes of a delivery: the body, and headers with the signature of its kind. */
export type MakeEnvelope = (delivery: Delivery) => SignedRequest

/** One part of an event whose records go out in several deliveries of at most `size` records. Parts
 *  count from 0; where there is only one, the event stays as it is. */
export function partOf(event: SentEvent, part: number, parts: number, size: number): SentEvent {
  const { records } = event.data
  if (!records || parts <= 1) return event
  const own = records.slice(part * size, (part + 1) * size)
  return { ...event, id: `${event.id}_${part + 1}`, data: { ...event.data, records: own } }
}
