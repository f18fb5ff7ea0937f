// How spellings of a serial number or a company name are brought to one. Pure.
// In: a text. Out: the form that is compared, '' when the text says nothing. Called by match-keys.ts.

// What makers and people write where a serial number or MAC address is missing: as a key it would
// make one device of many.
const junkSerials = new Set([
  'none',
  'null',
  'n/a',
  'n.a.',
  'na',
  'unknown',
  'undefined',
  'empty',
  'invalid',
  'tbd',
  'default',
  'default string',
  'o.e.m.',
  'oem',
  'to be filled by o.e.m.',
  'to be filled by o.e.m',
  'to be filled by oem',
  'serial number',
  'system serial number',
  'chassis serial number',
  'base board serial number',
  'not specified',
  'not available',
  'not applicable',
  'not defined',
  'no serial',
  'no serial number',
  'ff:ff:ff:ff:ff:ff'
])
const filling = /^[0x\-_.:?*#/ ]*$/

/** Trimmed and lower-case; '' for junk such as `N/A`, `0000` or `To be filled by O.E.M.`. */
export function foldSerial(text: string): string {
  const folded = text.trim().toLowerCase()
  return junkSerials.has(folded) || filling.test(folded) ? '' : folded
}

// Only at the end of a name, where they say what kind of company it is.
const legalForms = new Set(
  [
    'inc incorporated corp corporation co company ltd limited llc llp lp lllp plc',
    'gmbh mbh ag kg kgaa ohg ug gbr se sa sas sasu sarl srl spa sl slu',
    'bv nv ab as asa aps oy oyj ou sia uab sro zrt kft doo dd',
    'pty pte pvt sdn bhd kk and und et'
  ].flatMap((line) => line.split(' '))
)
const dots = /[.'\u2019]/g
const betweenWords = /[^\p{L}\p{M}\p{N}]+/u

/** Letters and digits only, in one case, without legal forms at the end: `Happy Frog, Inc.` and
 *  `happy frog` are the same. Something always stays: a company named `Limited` is `limited`. */
export function foldLoosely(text: string): string {
  const plain = text.normalize('NFKC').toLowerCase().replace(dots, '')
  const words = plain.split(betweenWords).filter((word) => word !== '')
  while (words.length > 1 && legalForms.has(words[words.length - 1] as string)) words.pop()
  return words.join('')
}
