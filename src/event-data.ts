// What the `data` of an event about records holds, as whoever is told gets to see it. Written by
// those who change records, in their transaction; read by GET /events and by the webhooks.
// TypeBox schemas with a text for every property. Never the value of a sensitive field.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }

const ExternalIds = Type.Record(Type.String(), Type.String(), {
  description: 'Its ids in other systems, by system, as the connectors have reported them.',
  examples: [{ connectwise: '4711' }]
})

/** A record that another one names. */
export const EventReferenceSchema = Type.Object(
  {
    id: Type.Integer({ description: 'Id of the record.', examples: [17] }),
    title: Type.String({ description: 'What people call it.', examples: ['Happy Frog'] }),
    external_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Its external id, as files give it; null: it has none.',
      examples: ['ORG-0017']
    }),
    external_ids: ExternalIds
  },
  { ...closed, $id: 'EventReference', description: 'A record that the one of the event names.' }
)
export type EventReference = Static<typeof EventReferenceSchema>

/** From what to what a field changed; of a sensitive field only that it did. */
export type FieldChange = { from: unknown; to: unknown } | { secret: true }

/** One record of an event. */
export const EventRecordSchema = Type.Object(
  {
    record_id: Type.Integer({ description: 'Id of the record.', examples: [42] }),
    type: Type.String({ description: 'Name of the record type.', examples: ['contacts'] }),
    title: Type.String({ description: 'What people call it.', examples: ['Ann Lee'] }),
    external_ids: ExternalIds,
    organization: Type.Unsafe<EventReference | null>({
      anyOf: [{ $ref: 'EventReference#' }, { type: 'null' }],
      description: 'The organization it belongs to; null: none.'
    }),
    changed_fields: Type.Unsafe<Record<string, FieldChange> | null>({
      type: ['object', 'null'],
      additionalProperties: true,
      description:
        'By field, `{"from", "to"}`, a value that was or is not there being null; of a sensitive ' +
        'field `{"secret": true}`. null: the record is new or gone.',
      examples: [{ title: { from: null, to: 'Head of IT' } }]
    }),
    values: Type.Unsafe<Record<string, unknown> | null>({
      type: ['object', 'null'],
      additionalProperties: true,
      description:
        'The record after the change, by field; sensitive fields and fields without a value are ' +
        'absent. A reference is an EventReference, several are a list of them. null: the record ' +
        'is gone, or too large to be sent (`omitted`), or the event is about its link (`sync.*`).',
      examples: [{ first_name: 'Ann', last_name: 'Lee', emails: ['ann@example.com'] }]
    }),
    actor: Type.Unsafe<{ id: number; name: string } | null>({
      type: ['object', 'null'],
      description:
        'The API key that made the change, `{"id", "name"}`; null: none, or several did.',
      examples: [{ id: 1, name: 'first key' }]
    })
  },
  { ...closed, $id: 'EventRecord', description: 'One record of an event.' }
)
export type EventRecord = Static<typeof EventRecordSchema>

/** `data` of record.* events: up to 100 records. */
export const RecordEventDataSchema = Type.Object(
  {
    import_id: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'The import that made the change; null: none did.',
      examples: [7]
    }),
    records: Type.Array(EventRecordSchema, {
      maxItems: 100,
      description: 'The records, in the order of the changes.'
    })
  },
  { ...closed, $id: 'RecordEventData', description: 'What an event about records tells.' }
)
export type RecordEventData = Static<typeof RecordEventDataSchema>

/** `data` of any event: records, or an import, or whatever else the type of event says. */
export interface EventData {
  import_id?: number | null
  records?: EventRecord[]
  import?: { id: number; [key: string]: unknown }
  [key: string]: unknown
}
