// Whether a record can be made because another one names it. Pure. Called where types are defined,
// and where an import chooses `on_missing`.

import type { MatchRule, RecordType } from './types.ts'

/** What stands in the way of making a record of the type from the text that a rule finds it by; null:
 *  nothing does. What has a default or is made up by us needs no text. */
export function whyNotByName(target: RecordType, rule: MatchRule): string | null {
  if (rule.fields.length > 1) {
    return `new ${target.name} cannot be made from one text: ${rule.fields.join(' and ')} are needed`
  }
  const place = rule.scope === 'account' ? null : rule.scope
  const scope = place === 'organization' ? target.organization_field : place?.field
  const lacking = target.fields.filter(
    ({ name, required, default: value, generated }) =>
      required && !rule.fields.includes(name) && name !== scope && value === undefined && !generated
  )
  if (lacking.length === 0) return null
  const names = lacking.map((field) => field.name).join(', ')
  return `new ${target.name} cannot be made from a name alone: they need ${names}`
}
