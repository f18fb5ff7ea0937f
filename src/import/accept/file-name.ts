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
