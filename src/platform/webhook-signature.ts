// Signatures of webhooks as Standard Webhooks has them: what is sent is signed, what came is
// checked. Pure. Used by whoever sends webhooks and by `muster listen`.
// Source: Standard Webhooks specification, symmetric signatures (v1).

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const prefix = 'whsec_'
const toleranceSeconds = 5 * 60

/** What a signature is over: id of the message, seconds since 1970 of the attempt, body as sent. */
export interface SignedMessage {
  id: string
  timestamp: number
  body: string
}

/** Makes a new secret: `whsec_` and 32 random bytes in base64. */
export function makeWebhookSecret(): string {
  return prefix + randomBytes(32).toString('base64')
}

/** The bytes of a secret; null when the text is not `whsec_` and 24 to 64 bytes in base64. */
export function readWebhookSecret(text: string): Buffer | null {
  const base64 = text.startsWith(prefix) ? text.slice(prefix.length) : ''
  const bytes = Buffer.from(base64, 'base64')
  const isWhole = bytes.toString('base64') === base64
  return isWhole && bytes.length >= 24 && bytes.length <= 64 ? bytes : null
}

/** The value of the header webhook-signature: one signature for each secret. Throws an Error when a
 *  text is no secret. */
export function signWebhook(message: SignedMessage, secrets: readonly string[]): string {
  return secrets.map((secret) => signatureOf(message, secret)).join(' ')
}

/** What is wrong with a message that came, as a sentence; null: it was signed with the secret, and
 *  within five minutes of `now`. `headers`: by name in lower case. */
export function webhookFault(
  headers: Record<string, string | string[] | undefined>,
  body: string,
  secret: string,
  now: Date
): string | null {
  const [id, time, signatures] = ['id', 'timestamp', 'signature'].map((name) => {
    const value = headers[`webhook-${name}`]
    return typeof value === 'string' ? value : ''
  }) as [string, string, string]
  if (id === '' || !/^\d+$/.test(time) || signatures === '') {
    return 'Not signed: webhook-id, webhook-timestamp or webhook-signature is missing.'
  }
  const timestamp = Number(time)
  if (Math.abs(now.getTime() / 1000 - timestamp) > toleranceSeconds) {
    return 'The timestamp is more than five minutes off.'
  }
  const expected = Buffer.from(signatureOf({ id, timestamp, body }, secret))
  const fits = signatures.split(' ').some((one) => {
    const given = Buffer.from(one)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
  return fits ? null : 'No signature fits: another secret, or the body was changed.'
}

function signatureOf({ id, timestamp, body }: SignedMessage, secret: string): string {
  const key = readWebhookSecret(secret)
  if (key === null) throw new Error('A webhook secret is whsec_ and 24 to 64 bytes in base64.')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
