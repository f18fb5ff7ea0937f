// Headers that the owner of an endpoint wants with each delivery: which may be set. Pure. Called
// when an endpoint is saved, and for each attempt.

const maxHeaders = 20
const maxCharacters = 4_000

// What the request itself, its body or our signatures need, and what belongs to one connection.
const reserved =
  /^(host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|user-agent|proxy-.*|webhook-.*|x-content-signature|x-hook-signature)$/i

/** The headers that may be sent; whatever Muster sets itself is taken out. */
export function withoutReserved(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !reserved.test(name)))
}

/** What is wrong with headers, as sentences; empty: nothing. Values are never repeated. */
export function headerFaults(headers: Record<string, string>): string[] {
  const entries = Object.entries(headers)
  const faults = entries.flatMap(([name, value]) => {
    if (!/^[!#$%&'*+.^_`|~\w-]{1,100}$/.test(name)) {
      return `${JSON.stringify(name.slice(0, 100))} is not a name of a header.`
    }
    if (reserved.test(name)) return `${name} is set by Muster.`
    // Printable ASCII without a blank at either end: anything else arrives as something else.
    const isPlain = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/.test(value)
    return isPlain
      ? []
      : `The value of ${name} is empty or has characters that headers cannot hold.`
  })
  const names = new Set(entries.map(([name]) => name.toLowerCase()))
  if (names.size < entries.length) faults.push('A header is given twice.')
  if (entries.length > maxHeaders) faults.push(`There are more than ${maxHeaders} headers.`)
  if (entries.flat().join('').length > maxCharacters) {
    faults.push(`The headers have more than ${maxCharacters} characters.`)
  }
  return faults
}
