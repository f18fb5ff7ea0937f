// Reading a message as it came over the wire: headers and parts, decoded.

/** A message as a mail server gets it; every character is one byte. */
export interface RawMessage {
  raw: string
}

/** The header of a message as lines by small name; folded lines are put together. */
export function headersOf({ raw }: RawMessage): Map<string, string[]> {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  const found = new Map<string, string[]>()
  for (const line of head.split('\r\n')) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).toLowerCase()
    found.set(name, [...(found.get(name) ?? []), line.slice(at + 1).trim()])
  }
  return found
}

/** One header, with its encoded words (RFC 2047) decoded. */
export function headerOf(message: RawMessage, name: string): string {
  const [value = ''] = headersOf(message).get(name) ?? []
  return value
    .replace(/(\?=)\s+(=\?)/g, '$1$2')
    .replace(/(?:=\?utf-8\?[qb]\?[^?]*\?=)+/gi, (words) =>
      Buffer.concat(
        [...words.matchAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi)].map(([, form = '', text = '']) =>
          form.toLowerCase() === 'b'
            ? Buffer.from(text, 'base64')
            : quotedPrintable(text.replaceAll('_', '=20'))
        )
      ).toString()
    )
}

/** The decoded part of that type, with plain line ends. */
export function partOf({ raw }: RawMessage, type: string): string {
  for (const part of raw.split(/\r\n--[^\r\n]+\r\n/)) {
    const headers = headersOf({ raw: part })
    if (!headers.get('content-type')?.[0]?.startsWith(type)) continue
    const body = part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n--[^\r\n]+--\s*$/, '')
    const encoding = headers.get('content-transfer-encoding')?.[0]
    const bytes =
      encoding === 'base64'
        ? Buffer.from(body, 'base64')
        : encoding === 'quoted-printable'
          ? quotedPrintable(body.replace(/=\r\n/g, ''))
          : body
    return bytes.toString().replaceAll('\r\n', '\n')
  }
  return ''
}

const quotedPrintable = (text: string) =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16))
    ),
    'latin1'
  )
