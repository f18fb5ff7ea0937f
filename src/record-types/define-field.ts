// Shorthand for writing built-in record types as data: fills in what most fields and rules share.
// Called by the files in builtin/.

import type { Field, FieldKind, MatchRule, RecordType, Reference } from './types.ts'

type Rest = Partial<Omit<Field, 'name' | 'label' | 'kind' | 'description'>>

/** A field with the usual settings: optional, single-valued, no aliases. */
export function field(
  name: string,
  label: string,
  kind: FieldKind,
  description: string,
  rest: Rest = {}
): Field {
  return { name, label, kind, description, aliases: [], required: false, many: null, ...rest }
}

/** A field that refers to a record of another type by its name. */
export function referenceField(
  name: string,
  label: string,
  description: string,
  reference: Reference,
  rest: Rest = {}
): Field {
  return field(name, label, 'reference', description, { reference, ...rest })
}

/** A reference to one of the small lists, found by its name; a new name is added to the list. */
export function listField(name: string, label: string, type: string, rest: Rest = {}): Field {
  const reference: Reference = { type, rule: 'name', on_missing: 'create' }
  const description = `${label}, by name or id; a new one is added to the list.`
  return referenceField(name, label, description, reference, rest)
}

/** The organization that a record belongs to; a new name makes a new organization. */
export function organizationField(description: string): Field {
  return referenceField(
    'organization',
    'Organization',
    `${description}, by name or id; a new one is created.`,
    { type: 'organizations', rule: 'name', on_missing: 'create' },
    {
      aliases: ['Organization Name', 'Company', 'Company Name', 'Account'],
      required: true,
      show_in_list: true,
      sample: 'Sample Bakery Ltd'
    }
  )
}

/** The id that the system has which the data comes from. */
export function externalIdField(sample: string): Field {
  return field('external_id', 'External ID', 'text', 'The id in the system the data comes from.', {
    aliases: ['External Identifier', 'Source ID', 'ID', 'Record ID'],
    max_length: 255,
    sample
  })
}

/** The name of a record, by which it is found again. */
export function nameField(description: string, sample: string, rest: Rest = {}): Field {
  return field('name', 'Name', 'text', description, {
    required: true,
    max_length: 255,
    show_in_list: true,
    sample,
    ...rest
  })
}

/** Free notes of several lines. */
export function notesField(
  description = 'Free notes; may have several lines.',
  rest: Rest = {}
): Field {
  return field('notes', 'Notes', 'textbox', description, {
    aliases: ['Note'],
    sample: 'Sample row: delete it before you import.',
    ...rest
  })
}

/** Labels, separated by commas. */
export function tagsField(sample: string): Field {
  return field('tags', 'Tags', 'text', 'Labels, separated by commas.', {
    aliases: ['Tag', 'Labels'],
    many: { separator: ',' },
    max_length: 255,
    sample
  })
}

/** Whether a record is kept but out of use. `what`: with its article, "the contact". */
export function archivedField(what: string): Field {
  return field('archived', 'Archived', 'boolean', `Whether ${what} is kept but out of use.`, {
    sample: 'No'
  })
}

type RuleRest = Partial<Omit<MatchRule, 'name' | 'code' | 'fields'>>

/** A match rule with the usual settings: an exact identity in the whole account. */
export function rule(name: string, code: number, fields: string[], rest: RuleRest = {}): MatchRule {
  return { name, code, fields, folding: 'exact', identity: true, scope: 'account', ...rest }
}

/** Finds by external id, in any case. */
export function externalIdRule(scope: MatchRule['scope'] = 'account'): MatchRule {
  return rule('external_id', 1, ['external_id'], { folding: 'folded', scope })
}

/** Warns of names that differ in case, spacing, punctuation or legal form only. */
export function similarNameRule(scope: MatchRule['scope'] = 'account'): MatchRule {
  const rest = { folding: 'loose', identity: false, suggests: true, scope } as const
  return rule('similar_name', 50, ['name'], rest)
}

/** Lets references find a record by a name that alone decides nothing. */
export function nameLookupRule(field = 'name'): MatchRule {
  const rest = { identity: false, lookup_only: true, scope: 'organization' } as const
  return rule('name', 51, [field], rest)
}

type TypeRest = Partial<RecordType> &
  Pick<RecordType, 'name' | 'type_id' | 'label' | 'description' | 'fields' | 'match_rules'>

/** A record type with the usual settings: its name is its title, blank cells change nothing. */
export function recordType(given: TypeRest): RecordType {
  return {
    version: 1,
    title_fields: ['name'],
    organization_field: null,
    match_policy: 'first_tier',
    blank: 'keep',
    limits: {},
    ...given
  }
}
