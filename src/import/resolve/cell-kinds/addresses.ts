// Addresses of cells: e-mail, web, host, IP and MAC. Pure. In: a trimmed text. Out: the normal form,
// or undefined. Called by cell-kinds.ts. Every pattern is linear: no text can make it slow.

import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { domainToASCII } from 'node:url'

const emailPattern =
  /^[^\s@"<>(),:;[\]\\]{1,64}@[a-z0-9\u00a1-\uffff-]+(?:\.[a-z0-9\u00a1-\uffff-]+)+$/i
const urlPattern = /^https?:\/\/\S+$/i
const hostPattern = /^(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+$/
const nonAscii = /[^ -~]/
const colonMac = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i
const otherMac =
  /^(?:(?:[0-9a-f]{2}-){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12})$/i

/** The part before the @ stays as typed, some servers tell its case apart; the domain is folded. */
export function readEmail(text: string): string | undefined {
  if (text.length > 254 || !emailPattern.test(text)) return undefined
  const domain = text.slice(text.indexOf('@') + 1)
  const folded = domain.toLowerCase()
  return folded === domain ? text : text.slice(0, -domain.length) + folded
}

/** http and https only, as typed. */
export function readUrl(text: string): string | undefined {
  return urlPattern.test(text) && URL.canParse(text) ? text : undefined
}

/** Host names lose scheme, port, path, `www.` and dots at either end, and are lower-case; other
 *  alphabets become punycode. `*.` in front stays: certificates have it. */
export function readHost(text: string): string | undefined {
  let host = text.toLowerCase()
  const scheme = host.indexOf('://')
  if (scheme >= 0) host = host.slice(scheme + 3)
  const end = host.search(/[/?#:]/)
  if (end >= 0) host = host.slice(0, end)
  if (host.startsWith('.')) host = host.slice(1)
  if (host.startsWith('www.')) host = host.slice(4)
  if (host.endsWith('.')) host = host.slice(0, -1)
  if (host.length > 253) return undefined
  if (nonAscii.test(host)) host = domainToASCII(host)
  return host.length <= 253 && hostPattern.test(host) ? host : undefined
}

/** One address of version 4 or 6, the latter in its shortest form; no port, network or zone. */
export function readIp(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text) || text.includes('%')) return undefined
  return new SocketAddress({ address: text, family: 'ipv6' }).address
}

/** One address: 12 hexadecimal digits in pairs or fours, kept as `00:1A:2B:3C:4D:5E`. */
export function readMac(text: string): string | undefined {
  if (colonMac.test(text)) return text.toUpperCase()
  if (!otherMac.test(text)) return undefined
  const digits = text.replace(/[-.]/g, '').toUpperCase()
  let mac = digits.slice(0, 2)
  for (let at = 2; at < 12; at += 2) mac += `:${digits.slice(at, at + 2)}`
  return mac
}
