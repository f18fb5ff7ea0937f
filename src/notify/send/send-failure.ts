// Why an attempt got no answer, in words for the owner of the endpoint. Pure: error in, sentence
// out. It names no address that a host name led to.

import { BlockedTargetError } from '../../platform/outbound/guarded-connector.ts'

const sentences: Record<string, string> = {
  ECONNREFUSED: 'The connection was refused.',
  ECONNRESET: 'The connection was closed before there was an answer.',
  EPIPE: 'The connection was closed before there was an answer.',
  UND_ERR_SOCKET: 'The connection was closed before there was an answer.',
  ENOTFOUND: 'The host name is not known.',
  ENODATA: 'The host name has no address.',
  EAI_AGAIN: 'The host name could not be looked up.',
  ETIMEOUT: 'The host name could not be looked up in time.',
  EHOSTUNREACH: 'The host cannot be reached.',
  ENETUNREACH: 'The network of the host cannot be reached.',
  ETIMEDOUT: 'The host does not answer.',
  UND_ERR_HEADERS_OVERFLOW: 'The headers of the answer are too large.'
}

/** Says what went wrong. `timeoutMs`: what the attempt was given. */
export function describeFailure(error: unknown, timeoutMs: number): string {
  if (error instanceof BlockedTargetError) return error.message
  const { name = '', code, message = '' } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return `There was no answer within ${timeoutMs / 1_000} s.`
  }
  const known = typeof code === 'string' ? sentences[code] : undefined
  if (known !== undefined) return `${known} (${code})`
  if (typeof code === 'string' && /CERT|TLS|SSL|SELF_SIGNED|ISSUER|EPROTO/.test(code)) {
    return `The TLS connection failed: ${firstLine(message)} (${code})`
  }
  if (name === 'HTTPParserError') return 'The answer is not HTTP.'
  return `${firstLine(message)}${typeof code === 'string' ? ` (${code})` : ''}`
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').slice(0, 300)
}
