// The request guard: no route but the public ones is reached without a valid API key.
// In: the Authorization header. Out: `request.account`, or unauthorized (401).
// Registered once by app.ts, at the root, so that a new route is guarded unless listed here.

import { appError } from '../errors.ts'
import type { Pool } from '../platform/db.ts'
import type { App } from '../platform/http.ts'
import { hashKey, keyOfHeader } from './keys.ts'
import { type Account, findAccountByKeyHash } from './store.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking. Set on every guarded route. */
    account: Account
  }
}

const publicPaths = new Set(['/healthz', '/readyz', '/openapi.json'])

/** Whether a route (its pattern) may be used without a key. */
export function isPublic(route: string): boolean {
  return publicPaths.has(route) || route === '/docs' || route.startsWith('/docs/')
}

/** Adds the guard to every route of the app. */
export function registerGuard(app: App, pool: Pool): void {
  const find = cached((hash) => findAccountByKeyHash(pool, hash))
  // Replaced by the hook before any handler runs; a getter would cost more for nothing.
  app.decorateRequest('account', null as unknown as Account)
  app.addHook('onRequest', async (request, reply) => {
    const route = request.routeOptions.url
    // No route: answered 404 or 405, nothing to guard.
    if (route === undefined || isPublic(route)) return
    const key = keyOfHeader(request.headers.authorization)
    const account = key === null ? null : await find(hashKey(key))
    if (!account) throw appError('unauthorized')
    request.account = account
    // What an account may see is nobody else's, also not a shared cache's.
    reply.header('cache-control', 'no-store')
  })
}

// Polling clients ask many times a second; a revoked key stops working within this time.
const cacheMs = 2_000
const maxCached = 1_000

/** Remembers found accounts for a short while. What was not found is asked for again each time. */
function cached(find: (hash: Buffer) => Promise<Account | null>) {
  const known = new Map<string, { account: Account; until: number }>()
  return async (hash: Buffer): Promise<Account | null> => {
    const name = hash.toString('base64')
    const hit = known.get(name)
    if (hit && hit.until > performance.now()) return hit.account
    known.delete(name)
    const account = await find(hash)
    if (account) {
      if (known.size >= maxCached) known.clear()
      known.set(name, { account, until: performance.now() + cacheMs })
    }
    return account
  }
}
