// What happens when Muster itself disables an endpoint: somebody has to hear of it, and not by that
// endpoint. Called in the transaction that disables it.

import type { Tx } from '../../platform/db.ts'
import { type Lane, writeDisabledEvent } from './store.ts'

/** Tells that an endpoint was disabled: `webhook.disabled`. */
export async function noticeDisabled(
  tx: Tx,
  endpoint: Pick<Lane, 'account_id' | 'endpoint_id'>,
  reason: 'gone' | 'failing'
): Promise<void> {
  await writeDisabledEvent(tx, endpoint, reason)
}
