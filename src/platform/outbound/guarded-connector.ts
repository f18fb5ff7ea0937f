// Connections that go nowhere but to addresses that may be reached: undici's connector, with every
// literal host, every resolved address, the port and the far end of the socket checked. The address
// that was checked is the one connected to, so a name that changes in between gains nothing.
// Used by whoever sends to a URL that came from outside.

import { lookup as systemLookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import { isReachable, isWebPort, type Network } from './addresses.ts'

/** No connection was made: its target may not be reached. `message` is for people. */
export class BlockedTargetError extends Error {
  readonly code = 'TARGET_BLOCKED'

  constructor(message: string) {
    super(message)
    this.name = 'BlockedTargetError'
  }
}

export interface ConnectSettings {
  /** Ranges that may be reached although they are not public. */
  allowed: readonly Network[]
  /** For a connection to be made, TLS included. */
  timeoutMs: number
  /** Finds the addresses of a name; absent: DNS. */
  resolve?: (host: string) => Promise<string[]>
  /** Certificates that are trusted instead of the usual ones. */
  ca?: string
}

/** Builds a connector for undici's `connect` option. It fails with BlockedTargetError. */
export function guardedConnector(settings: ConnectSettings): buildConnector.connector {
  const { allowed, timeoutMs, resolve = resolveHost, ca } = settings
  const connect = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    lookup: guardedLookup(resolve, allowed),
    ...(ca !== undefined && { ca })
  })
  return (options, callback) => {
    const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80))
    const host = options.hostname
    const blocked =
      !isWebPort(port) || (isIP(host) > 0 && !isReachable(host, allowed))
        ? new BlockedTargetError(`${host}, port ${port}, may not be reached from here.`)
        : null
    if (blocked) return callback(blocked, null)
    connect(options, (error, socket) => {
      if (error) return callback(error, null)
      const fault = farEndFault(socket, allowed)
      if (fault === null) return callback(null, socket)
      socket.destroy()
      callback(fault, null)
    })
  }
}

/** A `lookup` that answers with reachable addresses only, and fails where there are none. Which
 *  ones a name led to is not told: it would show who asks what the own network looks like. */
function guardedLookup(
  resolve: (host: string) => Promise<string[]>,
  allowed: readonly Network[]
): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (addresses) => {
        const found = addresses
          .filter((address) => isReachable(address, allowed))
          .map((address) => ({ address, family: isIP(address) }))
        const [first] = found
        if (!first) {
          callback(new BlockedTargetError(`${host} does not lead to a public address.`), '', 0)
        } else if (options.all) callback(null, found)
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0)
    )
  }
}

/** The last check, whatever came before: where the socket really ends. */
function farEndFault(socket: Socket, allowed: readonly Network[]): Error | null {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) {
    return Object.assign(new Error('The connection was closed.'), { code: 'ECONNRESET' })
  }
  if (isReachable(remoteAddress, allowed)) return null
  return new BlockedTargetError('The connection went to an address that may not be reached.')
}

/** The addresses of a name, IPv4 first. The resolver of the system has four threads for the whole
 *  process: a few names whose DNS is dead would hold up everything. So it is asked only for what it
 *  alone knows (names of this machine, /etc/hosts, search domains), all else without it. */
async function resolveHost(host: string): Promise<string[]> {
  if (!host.includes('.') || host.endsWith('.localhost')) return resolveBySystem(host)
  const resolver = new Resolver({ timeout: 3_000, tries: 2 })
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const addresses = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  if (addresses.length > 0) return addresses
  const reasons = answers.map((one) => (one.status === 'rejected' ? one.reason : null))
  const timeout = reasons.find((reason) => reason?.code === 'ETIMEOUT')
  if (timeout) throw timeout
  return resolveBySystem(host)
}

function resolveBySystem(host: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, found) => {
      if (error) reject(error)
      else resolve(found.map(({ address }) => address))
    })
  })
}
