// Which addresses a request that somebody else chose the target of may go to. In: an address as
// text. Out: yes or no. Asked when a URL is saved (check-url.ts) and for every connection
// (guarded-connector.ts). Source: the special-purpose registries of IANA.

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
/** A range of addresses: its first one and the bits that all of them share. */
export type Network = [Address, number]

// Unicast addresses that are not for everybody all the same: the host's own agent at Azure.
const blockedV4 = parseNetworks(['168.63.129.16/32'])
const globalV6 = parseNetworks(['2000::/3'])
// Inside of it: protocol assignments with Teredo, documentation, 6to4, documentation, AS112.
const blockedV6 = parseNetworks([
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '2620:4f:8000::/48'
])
const nat64 = parseNetworks(['64:ff9b::/96'])

/** Reads ranges such as `10.0.0.0/8` or `fd00::/8`. Throws an Error that names one that is none. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.map((text) => {
    const [address = '', prefix = ''] = text.split('/')
    // ipaddr.js alone takes 10/8 for 0.0.0.10/8.
    const known = isIP(address) > 0 && /^\d{1,3}$/.test(prefix) && ipaddr.isValidCIDR(text)
    if (!known) throw new Error(`"${text}" is not a range of addresses like 10.0.0.0/8.`)
    return ipaddr.parseCIDR(text)
  })
}

/** Whether requests may go to an address (without brackets): it is public, or in a range that the
 *  configuration allows. An IPv6 address that stands for an IPv4 one is judged as that one. */
export function isReachable(text: string, allowed: readonly Network[]): boolean {
  if (isIP(text) === 0 || text.includes('%')) return false
  // IPv4-compatible addresses are nobody's; ipaddr.js takes them for IPv4-mapped ones.
  if (/^::\d+\./.test(text)) return false
  const address = embeddedAddress(ipaddr.parse(text))
  return isIn(address, allowed) || isPublic(address)
}

/** Ports on which webhooks are received: those of the web, and those anybody may listen on. The
 *  others are for mail, remote shells and the like. */
export function isWebPort(port: number): boolean {
  return port === 80 || port === 443 || port >= 1024
}

/** The IPv4 address inside of an IPv4-mapped or NAT64 one; any other as it is. */
function embeddedAddress(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6)) return address
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  if (!isIn(address, nat64)) return address
  return ipaddr.fromByteArray(address.toByteArray().slice(12))
}

function isPublic(address: Address): boolean {
  if (address instanceof ipaddr.IPv4) {
    return address.range() === 'unicast' && !isIn(address, blockedV4)
  }
  return isIn(address, globalV6) && !isIn(address, blockedV6)
}

function isIn(address: Address, networks: readonly Network[]): boolean {
  return networks.some(([first, bits]) => {
    if (address instanceof ipaddr.IPv4) {
      return first instanceof ipaddr.IPv4 && address.match(first, bits)
    }
    return first instanceof ipaddr.IPv6 && address.match(first, bits)
  })
}
