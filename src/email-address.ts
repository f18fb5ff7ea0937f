// E-mail addresses that mail is sent to or from. Pure. Used by the configuration, the option
// notify_emails and the notification settings. (What a cell may hold is wider: see import/resolve.)

import { domainToASCII } from 'node:url'

// Only what every mail server takes. No quotes, blanks or signs that separate addresses: a text that
// passes is one address and nothing else, wherever it is put. Linear: no text can make it slow.
const local = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
// Asked before domainToASCII, which drops line ends and cuts at a slash.
const anyDomain = /^[\p{L}\p{M}\p{N}.-]+$/u
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** The most addresses that one import, or one account, may name. */
export const maxAddresses = 20

/** The address as it is used: blanks around it are gone, the domain is in small ASCII letters (other
 *  alphabets become punycode). Out: null when it is none. */
export function readAddress(text: string): string | null {
  const trimmed = text.trim()
  const at = trimmed.lastIndexOf('@')
  const name = trimmed.slice(0, Math.max(0, at))
  const typed = trimmed.slice(at + 1)
  if (trimmed.length > 254 || name.length > 64) return null
  if (!local.test(name) || !anyDomain.test(typed)) return null
  const domain = domainToASCII(typed)
  const labels = domain.split('.')
  const isDomain = labels.length > 1 && labels.every((one) => label.test(one))
  const address = `${name}@${domain}`
  return isDomain && !/^\d+$/.test(labels.at(-1) ?? '') && address.length <= 254 ? address : null
}

/** All addresses, each once whatever its case, in their order; and the texts that are none. */
export function readAddresses(texts: string[]): { addresses: string[]; wrong: string[] } {
  const found = new Map<string, string>()
  const wrong: string[] = []
  for (const text of texts) {
    const address = readAddress(text)
    if (address === null) wrong.push(text)
    else if (!found.has(address.toLowerCase())) found.set(address.toLowerCase(), address)
  }
  return { addresses: [...found.values()], wrong }
}

/** Whom mail is from: an address with a name for people, which may be blank. */
export interface Mailbox {
  name: string
  address: string
}

/** `Name <address>` or an address alone. Out: null when it is neither. */
export function readMailbox(text: string): Mailbox | null {
  const [, name = '', inside] = /^([^<>]*)<([^<>]*)>$/.exec(text.trim()) ?? []
  const address = readAddress(inside ?? text)
  const bare = name.trim().replace(/^"(.*)"$/, '$1')
  return address === null || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"\\]/u.test(bare)
    ? null
    : { name: bare, address }
}

/** The mailbox in the form that `readMailbox` reads. */
export const mailboxText = ({ name, address }: Mailbox): string => `${name} <${address}>`
