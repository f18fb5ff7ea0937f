// What callers say of an endpoint, checked: its address, its headers, the types and keys it names.
// Throws errors for people. Called by change-endpoints.ts, and for callbacks of imports.

import { appError } from '../../errors.ts'
import type { Db } from '../../platform/db.ts'
import type { Fault } from '../../platform/http-schemas.ts'
import { parseNetworks } from '../../platform/outbound/addresses.ts'
import { urlFault } from '../../platform/outbound/check-url.ts'
import { shownNames } from '../../record-types/registry.ts'
import { loadTypes } from '../../record-types/store.ts'
import { headerFaults } from '../send/custom-headers.ts'
import { type Envelope, isOneRecordEach } from '../send/envelopes.ts'
import type { EndpointSettings } from './store.ts'
import { findUnknownKeys } from './store.ts'

/** Throws webhook_url_refused for an address that nothing is ever sent to. */
export function checkUrl(url: string, allowedNetworks: string[]): void {
  const fault = urlFault(url, parseNetworks(allowedNetworks))
  if (fault !== null) throw appError('webhook_url_refused', { reason: fault })
}

/** Throws validation_failed for headers that cannot be sent. */
export function checkHeaders(headers: Record<string, string>): void {
  throwFaults(headerFaults(headers).map((message) => ({ path: 'body/headers', message })))
}

/** How many records fit into a delivery of the format. Throws validation_failed when more are asked
 *  for. */
export function checkRecords(format: Envelope, asked: number | undefined): number {
  const most = isOneRecordEach(format) ? 1 : 100
  if (asked === undefined || asked <= most) return asked ?? most
  const message = `must be 1: the format ${format} holds one record`
  throwFaults([{ path: 'body/records_per_delivery', message }])
  return most
}

/** Throws unknown_record_type, validation_failed. */
export async function checkNames(
  db: Db,
  account_id: number,
  { record_types, ignore_keys }: Pick<EndpointSettings, 'record_types' | 'ignore_keys'>
): Promise<void> {
  if (record_types.length > 0) {
    const types = await loadTypes(db, account_id)
    const unknown = record_types.find((name) => !types.get(name))
    if (unknown !== undefined) {
      throw appError('unknown_record_type', { type: unknown, known: shownNames(types) })
    }
  }
  const keys = await findUnknownKeys(db, account_id, ignore_keys)
  throwFaults(keys.map((id) => ({ path: 'body/ignore_keys', message: `${id} is no API key` })))
}

/** Throws validation_failed with all of them, if there are any. */
function throwFaults(faults: Fault[]): void {
  if (faults.length === 0) return
  const texts = faults.map(({ path, message }) => `${path}: ${message.replace(/\.$/, '')}`)
  const reason = `${texts.join('; ')}.`
  throw appError('validation_failed', { reason }, { details: faults })
}
