// The feed of events: page after page, and a cursor to come back with. Called by routes.ts.

import type { Static } from 'typebox'
import { appError } from '../../errors.ts'
import { cursorAfter, readCursor } from '../../platform/cursor.ts'
import type { Db } from '../../platform/db.ts'
import { eventJson } from './event-json.ts'
import type { EventPageSchema, EventQuery } from './schemas.ts'
import { getExtent, listEvents } from './store.ts'

/** A page of events. The cursor is there also when the page is empty: asked again with it, the feed
 *  goes on with what was published since. Throws invalid_cursor, events_gone. */
export async function pageOfEvents(
  db: Db,
  { account_id, publicUrl }: { account_id: number; publicUrl: string | null },
  { cursor, types, since, limit }: Static<typeof EventQuery>
): Promise<Static<typeof EventPageSchema>> {
  const { last, dropped } = await getExtent(db, account_id)
  const given = readCursor(cursor, null)
  if (given !== null && given < dropped) throw appError('events_gone')
  const after = given ?? 0
  const rows = await listEvents(db, account_id, {
    after,
    until: last,
    types: types?.split(',') ?? null,
    since: since ?? null,
    limit: limit + 1
  })
  const page = rows.slice(0, limit)
  const has_more = rows.length > limit
  // At the end the cursor goes past what filters left out: it must not look for it again and again.
  const end = has_more ? (page.at(-1)?.seq ?? after) : Math.max(last, after)
  const data = page.map((row) => eventJson(row, publicUrl))
  return { data, next_cursor: cursorAfter(end), has_more }
}
