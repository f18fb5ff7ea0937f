// The verbs of webhook endpoints: make, change, delete, rotate the secret, send a test. Each is one
// transaction. Called by routes.ts.

import type { Static } from 'typebox'
import type { Config } from '../../config.ts'
import { appError } from '../../errors.ts'
import { type Pool, type Tx, withTransaction } from '../../platform/db.ts'
import type { Once } from '../../platform/idempotency.ts'
import type { Secrets } from '../../platform/secrets.ts'
import { makeWebhookSecret } from '../../platform/webhook-signature.ts'
import { shownEventId } from '../events/event-json.ts'
import { checkHeaders, checkNames, checkRecords, checkUrl } from './check-endpoint.ts'
import { overlapHours, sealHeaders } from './endpoint-secrets.ts'
import type { NewWebhook, WebhookPatch } from './schemas.ts'
import {
  countEndpoints,
  deleteEndpoint,
  type EndpointRow,
  type EndpointSettings,
  getEndpoint,
  insertEndpoint,
  lockEndpoint,
  renewWaiting,
  replaceSecret,
  updateEndpoint,
  wakeSenders,
  writeTestEvent
} from './store.ts'

/** What the verbs of this module work with. */
export interface WebhookContext {
  pool: Pool
  config: Pick<Config, 'webhookAllowedNetworks' | 'publicUrl'>
  secrets: Secrets
}

interface Caller {
  account_id: number
  key_id: number
}

const maxEndpoints = 100
export const webhookPath = (id: number) => `/webhooks/${id}`

/** What an endpoint is unless somebody says otherwise. */
export const defaults: Omit<EndpointSettings, 'url'> = {
  description: '',
  event_types: [],
  record_types: [],
  format: 'standard',
  records_per_delivery: 100,
  ignore_keys: [],
  headers: null,
  enabled: true
}

/** Makes an endpoint. Out: the endpoint, and its secret for the only time. Throws
 *  webhook_url_refused, unknown_record_type, validation_failed, too_many_webhooks. */
export async function createEndpoint(
  context: WebhookContext,
  { account_id, key_id }: Caller,
  said: Static<typeof NewWebhook>,
  once: Once | null
): Promise<{ row: EndpointRow; secret: string }> {
  const { pool, secrets } = context
  const settings = readSettings(context, { ...defaults, url: said.url }, said)
  await checkNames(pool, account_id, settings)
  const secret = makeWebhookSecret()
  const row = await withTransaction(pool, async (tx) => {
    if ((await countEndpoints(tx, account_id)) >= maxEndpoints) {
      throw appError('too_many_webhooks', { limit: maxEndpoints })
    }
    const sealed = secrets.seal(secret)
    const made = { ...settings, account_id, created_by: key_id, import_id: null, secret: sealed }
    const inserted = await insertEndpoint(tx, made)
    await once?.record(tx, { status: 201, location: webhookPath(inserted.id) })
    return inserted
  })
  return { row, secret }
}

/** The choices after a change. Throws webhook_url_refused, validation_failed. */
function readSettings(
  { config, secrets }: WebhookContext,
  before: EndpointSettings,
  { headers, ...said }: Static<typeof WebhookPatch>
): EndpointSettings {
  if (said.url !== undefined) checkUrl(said.url, config.webhookAllowedNetworks)
  checkHeaders(headers ?? {})
  const sealed = headers === undefined ? before.headers : sealHeaders(secrets, headers)
  const { url, description, event_types, record_types, format } = { ...before, ...said }
  const { ignore_keys, enabled } = { ...before, ...said }
  const kept = format === before.format ? before.records_per_delivery : undefined
  const records_per_delivery = checkRecords(format, said.records_per_delivery ?? kept)
  const filters = { event_types, record_types, records_per_delivery, ignore_keys }
  return { url, description, format, ...filters, headers: sealed, enabled }
}

/** Changes an endpoint. Enabling it, or another address, makes it begin anew: what waits is sent.
 *  Throws webhook_not_found, webhook_url_refused, unknown_record_type, validation_failed. */
export async function changeEndpoint(
  context: WebhookContext,
  { account_id }: Caller,
  id: number,
  said: Static<typeof WebhookPatch>
): Promise<EndpointRow> {
  return withTransaction(context.pool, async (tx) => {
    const before = orNotFound(await lockEndpoint(tx, account_id, id), id)
    const settings = readSettings(context, before, said)
    const { record_types = [], ignore_keys = [] } = said
    await checkNames(tx, account_id, { record_types, ignore_keys })
    const isFresh = (settings.enabled && !before.enabled) || settings.url !== before.url
    await updateEndpoint(tx, account_id, id, { ...settings, isFresh })
    if (isFresh) {
      await renewWaiting(tx, account_id, id)
      await wakeSenders(tx)
    }
    return orNotFound(await getEndpoint(tx, account_id, id), id)
  })
}

/** The endpoint. Throws webhook_not_found. */
export async function requireEndpoint(db: Pool | Tx, account_id: number, id: number) {
  return orNotFound(await getEndpoint(db, account_id, id), id)
}

/** Deletes an endpoint with what waits for it. Throws webhook_not_found. */
export async function removeEndpoint({ pool }: WebhookContext, { account_id }: Caller, id: number) {
  await withTransaction(pool, async (tx) => {
    if (!(await deleteEndpoint(tx, account_id, id))) throw appError('webhook_not_found', { id })
  })
}

/** Gives an endpoint a new secret. Out: the secret, for the only time, and until when the one before
 *  is signed with as well. Throws webhook_not_found. */
export async function rotateSecret(
  { pool, secrets }: WebhookContext,
  { account_id }: Caller,
  id: number,
  once: Once | null
): Promise<{ secret: string; old_secret_until: string }> {
  const secret = makeWebhookSecret()
  const sealed = secrets.seal(secret)
  return withTransaction(pool, async (tx) => {
    const until = await replaceSecret(tx, account_id, id, { secret: sealed, hours: overlapHours })
    if (until === null) throw appError('webhook_not_found', { id })
    await once?.record(tx, { status: 200, location: webhookPath(id) })
    return { secret, old_secret_until: until.toISOString() }
  })
}

/** Sends the event `webhook.test` to an endpoint, whatever its filters. Out: the event's id. Throws
 *  webhook_not_found, webhook_disabled. */
export async function sendTest(
  { pool }: WebhookContext,
  { account_id, key_id }: Caller,
  id: number,
  once: Once | null
): Promise<string> {
  return withTransaction(pool, async (tx) => {
    const row = orNotFound(await lockEndpoint(tx, account_id, id), id)
    if (!row.enabled) throw appError('webhook_disabled', { id })
    const event_id = await writeTestEvent(tx, row, key_id)
    await once?.record(tx, { status: 202, location: `${webhookPath(id)}/deliveries` })
    return shownEventId(event_id)
  })
}

function orNotFound(row: EndpointRow | null, id: number): EndpointRow {
  if (!row) throw appError('webhook_not_found', { id })
  return row
}
