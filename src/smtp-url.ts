// The mail server as one address in the configuration. Pure. Used by config.ts.

import { createSecretKey, type KeyObject } from 'node:crypto'

/** The mail server that mails are handed to. */
export interface SmtpServer {
  host: string
  port: number
  /** implicit: encrypted from the first byte; required: STARTTLS or no mail; optional: STARTTLS
   *  where the server has it; off: never. */
  tls: 'implicit' | 'required' | 'optional' | 'off'
  /** null: no password is asked for. Its password is in an object that no log prints. */
  login: { user: string; password: KeyObject } | null
}

const smtpTls = ['required', 'optional', 'off'] as const
const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host)

/** Reads `smtp(s)://user:password@host:port?tls=required`. Throws an Error that repeats nothing of it:
 *  where it is wrong, the password may be in any part. */
export function parseSmtpUrl(text: string): SmtpServer {
  const wrong = (reason: string) => new Error(`MUSTER_SMTP_URL is not usable: ${reason}.`)
  const form = 'smtp://user:password@host:port or smtps://user:password@host:port'
  const url = URL.parse(text)
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '') {
    throw wrong(`it does not have the form ${form}`)
  }
  if (!/^\/?$/.test(url.pathname) || url.hash !== '') {
    throw wrong('something follows the port; write / ? # in a password as %2F %3F %23')
  }
  const login = readSmtpLogin(url)
  if (login === undefined) throw wrong('user and password go together, and % is written as %25')
  const isImplicit = url.protocol === 'smtps:'
  const { tls: said, ...others } = Object.fromEntries(url.searchParams)
  const asked = smtpTls.find((one) => one === said)
  if (Object.keys(others).length > 0 || (said !== undefined && (!asked || isImplicit))) {
    throw wrong(`only ?tls= may follow, after smtp:// and as one of ${smtpTls.join(', ')}`)
  }
  // Who stands in between can hide that the server has STARTTLS: then a password must not go out.
  const byDefault = login && !isLoopback(url.hostname) ? 'required' : 'optional'
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (isImplicit ? 465 : 587)),
    tls: isImplicit ? 'implicit' : (asked ?? byDefault),
    login
  }
}

/** undefined: not readable. */
function readSmtpLogin(url: URL): SmtpServer['login'] | undefined {
  if (url.username === '' && url.password === '') return null
  if (url.username === '' || url.password === '') return undefined
  try {
    const password = createSecretKey(Buffer.from(decodeURIComponent(url.password)))
    return { user: decodeURIComponent(url.username), password }
  } catch {
    return undefined
  }
}

/** The server in the form that `MUSTER_SMTP_URL` has. */
export function smtpUrlText({ host, port, tls, login }: SmtpServer): string {
  const [user, password] = [login?.user ?? '', login?.password.export().toString() ?? '']
  const who = login && `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
  const place = `${who ?? ''}${host.includes(':') ? `[${host}]` : host}:${port}`
  return tls === 'implicit' ? `smtps://${place}` : `smtp://${place}?tls=${tls}`
}
