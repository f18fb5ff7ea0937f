// The verbs of deliveries: look at them, send them again. Called by routes.ts.

import type { Static } from 'typebox'
import { appError } from '../../errors.ts'
import { readCursor, toPage } from '../../platform/cursor.ts'
import { type Db, type Pool, withTransaction } from '../../platform/db.ts'
import type { Once } from '../../platform/idempotency.ts'
import { shownEventId } from '../events/event-json.ts'
import { requireEndpoint } from '../webhooks/change-endpoints.ts'
import { lockEndpoint, wakeSenders } from '../webhooks/store.ts'
import type { DeliveryListQuery, DeliverySchema } from './schemas.ts'
import {
  type Again,
  type AttemptRow,
  type DeliveryRow,
  getDelivery,
  listAttempts,
  listDeliveries,
  sendAgain
} from './store.ts'

type DeliveryJson = Static<typeof DeliverySchema>
type Place = { account_id: number; endpoint_id: number }

/** A page of deliveries with their attempts, newest first. Throws webhook_not_found, invalid_cursor. */
export async function pageOfDeliveries(
  db: Pool,
  place: Place,
  { state, cursor, limit }: Static<typeof DeliveryListQuery>
): Promise<{ data: DeliveryJson[]; next_cursor: string | null }> {
  await requireEndpoint(db, place.account_id, place.endpoint_id)
  const before = readCursor(cursor, null)
  const rows = await listDeliveries(db, place, { state: state ?? null, before, limit: limit + 1 })
  const { data, next_cursor } = toPage(rows, limit, (row) => row.id)
  return { data: await withAttempts(db, place, data), next_cursor }
}

/** One delivery. Throws webhook_not_found, delivery_not_found. */
export async function showDelivery(db: Pool, place: Place, id: number): Promise<DeliveryJson> {
  const { account_id, endpoint_id } = place
  await requireEndpoint(db, account_id, endpoint_id)
  const row = await getDelivery(db, account_id, endpoint_id, id)
  const [json] = row ? await withAttempts(db, place, [row]) : []
  if (!json) throw appError('delivery_not_found', { webhook: endpoint_id, id })
  return json
}

/** Sends again, whatever became of it before. Out: how many deliveries. Throws webhook_not_found,
 *  delivery_not_found. */
export async function redeliver(
  pool: Pool,
  { account_id, endpoint_id }: Place,
  again: Again,
  once: Once | null
): Promise<number> {
  return withTransaction(pool, async (tx) => {
    if (!(await lockEndpoint(tx, account_id, endpoint_id))) {
      throw appError('webhook_not_found', { id: endpoint_id })
    }
    const count = await sendAgain(tx, { account_id, endpoint_id }, again)
    if ('id' in again && count === 0) {
      throw appError('delivery_not_found', { webhook: endpoint_id, id: again.id })
    }
    const all = `/webhooks/${endpoint_id}/deliveries`
    const location = 'id' in again ? `${all}/${again.id}` : all
    await once?.record(tx, { status: 202, location })
    await wakeSenders(tx)
    return count
  })
}

async function withAttempts(db: Db, place: Place, rows: DeliveryRow[]): Promise<DeliveryJson[]> {
  const attempts = Map.groupBy(await listAttempts(db, place, rows), (one) => one.delivery_id)
  return rows.map((row) => deliveryJson(row, attempts.get(row.id) ?? []))
}

function deliveryJson(row: DeliveryRow, attempts: AttemptRow[]): DeliveryJson {
  const id = shownEventId(row.event_id)
  return {
    id: row.id,
    message_id: row.parts > 1 ? `${id}_${row.part + 1}` : id,
    event: { id, type: row.event_type },
    import_id: row.import_id,
    sequence: row.sequence,
    state: row.state,
    created_at: row.created_at.toISOString(),
    next_attempt_at: row.next_at?.toISOString() ?? null,
    ended_at: row.ended_at?.toISOString() ?? null,
    attempts: attempts.map(({ attempt, attempted_at, ms, status, error, answer }) => ({
      attempt,
      at: attempted_at.toISOString(),
      ms,
      status,
      error,
      answer
    }))
  }
}
