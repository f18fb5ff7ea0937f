// Values -> lines of PostgreSQL's COPY text format. Pure; the hot path of writing.
// Source: PostgreSQL documentation, COPY, "Text Format".

const special = /[\\\t\n\r]/
const specials = /[\\\t\n\r]/g
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** A text as a COPY field. */
export function copyText(text: string): string {
  return special.test(text) ? text.replace(specials, (char) => escapes[char] as string) : text
}

/** A nullable value as a COPY field. */
export function copyNullable(value: string | number | null): string {
  if (value === null) return '\\N'
  return typeof value === 'number' ? String(value) : copyText(value)
}

/** A list of texts as a COPY field of type text[]. */
export function copyTextArray(values: string[] | null): string {
  if (values === null) return '\\N'
  const quoted = values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`)
  return copyText(`{${quoted.join(',')}}`)
}
