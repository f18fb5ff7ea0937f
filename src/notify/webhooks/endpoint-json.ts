// A row of `webhook_endpoints` -> the endpoint as the API shows it: never its secret, of its headers
// only the names.

import type { Static } from 'typebox'
import { AppError } from '../../errors.ts'
import type { Secrets } from '../../platform/secrets.ts'
import { openHeaders } from './endpoint-secrets.ts'
import type { WebhookSchema } from './schemas.ts'
import type { EndpointRow } from './store.ts'

/** The endpoint as JSON. */
export function endpointJson(secrets: Secrets, row: EndpointRow): Static<typeof WebhookSchema> {
  const { disabled_reason: reason, disabled_at, old_secret_until } = row
  const isOverlap = old_secret_until !== null && old_secret_until.getTime() > Date.now()
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    event_types: row.event_types,
    record_types: row.record_types,
    format: row.format,
    records_per_delivery: row.records_per_delivery,
    ignore_keys: row.ignore_keys,
    header_names: headerNames(secrets, row.headers),
    enabled: row.enabled,
    disabled: reason && disabled_at ? { reason, at: disabled_at.toISOString() } : null,
    import_id: row.import_id,
    failing_since: row.failing_since?.toISOString() ?? null,
    last_delivered_at: row.delivered_at?.toISOString() ?? null,
    old_secret_until: isOverlap ? old_secret_until.toISOString() : null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString()
  }
}

/** A list of endpoints is shown also when the key of one is missing. */
function headerNames(secrets: Secrets, headers: string | null): string[] {
  try {
    return Object.keys(openHeaders(secrets, headers))
  } catch (error) {
    if (error instanceof AppError) return []
    throw error
  }
}
