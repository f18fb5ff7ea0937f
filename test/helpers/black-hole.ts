// A TCP proxy in front of a database that can fall silent as a broken network does: bytes are taken
// and never passed on, nothing is closed.

import { connect, createServer, type Socket } from 'node:net'
import type { Teardown } from './cluster.ts'

export interface BlackHole {
  /** Address of the database through the proxy. */
  url: string
  /** From now on nothing passes either way; new connections are accepted and get no answer. */
  freeze(): void
  /** New connections pass again. The server sees the old ones end; who made them sees nothing. */
  thaw(): void
}

/** Starts a proxy to the database at `databaseUrl`; it ends with the test. */
export async function startBlackHole(t: Teardown, databaseUrl: string): Promise<BlackHole> {
  const target = new URL(databaseUrl)
  const pairs = new Set<{ near: Socket; far: Socket }>()
  const silent = new Set<Socket>()
  let isFrozen = false
  const server = createServer((near) => {
    near.on('error', () => {})
    if (isFrozen) return void silent.add(near.resume())
    const far = connect(Number(target.port || 5432), target.hostname)
    const pair = { near, far }
    pairs.add(pair)
    far.on('error', () => near.destroy())
    near.on('data', (bytes) => !silent.has(near) && far.write(bytes))
    far.on('data', (bytes) => !silent.has(near) && near.write(bytes))
    near.on('close', () => {
      pairs.delete(pair)
      if (!silent.has(near)) far.destroy()
    })
    far.on('close', () => !silent.has(near) && near.destroy())
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
  const gone: Socket[] = []
  t.teardown(() => {
    for (const { near, far } of pairs) for (const socket of [near, far]) socket.destroy()
    for (const socket of [...silent, ...gone]) socket.destroy()
    server.close()
  })
  return {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(port) }).href,
    freeze() {
      isFrozen = true
      for (const { near, far } of pairs) {
        silent.add(near)
        gone.push(far)
      }
    },
    thaw() {
      isFrozen = false
      for (const far of gone.splice(0)) far.destroy()
    }
  }
}
