// A record type -> JSON as the API shows it: complete, what was derived included. Pure.

import { firstOwnTypeId } from './compile-types.ts'
import type { RecordTypeJson } from './schemas.ts'
import { type Field, isSensitive, type MatchRule, type RecordType } from './types.ts'

/** The type as JSON. */
export function recordTypeJson(type: RecordType): RecordTypeJson {
  const { name, label, description, version, title_fields, organization_field, limits } = type
  return {
    name,
    label,
    description,
    version,
    builtin: type.type_id < firstOwnTypeId,
    organization_field,
    title_fields,
    match_policy: type.match_policy,
    blank: type.blank,
    limits: {
      max_bytes: limits.max_bytes ?? null,
      max_rows: limits.max_rows ?? null,
      max_columns: limits.max_columns ?? null,
      max_row_bytes: limits.max_row_bytes ?? null,
      max_unfinished: limits.max_unfinished ?? null
    },
    update_by_external_id: type.update_by_external_id ?? false,
    plain_text_only: type.plain_text_only ?? false,
    fields: type.fields.map((field) => fieldJson(field, type)),
    match_rules: type.match_rules.map(ruleJson)
  }
}

function fieldJson(field: Field, type: RecordType): RecordTypeJson['fields'][number] {
  const { name, label, aliases, kind, description, required, reference } = field
  return {
    name,
    label,
    aliases,
    kind,
    description,
    hint: field.hint ?? null,
    required,
    separator: field.many?.separator ?? null,
    default: field.default ?? null,
    options: field.options ?? null,
    option_labels: field.option_labels ?? null,
    max_length: field.max_length ?? null,
    reference: reference
      ? {
          type: reference.type,
          rule: reference.rule,
          also: reference.also ?? null,
          on_missing: reference.on_missing,
          within: reference.within ?? null
        }
      : null,
    format: field.format ?? null,
    generated: field.generated ?? null,
    on_update: field.on_update ?? 'replace',
    sensitive: isSensitive(field),
    immutable: field.immutable ?? false,
    unique: field.unique ?? false,
    short_dates: field.short_dates ?? false,
    strict: field.strict ?? false,
    use_for_title: type.title_fields.includes(name),
    show_in_list: field.show_in_list ?? false,
    expiration: field.expiration ?? false,
    custom: field.custom ?? false
  }
}

function ruleJson(rule: MatchRule): RecordTypeJson['match_rules'][number] {
  const { name, fields, folding, scope, identity } = rule
  return {
    name,
    fields,
    may_be_blank: rule.may_be_blank ?? [],
    folding,
    scope: typeof scope === 'string' ? scope : scope.field,
    identity,
    suggests: rule.suggests ?? false
  }
}
