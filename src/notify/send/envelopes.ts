// The request that a delivery is: an event in the shape that the receiver parses, signed. Pure: the
// same delivery and the same moment give the same bytes. Called for each attempt by the handler of
// the queue; the shapes are in standard.ts, connectwise.ts and autotask.ts.

import { signWebhook } from '../../platform/webhook-signature.ts'
import { autotaskEnvelope } from './autotask.ts'
import { connectwiseEnvelope } from './connectwise.ts'
import { withoutReserved } from './custom-headers.ts'
import type { Delivery, MakeEnvelope, SignedRequest } from './delivery.ts'
import { standardEnvelope } from './standard.ts'

export const envelopes = ['standard', 'connectwise', 'autotask'] as const
export type Envelope = (typeof envelopes)[number]

const makers: Record<Envelope, MakeEnvelope> = {
  standard: standardEnvelope,
  connectwise: connectwiseEnvelope,
  autotask: autotaskEnvelope
}

/** Whether each delivery of an envelope is about one record at most. */
export function isOneRecordEach(envelope: Envelope): boolean {
  return envelope !== 'standard'
}

/** Builds headers and body of an attempt. Every envelope has the headers of Standard Webhooks, the
 *  others have the signature of their kind besides. Throws an Error when several records are given
 *  to an envelope that holds one. */
export function buildRequest(envelope: Envelope, delivery: Delivery): SignedRequest {
  const { event, attemptAt, endpoint } = delivery
  const { headers, body } = makers[envelope](delivery)
  const timestamp = Math.floor(attemptAt.getTime() / 1000)
  return {
    body,
    headers: {
      ...withoutReserved(endpoint.headers),
      ...headers,
      'content-type': 'application/json',
      'user-agent': 'Muster',
      'webhook-id': event.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signWebhook({ id: event.id, timestamp, body }, endpoint.secrets)
    }
  }
}
