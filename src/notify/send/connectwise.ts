// The envelope that receivers of ConnectWise PSA callbacks parse, with its content signature:
// base64(HMAC-SHA256(body, SHA-256(signing key))). Source: domain rules 7.1.

import { createHash, createHmac } from 'node:crypto'
import { readWebhookSecret } from '../../platform/webhook-signature.ts'
import { connectwiseNames } from './crosswalk.ts'
import type { Delivery, MakeEnvelope } from './delivery.ts'
import { type Subject, subjectOf } from './psa-subject.ts'
import { firstThatFits } from './standard.ts'

/** Builds body and signature. */
export const connectwiseEnvelope: MakeEnvelope = (delivery) => {
  const subject = subjectOf(delivery, connectwiseNames)
  const body = firstThatFits([
    () => bodyOf(delivery, subject, subject.fields),
    () => bodyOf(delivery, subject, subject.identity)
  ])
  const signingKey = connectwiseSigningKey(delivery.endpoint.secrets[0])
  const key = createHash('sha256').update(signingKey).digest()
  const signature = createHmac('sha256', key).update(body).digest('base64')
  return { headers: { 'x-content-signature': signature }, body }
}

/** The signing key of an endpoint, as receivers get it from `Metadata.key_url`: 64 hexadecimal
 *  digits that are made from its secret and do not tell it. Throws an Error when the text is none. */
export function connectwiseSigningKey(secret: string): string {
  const bytes = readWebhookSecret(secret)
  if (bytes === null) throw new Error('A signing key needs a webhook secret.')
  return createHmac('sha256', bytes).update('connectwise signing key').digest('hex')
}

function bodyOf(delivery: Delivery, subject: Subject, entity: Record<string, unknown>): string {
  const { event, endpoint, publicUrl } = delivery
  return JSON.stringify({
    MessageId: event.id.replace(/^evt_/, ''),
    FromUrl: publicUrl === null ? '' : new URL(publicUrl).host,
    CompanyId: String(event.account_id),
    MemberId: subject.actor?.name ?? '',
    Action: subject.verb,
    Type: subject.kind,
    ID: subject.id,
    ProductInstanceId: null,
    PartnerId: null,
    Entity: JSON.stringify(entity),
    Metadata: { key_url: `${publicUrl ?? ''}/webhooks/${endpoint.id}/signing-key` },
    CallbackObjectRecId: endpoint.id
  })
}
