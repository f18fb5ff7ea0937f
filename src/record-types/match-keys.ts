// Match keys: the values under which a record is found. Pure.
// In: the values of a row or record. Out: per match rule the normalised texts of record_keys.value.
// The same functions serve rows and stored records, so the keys of both always agree.

import { createHash } from 'node:crypto'
import { foldLoosely, foldSerial } from './foldings.ts'
import type { Json, MatchRule, RecordData } from './types.ts'

// Index entries are limited to 2,704 bytes: a longer key is kept as its hash.
const maxKeyChars = 600
// A character that no cell holds after cleaning keeps the parts of a key apart.
const partMark = '\u001f'
// Most rows have no key by some rule; they share this one.
const noKeys = Object.freeze([]) as unknown as string[]

/** The keys that `data` has under a rule; [] (not to be written to) when a field is blank that must
 *  not be. A rule with a many-valued field gives one key per value. `organizationId` is the scope of
 *  rules inside the organization; null: account-wide. The scope of a rule inside another reference
 *  is the id that `data` has there. Runs for every rule of every row. */
export function keysOf(rule: MatchRule, data: RecordData, organizationId: number | null): string[] {
  const { fields } = rule
  if (rule.unless !== undefined && data[rule.unless] === true) return noKeys
  let key = ''
  for (let i = 0; i < fields.length; i++) {
    const name = fields[i] as string
    const value = data[name]
    let text = ''
    if (typeof value === 'string') text = foldText(rule, value)
    else if (typeof value === 'number' || typeof value === 'boolean') text = String(value)
    else if (value !== undefined && value !== null) return keysOfMany(rule, data, organizationId)
    if (text === '' && (i === 0 || !mayBeBlank(rule, name))) return noKeys
    key = i === 0 ? text : key + partMark + text
  }
  return key === '' ? noKeys : [close(scopeIn(rule, data, organizationId) + key)]
}

/** One text in the form that a rule compares: what a reference by name looks for. `scopeId`: the
 *  record inside which it is looked up (organization, manufacturer), where the rule has a scope.
 *  Under a rule of several fields the last words are those of the last fields, one each, and all
 *  before them the first field's: `Mary Ann Lee` is first name `Mary Ann`, last name `Lee`. A text
 *  that is no key (`N/A` for a serial) gives ''. */
export function keyText(rule: MatchRule, text: string, scopeId: number | null): string {
  const parts = splitText(text, rule.fields.length)
  const folded = parts.map((part) => foldText(rule, part))
  return folded[0] === '' ? '' : close(scopeOf(rule, scopeId) + folded.join(partMark))
}

/** The texts of `count` fields; too few words leave the last ones blank. */
function splitText(text: string, count: number): string[] {
  if (count === 1) return [text]
  const last: string[] = []
  let rest = text.trim()
  while (last.length < count - 1) {
    const space = rest.lastIndexOf(' ')
    if (space < 0) break
    last.unshift(rest.slice(space + 1))
    rest = rest.slice(0, space).trimEnd()
  }
  const parts = [rest, ...last]
  while (parts.length < count) parts.push('')
  return parts
}

/** As keysOf where a field has several values: every combination of them, each once. */
function keysOfMany(rule: MatchRule, data: RecordData, organizationId: number | null): string[] {
  let keys: string[] = []
  for (const [i, name] of rule.fields.entries()) {
    const texts = textsOf(data[name], rule)
    if (texts.length === 0 && i > 0 && mayBeBlank(rule, name)) texts.push('')
    keys = i === 0 ? texts : keys.flatMap((key) => texts.map((text) => key + partMark + text))
    if (keys.length === 0) return noKeys
  }
  const scope = scopeIn(rule, data, organizationId)
  for (let i = 0; i < keys.length; i++) keys[i] = close(scope + keys[i])
  return keys.length > 1 ? [...new Set(keys)] : keys
}

function textsOf(value: Json | undefined, rule: MatchRule): string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap((one) => textsOf(one, rule))
  if (typeof value === 'object') return [JSON.stringify(value)]
  const text = typeof value === 'string' ? foldText(rule, value) : String(value)
  return text === '' ? [] : [text]
}

const mayBeBlank = (rule: MatchRule, name: string) => rule.may_be_blank?.includes(name) === true

function scopeIn(rule: MatchRule, data: RecordData, organizationId: number | null): string {
  const { scope } = rule
  if (scope === 'account') return ''
  if (scope === 'organization') return scopeOf(rule, organizationId)
  // A reference that is still the text of its cell is no scope yet.
  const id = data[scope.field]
  return scopeOf(rule, typeof id === 'number' ? id : null)
}

function scopeOf(rule: MatchRule, scopeId: number | null): string {
  return rule.scope === 'account' ? '' : `${scopeId ?? ''}${partMark}`
}

/** '' when the text is no key. */
function foldText({ folding }: MatchRule, text: string): string {
  if (folding === 'exact') return text
  if (folding === 'folded') return text.toLowerCase()
  return folding === 'serial' ? foldSerial(text) : foldLoosely(text)
}

function close(key: string): string {
  if (key.length <= maxKeyChars) return key
  return `#${createHash('sha256').update(key).digest('hex')}`
}
