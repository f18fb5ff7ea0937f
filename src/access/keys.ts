// API keys as text: how one is made and how it is recognised. Pure.
// Only the hash is stored; a key is shown once, when it is made.

import { createHash, randomBytes } from 'node:crypto'

const keyPattern = /^mk_[A-Za-z0-9_-]{43}$/

/** A new key: `mk_` and 32 random bytes in base64url. */
export function newKey(): string {
  return `mk_${randomBytes(32).toString('base64url')}`
}

/** SHA-256 of a key, 32 bytes. Keys are 256 random bits, so a slow hash would add nothing; looking
 *  up by hash also leaks nothing by time: no two keys are ever compared byte by byte. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** The key of an Authorization header (`Bearer mk_...`), or null when there is none of our form. */
export function keyOfHeader(header: string | undefined): string | null {
  const [scheme, key, ...rest] = (header ?? '').trim().split(/ +/)
  if (scheme?.toLowerCase() !== 'bearer' || key === undefined || rest.length > 0) return null
  return keyPattern.test(key) ? key : null
}
