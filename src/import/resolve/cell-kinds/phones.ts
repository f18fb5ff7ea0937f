// Phone numbers of cells. Pure. In: a trimmed text. Out: `+4930123456` (E.164, with ` x12` for an
// extension), or the text as typed where nobody says which country it is of. Called by cell-kinds.ts.

import {
  type CountryCode,
  isSupportedCountry,
  parsePhoneNumberFromString
} from 'libphonenumber-js/min'

const shape =
  /^(\+?[0-9 ()./\u00a0\u2010-\u2015-]{2,40})(?:(?: ?(?:x|ext\.?|#)|;ext=) ?([0-9]{1,8}))?$/i
const plainE164 = /^\+[1-9][0-9]{7,14}$/
// So many numbers are remembered per column: working one out takes some 8 µs.
const maxRemembered = 5000

/** The reader of a phone field. `strict`: a number needs + and country code, or `country` (ISO 3166)
 *  to take them from; else it stays as typed. */
export function phoneReader(strict: boolean, country: string | null) {
  const known = country !== null && isSupportedCountry(country) ? country : null
  const local = known === null ? null : rememberLocal(known)
  return (text: string): string | undefined => {
    if (plainE164.test(text)) return text
    const parts = shape.exec(text)
    if (!parts) return undefined
    const number = parts[1] as string
    const extension = parts[2] === undefined ? '' : ` x${parts[2]}`
    if (number.startsWith('+')) return international(number, extension)
    const found = local?.(number)
    if (found) return found + extension
    return strict || !hasDigits(number) ? undefined : text
  }
}

/** By shape alone, which is fast: 8 to 15 digits behind the +, a trunk zero in brackets left out. */
function international(number: string, extension: string): string | undefined {
  const bare = `+${number.replace('(0)', '').replace(/[^0-9]/g, '')}`
  return plainE164.test(bare) ? bare + extension : undefined
}

/** Numbers of one country in E.164; null for what cannot be one of them. */
function rememberLocal(country: CountryCode): (number: string) => string | null {
  const remembered = new Map<string, string | null>()
  return (number) => {
    const before = remembered.get(number)
    if (before !== undefined) return before
    const parsed = parsePhoneNumberFromString(number, country)
    // Shorter ones are extensions of a switchboard and emergency calls.
    const found = parsed?.isPossible() && plainE164.test(parsed.number) ? parsed.number : null
    if (remembered.size >= maxRemembered) remembered.clear()
    remembered.set(number, found)
    return found
  }
}

function hasDigits(number: string): boolean {
  const count = number.replace(/[^0-9]/g, '').length
  return count >= 3 && count <= 25
}
