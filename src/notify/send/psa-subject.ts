// What an event is about, as the envelopes of PSA systems have it: one thing with a kind, an id, its
// fields, and what happened to it. Pure. Called by connectwise.ts and autotask.ts.

import type { EventData, EventRecord } from '../../event-data.ts'
import type { TypeNames } from './crosswalk.ts'
import { translateValues } from './crosswalk-values.ts'
import type { Delivery } from './delivery.ts'

export type Verb = 'added' | 'updated' | 'deleted'

export interface Subject {
  verb: Verb
  /** Their name of a record type, ours where they have none; `Import`, `Sync`, `Webhook`. */
  kind: string
  /** Our id; 0: the event is about nothing that has one. */
  id: number
  fields: Record<string, unknown>
  /** The same without what may be large. */
  identity: Record<string, unknown>
  actor: { id: number; name: string } | null
}

/** Tells what an event is about. Throws an Error when it is about several records. */
export function subjectOf(
  { event, publicUrl }: Delivery,
  namesByType: Record<string, TypeNames>
): Subject {
  const { type, data } = event
  const verb = verbOf(type)
  const [record, ...more] = data.records ?? []
  if (more.length > 0)
    throw new Error(`A delivery of ${event.id} holds ${more.length + 1} records.`)
  if (record) {
    const info = { record_href: `${publicUrl ?? ''}/records/${record.record_id}`, ...syncOf(event) }
    return recordSubject(record, verb, namesByType[record.type], info)
  }
  const kind = capitalized(type.split('.')[0] ?? '')
  const job = data.import
  if (!job) return { verb, kind, id: 0, fields: data, identity: {}, actor: null }
  const fields = { ...job, links: event.links }
  const identity = { id: job.id, state: job.state, links: event.links }
  return { verb, kind, id: job.id, fields, identity, actor: null }
}

/** record.created, import.created -> added; record.deleted -> deleted; all else is a change. */
function verbOf(type: string): Verb {
  const happened = type.split('.')[1]
  if (happened === 'created') return 'added'
  return happened === 'deleted' ? 'deleted' : 'updated'
}

/** What happened between the record and another system: their formats know no such event, and a
 *  refusal must not be taken for a change. Absent where the event is about the record itself. */
function syncOf({ type, data }: { type: string; data: EventData }) {
  if (!type.startsWith('sync.')) return {}
  const { system, state, state_before, external_id, error } = data
  return {
    event: type,
    sync: { system, state, stateBefore: state_before, externalId: external_id, error }
  }
}

function recordSubject(
  record: EventRecord,
  verb: Verb,
  names: TypeNames | undefined,
  info: Record<string, unknown>
): Subject {
  const { record_id: id, title, external_ids: externalIds, actor } = record
  const about = { externalIds, _info: info }
  return {
    verb,
    kind: names?.name ?? record.type,
    id,
    fields: record.values
      ? { id, ...translateValues(record, names), ...about }
      : { id, name: title, ...about },
    identity: { id, name: title.slice(0, 200), _info: info },
    actor
  }
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
