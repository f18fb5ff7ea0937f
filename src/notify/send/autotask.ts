// The envelope that receivers of Autotask webhooks parse, with its hook signature:
// `sha1=` and base64(HMAC-SHA1(body, secret)). Source: domain rules 7.1.

import { createHash, createHmac } from 'node:crypto'
import { autotaskNames } from './crosswalk.ts'
import type { Delivery, MakeEnvelope } from './delivery.ts'
import { type Subject, subjectOf } from './psa-subject.ts'
import { firstThatFits } from './standard.ts'

const actions = { added: 'Create', updated: 'Update', deleted: 'Delete' }

/** Builds body and signature. The secret is the endpoint's, `whsec_` included. */
export const autotaskEnvelope: MakeEnvelope = (delivery) => {
  const subject = subjectOf(delivery, autotaskNames)
  const body = firstThatFits([
    () => bodyOf(delivery, subject, subject.fields),
    () => bodyOf(delivery, subject, subject.identity)
  ])
  const signature = createHmac('sha1', delivery.endpoint.secrets[0]).update(body).digest('base64')
  return { headers: { 'x-hook-signature': `sha1=${signature}` }, body }
}

function bodyOf(delivery: Delivery, subject: Subject, fields: Record<string, unknown>): string {
  const { event, sequence, endpoint } = delivery
  const { id: _, ...others } = fields
  return JSON.stringify({
    Action: actions[subject.verb],
    Guid: endpointGuid(event.account_id, endpoint.id),
    EntityType: subject.kind,
    Id: subject.id,
    Fields: others,
    EventTime: event.timestamp,
    SequenceNumber: sequence,
    PersonId: subject.actor?.id ?? null
  })
}

/** A UUID (version 8) that stands for an endpoint: the same in all of its deliveries, so receivers
 *  can tell by it which of their webhooks has been called. */
function endpointGuid(accountId: number, endpointId: number): string {
  const hash = createHash('sha256')
    .update(`muster endpoint ${accountId} ${endpointId}`)
    .digest('hex')
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 3) | 8).toString(16)
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`]
  return [...parts, `${variant}${hash.slice(17, 20)}`, hash.slice(20, 32)].join('-')
}
