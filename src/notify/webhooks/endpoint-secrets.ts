// What of an endpoint is stored encrypted, its secrets and headers, opened again to send.

import type { Secrets } from '../../platform/secrets.ts'

/** How long deliveries are signed with the secret before as well. */
export const overlapHours = 24

/** What is stored of an endpoint's secrets. */
export interface SealedSecrets {
  secret: string
  old_secret: string | null
  old_secret_until: Date | null
}

/** The secrets that a delivery is signed with now, the current one first. Throws secret_key_missing,
 *  secret_unreadable. */
export function openEndpointSecrets(
  secrets: Secrets,
  sealed: SealedSecrets,
  now: Date
): [string, ...string[]] {
  const { secret, old_secret, old_secret_until } = sealed
  const isOldValid = old_secret !== null && old_secret_until !== null && old_secret_until > now
  const current = secrets.open(secret)
  return isOldValid ? [current, secrets.open(old_secret)] : [current]
}

/** Headers as they are stored. */
export function sealHeaders(secrets: Secrets, headers: Record<string, string>): string | null {
  return Object.keys(headers).length === 0 ? null : secrets.seal(JSON.stringify(headers))
}

/** Headers as they are sent. Throws as above. */
export function openHeaders(secrets: Secrets, sealed: string | null): Record<string, string> {
  return sealed === null ? {} : JSON.parse(secrets.open(sealed))
}
