// Shapes of what defines a record type: requests as TypeBox schemas with a text for every property.
// What makes sense beyond the shape is checked by define-type.ts and extend-type.ts, all at once.

import { type Static, Type } from 'typebox'
import { oneOf } from '../platform/http-schemas.ts'
import {
  blankPolicies,
  fieldKinds,
  keyFoldings,
  matchPolicies,
  onMissingPolicies,
  updatePolicies
} from './types.ts'

/** Names of kinds as a definition may say them: two more than are stored. */
export const kindNames = [...fieldKinds, 'checkbox', 'tag'] as const

const flag = (description: string) => Type.Optional(Type.Boolean({ description }))

// Lengths, characters and the like are checked later, so that one answer lists all faults.
const words = (description: string, examples?: string[]) =>
  Type.String({ maxLength: 5_000, description, ...(examples && { examples }) })

const ReferenceDefinition = Type.Object(
  {
    type: words('Name of the record type referred to; may be the type itself.', ['contacts']),
    rule: Type.Optional(
      words(
        'Match rule of that type which finds the record by the text of the cell. Left out: `name`, or the one of its title.'
      )
    ),
    also: Type.Optional(words('A second match rule, asked where the first finds nothing.')),
    on_missing: Type.Optional(
      oneOf(
        onMissingPolicies,
        'When nothing is found: it is created, the row is rejected (left out: this), or the ' +
          'field stays empty.'
      )
    ),
    within: Type.Optional(
      words(
        'Reference field of this type inside which the name is looked up, mostly `organization`. Left out: the organization, when the rule looks inside one.'
      )
    )
  },
  { additionalProperties: false, description: 'What a reference refers to.' }
)

const OptionDefinition = Type.Union(
  [
    Type.String({ description: 'The value, exactly as it is written in cells.' }),
    Type.Object(
      {
        value: Type.String({ description: 'As it is written in cells.' }),
        label: Type.String({ description: 'What people call it.' })
      },
      { additionalProperties: false, description: 'A value with a name for people.' }
    )
  ],
  { description: 'One allowed value.' }
)

const options = Type.Optional(
  Type.Array(OptionDefinition, {
    maxItems: 5_000,
    description: 'The allowed values of a select.',
    examples: [['Open', { value: 'wip', label: 'In progress' }]]
  })
)

const anyDefault = Type.Optional(
  Type.Unknown({
    description:
      'Value of a new record that is given none, as JSON or as the text of a cell; a list for ' +
      'many values; for a reference the text that names it. null: none.'
  })
)

export const FieldDefinition = Type.Object(
  {
    name: words(
      'Key in records: snake_case, at most 60 characters. Those added to a built-in type may have dots.',
      ['serial_number']
    ),
    label: words('The usual column header, at most 100 characters.', ['Serial Number']),
    kind: words(
      `How a cell is read, one of ${kindNames.join(', ')}. checkbox is boolean; tag is a reference with many values.`,
      ['text']
    ),
    aliases: Type.Optional(
      Type.Array(Type.String({ description: 'A header.' }), {
        maxItems: 50,
        description: 'Other headers that mean this field.'
      })
    ),
    description: Type.Optional(words('What it holds.')),
    hint: Type.Optional(words('Shown to people who fill it in.')),
    required: flag('A new record cannot do without it.'),
    many: Type.Optional(
      Type.Union(
        [
          Type.Boolean({ description: 'true: several values, separated by |.' }),
          Type.Object(
            { separator: words('What separates the values of a cell, 1-5 characters.', [',']) },
            { additionalProperties: false, description: 'Several values.' }
          )
        ],
        { description: 'Whether a cell holds several values. Left out: one, of a tag several.' }
      )
    ),
    unique: flag(
      'No two records of the account have the same value; it finds the record of a row.'
    ),
    default: anyDefault,
    options,
    reference: Type.Optional(ReferenceDefinition),
    max_length: Type.Optional(
      Type.Integer({ description: 'Most characters of one value, 1 to 1,000,000.' })
    ),
    on_update: Type.Optional(
      oneOf(
        updatePolicies,
        'Whether new values take the place of the old ones (left out), or join them.'
      )
    ),
    immutable: flag('Set when the record is made, and never changed by a row.'),
    short_dates: flag('Dates may also be written YY/MM/DD.'),
    strict: flag('Phone numbers must be given with + and country code.'),
    use_for_title: flag(
      'Part of what people call the record. Left out everywhere: the field `name`.'
    ),
    show_in_list: flag('Shown in lists.'),
    expiration: flag('The date on which the record expires.'),
    position: Type.Optional(
      Type.Integer({ description: 'Fields are put in this order; those without follow as given.' })
    )
  },
  { additionalProperties: false, description: 'A field.' }
)

export const RuleDefinition = Type.Object(
  {
    name: words('As in `matched_by` of a row: snake_case.', ['serial_number']),
    fields: Type.Array(Type.String({ description: 'Name of a field.' }), {
      minItems: 1,
      maxItems: 20,
      description: 'All must be filled and equal.'
    }),
    may_be_blank: Type.Optional(
      Type.Array(Type.String({ description: 'Name of a field.' }), {
        maxItems: 20,
        description: 'Those of them, not the first, whose blank equals blank.'
      })
    ),
    folding: Type.Optional(
      oneOf(
        keyFoldings,
        'exact (left out): as written; folded: case does not count; serial: folded, and junk such ' +
          'as N/A is no key; loose: letters and digits only, without the legal form of a company.'
      )
    ),
    scope: Type.Optional(
      words(
        'Where the values are unique: `account`, `organization`, or a reference field of the type. Left out: organization where the type has one.'
      )
    ),
    identity: flag('All identities of a row must point at the same record. Left out: false.')
  },
  { additionalProperties: false, description: 'A way to find the record of a row.' }
)

const limit = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 53 - 1, description }))

const LimitsDefinition = Type.Object(
  {
    max_bytes: limit('Most bytes of a file.'),
    max_rows: limit('Most data rows of a file.'),
    max_columns: limit('Most columns.'),
    max_row_bytes: limit('Most bytes of one row.'),
    max_unfinished: limit('Most imports queued or running at the same time.')
  },
  {
    additionalProperties: false,
    description: 'What one import may be; what is left out has the limits of the service.'
  }
)

const OverrideDefinition = Type.Object(
  {
    default: anyDefault,
    options,
    required: flag('true: a new record cannot do without it.')
  },
  { additionalProperties: false, description: 'What the account wants otherwise.' }
)

const fields = Type.Array(FieldDefinition, {
  maxItems: 5_000,
  description: 'The fields. `external_id` and `organization` are added by themselves.'
})

const settings = {
  description: Type.Optional(words('What its records are.')),
  organization: Type.Optional(
    oneOf(
      ['required', 'optional', 'none'],
      'Whether each record belongs to an organization. Left out: required.'
    )
  ),
  match_rules: Type.Optional(
    Type.Array(RuleDefinition, {
      maxItems: 50,
      description:
        'How a row finds its record after the id, in this order. Always there: `external_id`, and ' +
        'one for each unique field, which come first unless they are listed. Left out: those, then ' +
        'all title fields together.'
    })
  ),
  match_policy: Type.Optional(
    oneOf(
      matchPolicies,
      'first_tier (left out): the first rule that hits decides, identities must not contradict; ' +
        'all_agree: every rule that hits must hit the same record.'
    )
  ),
  blank: Type.Optional(
    oneOf(blankPolicies, 'What a blank cell does to a record that exists. Left out: keep.')
  ),
  limits: Type.Optional(LimitsDefinition)
}

/** POST /record-types. */
export const TypeDefinition = Type.Object(
  {
    name: words('Name used in requests: plural, snake_case, 2-60 characters.', ['firewalls']),
    label: words('Name for people.', ['Firewalls']),
    fields,
    ...settings
  },
  { additionalProperties: false, description: 'A record type of your own.' }
)
export type TypeDefinition = Static<typeof TypeDefinition>

/** PUT /record-types/{name}: one shape for own and built-in types; which parts are allowed depends
 *  on the type (change-types.ts). */
export const TypeReplacement = Type.Object(
  {
    name: Type.Optional(words('The same name; a type is not renamed.')),
    label: Type.Optional(words('Own types, needed: name for people.')),
    fields: Type.Optional(fields),
    ...settings,
    overrides: Type.Optional(
      Type.Record(Type.String(), OverrideDefinition, {
        maxProperties: 500,
        description: 'Built-in types: by field of the type, what the account wants otherwise.'
      })
    )
  },
  {
    additionalProperties: false,
    description:
      'The whole definition. Of a type of your own: as when it was created. Of a built-in type: ' +
      '`fields` that are added to it, `overrides` of its fields, and `limits`; what is left out ' +
      'is as it comes.'
  }
)
export type TypeReplacement = Static<typeof TypeReplacement>
export type FieldDefinition = Static<typeof FieldDefinition>
export type RuleDefinition = Static<typeof RuleDefinition>
export type OverrideDefinition = Static<typeof OverrideDefinition>
