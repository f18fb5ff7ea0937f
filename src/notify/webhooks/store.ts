// Webhook endpoints in the database. Every statement names the account.

import type { Db, Tx } from '../../platform/db.ts'
import type { Envelope } from '../send/envelopes.ts'
import type { SealedSecrets } from './endpoint-secrets.ts'

/** What callers choose of an endpoint; headers are encrypted. */
export interface EndpointSettings {
  url: string
  description: string
  event_types: string[]
  record_types: string[]
  format: Envelope
  records_per_delivery: number
  ignore_keys: number[]
  headers: string | null
  enabled: boolean
}

/** One row of `webhook_endpoints`. Times are Dates. */
export interface EndpointRow extends EndpointSettings, SealedSecrets {
  account_id: number
  id: number
  disabled_reason: 'gone' | 'failing' | null
  disabled_at: Date | null
  import_id: number | null
  failing_since: Date | null
  delivered_at: Date | null
  created_at: Date
  updated_at: Date
}

const columns = `w.account_id, w.id, w.url, w.description, w.event_types, w.record_types, w.format,
      w.records_per_delivery, w.ignore_keys, w.headers, w.secret, w.old_secret, w.old_secret_until,
      w.enabled, w.disabled_reason, w.disabled_at, w.import_id, w.failing_since, w.delivered_at,
      w.created_at, w.updated_at`

/** Makes those who add endpoints to an account take turns, until the transaction ends. Out: how many
 *  there are, without those of single imports. */
export async function countEndpoints(tx: Tx, account_id: number): Promise<number> {
  await tx.query(
    `/* webhooks.lock_account */
    SELECT pg_advisory_xact_lock(hashtextextended('muster.webhooks ' || $1::integer::text, 0))`,
    [account_id]
  )
  const { rows } = await tx.query<{ count: number }>(
    `/* webhooks.count */
    SELECT count(*)::integer AS count
    FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.import_id IS NULL`,
    [account_id]
  )
  return rows[0]?.count ?? 0
}

export interface NewEndpoint extends EndpointSettings {
  account_id: number
  created_by: number
  import_id: number | null
  /** Encrypted. */
  secret: string
}

/** Adds an endpoint. */
export async function insertEndpoint(tx: Tx, made: NewEndpoint): Promise<EndpointRow> {
  const { rows } = await tx.query<EndpointRow>(
    `/* webhooks.insert */
    INSERT INTO webhook_endpoints AS w (account_id, url, description, event_types, record_types,
      format, records_per_delivery, ignore_keys, headers, enabled, secret, import_id, created_by)
    VALUES ($1::integer, $2::text, $3::text, $4::text[], $5::text[], $6::text, $7::smallint,
      $8::integer[], $9::text, $10::boolean, $11::text, $12::bigint, $13::integer)
    RETURNING ${columns}`,
    [made.account_id, ...valuesOf(made), made.secret, made.import_id, made.created_by]
  )
  const [row] = rows
  if (!row) throw new Error('INSERT returned no endpoint')
  return row
}

/** One endpoint, or null when the account has none with that id. */
export async function getEndpoint(db: Db, account_id: number, id: number) {
  const { rows } = await db.query<EndpointRow>(
    `/* webhooks.get */
    SELECT ${columns}
    FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint`,
    [account_id, id]
  )
  return rows[0] ?? null
}

/** As `getEndpoint`, and holds the row until the transaction ends. */
export async function lockEndpoint(tx: Tx, account_id: number, id: number) {
  const { rows } = await tx.query<EndpointRow>(
    `/* webhooks.lock */
    SELECT ${columns}
    FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint
    FOR UPDATE`,
    [account_id, id]
  )
  return rows[0] ?? null
}

/** Endpoints in the order they were made: those of one import, or (null) all others. */
export async function listEndpoints(
  db: Db,
  account_id: number,
  { import_id, after, limit }: { import_id: number | null; after: number; limit: number }
): Promise<EndpointRow[]> {
  const { rows } = await db.query<EndpointRow>(
    `/* webhooks.list */
    SELECT ${columns}
    FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.import_id IS NOT DISTINCT FROM $2::bigint
      AND w.id > $3::bigint
    ORDER BY w.id
    LIMIT $4::integer`,
    [account_id, import_id, after, limit]
  )
  return rows
}

/** Replaces the choices. An endpoint that is enabled, or moved, begins with a clean slate: what waits
 *  for it is looked at now, and its lane is taken from whoever has it, so that an attempt at what it
 *  was before says nothing of what it is. */
export async function updateEndpoint(
  tx: Tx,
  account_id: number,
  id: number,
  change: EndpointSettings & { isFresh: boolean }
): Promise<void> {
  await tx.query(
    `/* webhooks.update */
    UPDATE webhook_endpoints w
    SET url = $3::text, description = $4::text, event_types = $5::text[], record_types = $6::text[],
      format = $7::text, records_per_delivery = $8::smallint, ignore_keys = $9::integer[],
      headers = $10::text, enabled = $11::boolean, updated_at = now(),
      disabled_reason = CASE WHEN $11::boolean THEN NULL ELSE w.disabled_reason END,
      disabled_at = CASE WHEN $11::boolean THEN NULL ELSE w.disabled_at END,
      failing_since = CASE WHEN $12::boolean THEN NULL ELSE w.failing_since END,
      failed_at = CASE WHEN $12::boolean THEN NULL ELSE w.failed_at END,
      slow = w.slow AND NOT $12::boolean,
      not_before = CASE WHEN $12::boolean THEN NULL ELSE w.not_before END,
      due_at = CASE WHEN $12::boolean THEN now() ELSE w.due_at END,
      lane_token = CASE WHEN $12::boolean THEN NULL ELSE w.lane_token END,
      lane_until = CASE WHEN $12::boolean THEN NULL ELSE w.lane_until END
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint`,
    [account_id, id, ...valuesOf(change), change.isFresh]
  )
}

/** Makes all that waits for an endpoint due, as if nothing of it had been tried: in the order in which
 *  it was made, with a new schedule. */
export async function renewWaiting(tx: Tx, account_id: number, id: number): Promise<void> {
  await tx.query(
    `/* webhooks.renew_waiting */
    UPDATE deliveries d
    SET next_at = d.created_at, attempts_before = d.attempts
    WHERE d.account_id = $1::integer
      AND d.endpoint_id = $2::bigint
      AND d.state = 'pending'
      AND d.attempts > d.attempts_before`,
    [account_id, id]
  )
}

/** Puts a new secret in the place of the current one, which stays valid for a while. Out: until when;
 *  null: there is no such endpoint. */
export async function replaceSecret(
  tx: Tx,
  account_id: number,
  id: number,
  { secret, hours }: { secret: string; hours: number }
): Promise<Date | null> {
  const { rows } = await tx.query<{ old_secret_until: Date }>(
    `/* webhooks.replace_secret */
    UPDATE webhook_endpoints w
    SET old_secret = w.secret, old_secret_until = now() + make_interval(hours => $4::integer),
      secret = $3::text, updated_at = now()
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint
    RETURNING w.old_secret_until`,
    [account_id, id, secret, hours]
  )
  return rows[0]?.old_secret_until ?? null
}

/** Deletes an endpoint and what waits for it; what was sent stays until retention takes it. Out:
 *  whether there was one. */
export async function deleteEndpoint(tx: Tx, account_id: number, id: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `/* webhooks.delete */
    DELETE FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.id = $2::bigint`,
    [account_id, id]
  )
  await tx.query(
    `/* webhooks.delete_pending */
    DELETE FROM deliveries d
    WHERE d.account_id = $1::integer
      AND d.endpoint_id = $2::bigint
      AND d.state = 'pending'`,
    [account_id, id]
  )
  return rowCount === 1
}

/** Writes the event of a test, for that endpoint alone. Out: the event's id. */
export async function writeTestEvent(
  tx: Tx,
  endpoint: Pick<EndpointRow, 'account_id' | 'id' | 'description' | 'import_id'>,
  key_id: number
): Promise<string> {
  const { account_id, id, description, import_id } = endpoint
  const { rows } = await tx.query<{ id: string }>(
    `/* webhooks.write_test */
    SELECT write_event($1::integer, 'webhook.test', $2::jsonb, by_key => $3::integer,
      to_endpoint => $4::bigint, of_import => $5::bigint) AS id`,
    [account_id, JSON.stringify({ webhook: { id, description } }), key_id, id, import_id]
  )
  const [row] = rows
  if (!row) throw new Error('write_event returned no id')
  return row.id
}

/** Which of the ids are no API keys of the account. */
export async function findUnknownKeys(db: Db, account_id: number, ids: number[]) {
  const { rows } = await db.query<{ id: number }>(
    `/* webhooks.find_unknown_keys */
    SELECT u.id
    FROM unnest($2::integer[]) AS u (id)
    WHERE NOT EXISTS (
      SELECT 1
      FROM api_keys k
      WHERE k.account_id = $1::integer
        AND k.id = u.id
    )`,
    [account_id, ids]
  )
  return rows.map(({ id }) => id)
}

/** Tells those who send that something may be due, when the transaction is committed. */
export async function wakeSenders(tx: Tx): Promise<void> {
  await tx.query(`/* webhooks.wake_senders */ SELECT pg_notify('muster_events', 'deliveries')`)
}

function valuesOf(made: EndpointSettings): unknown[] {
  return [
    made.url,
    made.description,
    made.event_types,
    made.record_types,
    made.format,
    made.records_per_delivery,
    made.ignore_keys,
    made.headers,
    made.enabled
  ]
}
