// The name of an uploaded file is hostile text: it is kept only to be shown. Pure.
// Files are stored under our own keys; nothing here ever names one on disk.

const maxChars = 255

/** The name as it may be stored and shown: no folders, no control or direction-changing characters,
 *  at most 255 characters; `upload.csv` when nothing is left. */
export function cleanFileName(name: string | undefined): string {
  const base = (name ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? ''
  // Cc: control characters, Cf: invisible ones that reorder or hide text.
  const shown = base.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '').trim()
  const cut = shown.slice(0, maxChars).toWellFormed()
  return cut === '' || cut === '.' || cut === '..' ? 'upload.csv' : cut
}

/** A Content-Disposition header that offers a download under this name (RFC 6266): an ASCII form
 *  for old clients, and the name itself in RFC 8187 encoding. */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** The file name that a Content-Disposition header gives (RFC 6266); undefined: none. */
export function fileNameOf(disposition: string | undefined): string | undefined {
  if (disposition === undefined) return undefined
  const encoded = /;\s*filename\*\s*=\s*utf-8'[^']*'([^\s;]+)/i.exec(disposition)?.[1]
  if (encoded !== undefined) {
    try {
      return decodeURIComponent(encoded)
    } catch {
      // Not what it says it is: the plain form may be better.
    }
  }
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(disposition)
  const name = plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2]
  // Headers arrive byte by byte; most clients write UTF-8 into them.
  return name === undefined ? undefined : Buffer.from(name, 'latin1').toString('utf8')
}
