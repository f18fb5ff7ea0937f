// The route of events: the feed that an integrator catches up with after an outage.

import type { Pool } from '../../platform/db.ts'
import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import { pageOfEvents } from './list-events.ts'
import { EventPageSchema, EventQuery, EventSchema } from './schemas.ts'

/** Adds the route of this module. Needs the access guard (`request.account`). */
export function eventRoutes(
  app: App,
  { pool, publicUrl }: { pool: Pool; publicUrl: string | null }
): void {
  app.addSchema(EventSchema)
  app.addSchema(EventPageSchema)
  app.route({
    method: 'GET',
    url: '/events',
    schema: {
      operationId: 'listEvents',
      tags: ['events'],
      summary: 'Read what happened',
      description:
        'Every event of the account in one order that never changes, oldest first. Keep ' +
        '`next_cursor` and ask with it again: nothing is missed, also after an outage of days. ' +
        'A cursor that points to events which are no longer kept is `events_gone` (410).',
      querystring: EventQuery,
      response: {
        200: ok('A page of events.', ref(EventPageSchema)),
        ...problems('invalid_cursor', 'events_gone')
      }
    },
    handler: ({ account: { account_id }, query }) =>
      pageOfEvents(pool, { account_id, publicUrl }, query)
  })
}
