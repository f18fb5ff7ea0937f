// What happens when Muster itself disables an endpoint: somebody has to hear of it, and not by that
// endpoint. Called in the transaction that disables it.

import type { Tx } from '../../platform/db.ts'
import { noticeByMail } from '../mail/notice.ts'
import { type Lane, writeDisabledEvent } from './store.ts'

const reasons = {
  gone: 'It answered 410 (gone).',
  failing: 'Nothing could be delivered for five days.'
}

/** Tells that an endpoint was disabled: the event `webhook.disabled`, and a mail to the account. */
export async function noticeDisabled(
  tx: Tx,
  endpoint: Pick<Lane, 'account_id' | 'endpoint_id'>,
  reason: 'gone' | 'failing'
): Promise<void> {
  const url = await writeDisabledEvent(tx, endpoint, reason)
  if (url === null) return
  const { account_id, endpoint_id } = endpoint
  await noticeByMail(tx, account_id, {
    subject: `Webhook ${endpoint_id} was disabled`,
    text: [
      `Muster sends nothing to ${url} any more. ${reasons[reason]}`,
      `Its last attempts are in GET /webhooks/${endpoint_id}/deliveries. What waits for it is kept.`,
      `Once it is mended, send PATCH /webhooks/${endpoint_id} with {"enabled": true}.`
    ].join('\n\n')
  })
}
