// Shapes of the record type routes' answers, as TypeBox schemas with a text for every property.
// Requests are in definition.ts.

import { Type } from 'typebox'
import { answer, nullable, oneOf, ref } from '../platform/http-schemas.ts'
import {
  blankPolicies,
  fieldKinds,
  keyFoldings,
  matchPolicies,
  onMissingPolicies,
  textFormats,
  updatePolicies
} from './types.ts'

export const RecordTypeName = Type.Object({
  name: Type.String({ maxLength: 100, description: 'Name of the record type.' })
})

const ReferenceSchema = answer(
  {
    type: Type.String({ description: 'The record type referred to.' }),
    rule: Type.String({ description: 'Its match rule that finds the record by the cell.' }),
    also: nullable(
      Type.String(),
      'The match rule that is asked when the first finds nothing; null: none.'
    ),
    on_missing: oneOf(
      onMissingPolicies,
      'What happens when the cell names nothing that exists: it is created, the row is ' +
        'rejected, or the field stays empty.'
    ),
    within: nullable(
      Type.String(),
      'The reference field of this type inside which the name is looked up; null: everywhere.'
    )
  },
  { description: 'A reference to another record.' }
)

const flag = (description: string) => Type.Boolean({ description })
const optionList = () =>
  nullable(Type.Array(Type.String(), { description: '' }), 'The allowed values; null: not a list.')
const separator = () =>
  nullable(Type.String(), 'Several values in one cell are split here; null: a single value.')

const FieldSchema = answer(
  {
    name: Type.String({ description: 'Key in records, mappings and filters.' }),
    label: Type.String({ description: 'The usual column header.' }),
    aliases: Type.Array(Type.String(), { description: 'Other headers that mean this field.' }),
    kind: oneOf(fieldKinds, 'How a cell is read.'),
    description: Type.String({ description: 'What it holds.' }),
    hint: nullable(Type.String(), 'Shown to people who fill it in; null: none.'),
    required: flag('Whether a new record needs it.'),
    separator: separator(),
    default: Type.Unknown({ description: 'Value of a new record that is given none; null: none.' }),
    options: optionList(),
    option_labels: nullable(
      Type.Record(Type.String(), Type.String(), { description: '' }),
      'What people call the options, by option; null: as they are.'
    ),
    max_length: nullable(
      Type.Integer(),
      'Most characters of one value; null: no limit of its own.'
    ),
    reference: nullable(ReferenceSchema, 'What the field refers to; null: it is no reference.'),
    format: nullable(
      oneOf(textFormats, ''),
      'Form of the text: 24 hexadecimal digits, or a secret in base32; null: any.'
    ),
    generated: nullable(
      Type.String(),
      'How a value is made up for a new record that is given none: hex24, username, now; null: not.'
    ),
    on_update: oneOf(
      updatePolicies,
      'Whether new values take the place of the old ones, or join them.'
    ),
    sensitive: flag('Whether it is stored encrypted, and shown to nobody without the permission.'),
    immutable: flag('Whether it is set once and never changed by a row.'),
    unique: flag('Whether no two records have the same value.'),
    short_dates: flag('Whether dates may also be written YY/MM/DD.'),
    strict: flag('Whether phone numbers need + and country code.'),
    use_for_title: flag('Whether it is part of what people call the record.'),
    show_in_list: flag('Whether it is shown in lists.'),
    expiration: flag('Whether it is the date on which the record expires.'),
    custom: flag('Whether the account added it to a built-in type.')
  },
  { description: 'A field.' }
)

const MatchRuleSchema = answer(
  {
    name: Type.String({ description: 'As in `matched_by` of a row.' }),
    fields: Type.Array(Type.String(), { description: 'All must be filled and equal.' }),
    may_be_blank: Type.Array(Type.String(), {
      description: 'Those that need not be filled: blank equals blank, and nothing else.'
    }),
    folding: oneOf(
      keyFoldings,
      'exact: as written; folded: case does not count; serial: folded, and junk such as N/A is no ' +
        'key; loose: letters and digits only, without the legal form of a company.'
    ),
    scope: Type.String({
      description:
        'Where it looks for records: `account`, `organization`, or the reference field inside ' +
        'whose record it looks.'
    }),
    identity: flag('Whether all identities of a row must point at the same record.'),
    suggests: flag('Whether it decides nothing: a hit only warns that something similar exists.')
  },
  { description: 'A tier of matching.' }
)

const limit = (description: string) =>
  nullable(Type.Integer(), `${description}; null: as configured.`)

const LimitsSchema = answer(
  {
    max_bytes: limit('Most bytes of a file'),
    max_rows: limit('Most data rows of a file'),
    max_columns: limit('Most columns'),
    max_row_bytes: limit('Most bytes of one row'),
    max_unfinished: limit('Most imports queued or running at the same time')
  },
  { description: 'What one import of the type may be.' }
)

export const RecordTypeSchema = answer(
  {
    name: Type.String({ description: 'Name used in requests.' }),
    label: Type.String({ description: 'Name for people.' }),
    description: Type.String({ description: 'What its records are.' }),
    version: Type.Integer({ description: 'Raised with every change of the definition.' }),
    builtin: flag('Whether every account has it.'),
    organization_field: nullable(
      Type.String(),
      'The field that says which organization a record belongs to; null: none.'
    ),
    title_fields: Type.Array(Type.String(), {
      description: 'Fields whose values, joined by a space, name the record to people.'
    }),
    match_policy: oneOf(
      matchPolicies,
      'first_tier: the first rule that hits decides, and identities must not contradict; ' +
        'all_agree: every rule that hits must hit the same record.'
    ),
    blank: oneOf(blankPolicies, 'What a blank cell does unless the import says otherwise.'),
    limits: LimitsSchema,
    update_by_external_id: flag('Whether imports that only update need the external id.'),
    plain_text_only: flag('Whether cells that look like formulas or scripts are refused.'),
    fields: Type.Array(FieldSchema, { description: 'The fields, besides `id`.' }),
    match_rules: Type.Array(MatchRuleSchema, {
      description: 'How a row finds its record after the id, tried in this order.'
    })
  },
  { $id: 'RecordType', description: 'A record type.' }
)

export const RecordTypeListSchema = answer(
  {
    data: Type.Array(ref(RecordTypeSchema), { description: 'All record types.' })
  },
  { $id: 'RecordTypeList', description: 'The record types there are.' }
)

const TemplateColumnSchema = answer(
  {
    header: Type.String({ description: 'The header of the column.' }),
    field: Type.String({ description: 'The field it feeds.' }),
    required: flag('Whether a new record needs it.'),
    kind: oneOf(fieldKinds, 'How its cells are read.'),
    description: Type.String({ description: 'What it holds.' }),
    hint: nullable(Type.String(), 'Shown to people who fill it in; null: none.'),
    options: optionList(),
    separator: separator(),
    example: Type.String({ description: 'Its cell in the sample row.' })
  },
  { description: 'A column.' }
)

export const TemplateSchema = answer(
  {
    type: Type.String({ description: 'Name of the record type.' }),
    columns: Type.Array(TemplateColumnSchema, { description: 'The columns of the template.' })
  },
  { $id: 'Template', description: 'What a file of a type may hold.' }
)

export type RecordTypeJson = Type.Static<typeof RecordTypeSchema>
export type TemplateJson = Type.Static<typeof TemplateSchema>
