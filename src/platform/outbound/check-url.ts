// What can be said of a URL before anything is sent to it: form, port, and host as far as it is an
// address or a name of this machine or its network. Called when a URL is saved, and again by
// whoever sends. Where a name leads is only known when connecting (guarded-connector.ts).

import { isIP } from 'node:net'
import { isReachable, isWebPort, type Network } from './addresses.ts'

const maxCharacters = 2_000

// Names that resolve to this machine or inside of its network only.
const localNames = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home\.arpa)$/

/** What is wrong with a URL as a target of requests, as a sentence; null: nothing. `allowed`: ranges
 *  that may be reached although they are not public; where there are any, host names of the own
 *  network are taken too, and judged when they have been resolved. */
export function urlFault(text: string, allowed: readonly Network[]): string | null {
  if (text.length > maxCharacters) return `The URL has more than ${maxCharacters} characters.`
  // Others are cut off or taken away when it is read: what is shown would not be what is used.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    return 'The URL has blanks or characters that must be percent-encoded (hosts: xn--...).'
  }
  if (!/^https?:\/\/[^/\\]/i.test(text) || !URL.canParse(text)) {
    return 'Write the URL like https://host.example/path; only http and https are known.'
  }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    return 'The URL holds a user name or password. Send such things in a header.'
  }
  if (!isWebPort(portOf(url))) {
    return `Port ${portOf(url)} is not for webhooks: use 80, 443 or one from 1024.`
  }
  return hostFault(hostOf(url), allowed)
}

/** The host of a URL as the connection is made to it: an address without brackets, or a name. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

/** The port of a URL, the usual one of its protocol where it names none. */
export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80))
}

function hostFault(host: string, allowed: readonly Network[]): string | null {
  if (isIP(host) > 0) {
    return isReachable(host, allowed) ? null : `${host} is not a public address.`
  }
  const name = host.replace(/\.+$/, '').toLowerCase()
  const isLocal = !name.includes('.') || localNames.test(name)
  return isLocal && allowed.length === 0 ? `${host} is not the name of a public host.` : null
}
