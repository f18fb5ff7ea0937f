// Match keys: the values under which a record is found. Pure.
// In: the values of a row or record. Out: per match rule the normalised texts of record_keys.value.
// The same functions serve rows and stored records, so the keys of both always agree.

import { createHash } from 'node:crypto'
import type { Json, MatchRule, RecordData } from './types.ts'

// Index entries are limited to 2,704 bytes: a longer key is kept as its hash.
const maxKeyChars = 600
// A character that no cell holds after cleaning keeps the parts of a key apart.
const partMark = '\u001f'

/** The keys that `data` has under a rule; [] when a field is blank that must not be. A rule with a
 *  many-valued field gives one key per value. `organizationId` is the scope; null: account-wide. */
export function keysOf(rule: MatchRule, data: RecordData, organizationId: number | null): string[] {
  const scope = rule.scope === 'organization' ? `${organizationId ?? ''}${partMark}` : ''
  const [first, ...others] = rule.fields
  if (first === undefined) return []
  let keys = textsOf(data[first], rule)
  for (const name of others) {
    if (keys.length === 0) return keys
    const texts = textsOf(data[name], rule)
    if (texts.length === 0 && rule.may_be_blank?.includes(name)) texts.push('')
    keys = keys.flatMap((key) => texts.map((text) => key + partMark + text))
  }
  for (let i = 0; i < keys.length; i++) keys[i] = close(scope + keys[i])
  return keys.length > 1 ? [...new Set(keys)] : keys
}

/** One text in the form that a rule compares: what a reference by name looks for. */
export function keyText(rule: MatchRule, text: string, organizationId: number | null): string {
  const scope = rule.scope === 'organization' ? `${organizationId ?? ''}${partMark}` : ''
  return close(scope + foldText(rule, text))
}

function textsOf(value: Json | undefined, rule: MatchRule): string[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return value === '' ? [] : [foldText(rule, value)]
  if (Array.isArray(value)) return value.flatMap((one) => textsOf(one, rule))
  return [typeof value === 'object' ? JSON.stringify(value) : String(value)]
}

function foldText(rule: MatchRule, text: string): string {
  return rule.folding === 'folded' ? text.toLowerCase() : text
}

function close(key: string): string {
  if (key.length <= maxKeyChars) return key
  return `#${createHash('sha256').update(key).digest('hex')}`
}
