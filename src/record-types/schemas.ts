// Shapes of the record type routes, as TypeBox schemas with a text for every property.

import { Type } from 'typebox'
import { answer, nullable, oneOf, ref } from '../platform/http-schemas.ts'
import { fieldKinds } from './types.ts'

export const RecordTypeName = Type.Object({
  name: Type.String({ maxLength: 100, description: 'Name of the record type.' })
})

const FieldSchema = answer(
  {
    name: Type.String({ description: 'Key in records, mappings and filters.' }),
    label: Type.String({ description: 'The usual column header.' }),
    aliases: Type.Array(Type.String(), { description: 'Other headers that mean this field.' }),
    kind: oneOf(fieldKinds, 'How a cell is read.'),
    description: Type.String({ description: 'What it holds.' }),
    required: Type.Boolean({ description: 'Whether a new record needs it.' }),
    separator: nullable(
      Type.String(),
      'Several values in one cell are split here; null: a single value.'
    ),
    default: Type.Unknown({ description: 'Value of a new record that is given none; null: none.' }),
    options: nullable(
      Type.Array(Type.String(), { description: '' }),
      'The allowed values; null: not a list.'
    ),
    max_length: nullable(
      Type.Integer(),
      'Most characters of one value; null: no limit of its own.'
    ),
    reference: nullable(
      answer(
        {
          type: Type.String({ description: 'The record type referred to.' }),
          on_missing: oneOf(
            ['create', 'fail', 'ignore'],
            'What happens when the cell names nothing that exists: it is created, the row is ' +
              'rejected, or the field stays empty.'
          )
        },
        { description: 'A reference to another record.' }
      ),
      'What the field refers to; null: it is no reference.'
    )
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
    folding: oneOf(['exact', 'folded'], 'exact: case counts; folded: it does not.'),
    scope: oneOf(['account', 'organization'], 'Where it looks for records.')
  },
  { description: 'A tier of matching.' }
)

export const RecordTypeSchema = answer(
  {
    name: Type.String({ description: 'Name used in requests.' }),
    label: Type.String({ description: 'Name for people.' }),
    description: Type.String({ description: 'What its records are.' }),
    organization_field: nullable(
      Type.String(),
      'The field that says which organization a record belongs to; null: none.'
    ),
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

export type RecordTypeJson = Type.Static<typeof RecordTypeSchema>
