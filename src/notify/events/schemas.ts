// Shapes of the feed of events. TypeBox schemas with a text for every property.

import { Type } from 'typebox'
import { choosableEvents, type EventType } from '../../events.ts'
import { answer, oneOf, pageQuery, ref, time } from '../../platform/http-schemas.ts'

export const EventSchema = answer(
  {
    id: Type.String({
      description: 'The same wherever the event is seen: here, and in deliveries.',
      examples: ['evt_0b8e5b0e-6f0f-4f3c-9d0a-3c1f5d6f6c3e']
    }),
    type: oneOf<EventType>(choosableEvents, 'What happened; see docs/events.md.'),
    timestamp: time('When it happened.'),
    account_id: Type.Integer({ description: 'The account.', examples: [1] }),
    data: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What happened to what; its shape depends on the type.'
    }),
    links: Type.Record(Type.String(), Type.String(), {
      description: 'Where to read on: addresses, or paths where MUSTER_PUBLIC_URL is not set.'
    })
  },
  { $id: 'Event', description: 'Something that happened.' }
)

export const EventPageSchema = answer(
  {
    data: Type.Array(ref(EventSchema), { description: 'The events of this page, oldest first.' }),
    next_cursor: Type.String({
      description:
        'Cursor of the next page. Always there: keep it, and ask with it again for what happens next.'
    }),
    has_more: Type.Boolean({ description: 'Whether more is there already.' })
  },
  { $id: 'EventPage', description: 'Events in the order they were published.' }
)

const one = `(${choosableEvents.map((type) => type.replace('.', '\\.')).join('|')})`

/** GET /events. */
export const EventQuery = Type.Object(
  {
    types: Type.Optional(
      Type.String({
        pattern: `^${one}(,${one})*$`,
        description: `Only these types, separated by commas: ${choosableEvents.join(', ')}.`
      })
    ),
    since: Type.Optional(
      Type.String({ format: 'date-time', description: 'Only events from this time on.' })
    ),
    ...pageQuery
  },
  { additionalProperties: false }
)
