// Shapes of the record routes: requests and answers, as TypeBox schemas with a text for every
// property.

import { type Static, Type } from 'typebox'
import { answer, nullable, page, pageQuery, ref, time } from '../platform/http-schemas.ts'

export const RecordId = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: 2 ** 53 - 1, description: 'Id of the record.' })
})

export const RecordListQuery = Type.Object(
  {
    type: Type.String({
      maxLength: 100,
      description: 'Name of the record type.',
      examples: ['contacts']
    }),
    organization: Type.Optional(
      Type.String({ maxLength: 300, description: 'Id or exact name of the organization.' })
    ),
    filter: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 1_000 }), {
        maxProperties: 10,
        description:
          'Value that a field must have, as `filter[field]=value`; several must all hold. A ' +
          'field with several values fits when one of them does. Compared exactly, as stored. ' +
          'Sensitive fields cannot be asked for.',
        examples: [{ first_name: 'Ann' }]
      })
    ),
    ...pageQuery
  },
  { additionalProperties: false }
)

export const NamedRecordSchema = answer(
  {
    id: Type.Integer({ description: 'Id of the record.', examples: [17] }),
    title: Type.String({ description: 'What people call it.', examples: ['Happy Frog'] })
  },
  { $id: 'NamedRecord', description: 'A record by id and title.' }
)
export type NamedRecord = Static<typeof NamedRecordSchema>

export const RecordSchema = answer(
  {
    id: Type.Integer({ description: 'Id of the record.', examples: [42] }),
    type: Type.String({ description: 'Name of the record type.', examples: ['contacts'] }),
    title: Type.String({ description: 'What people call it.', examples: ['Ann Lee'] }),
    version: Type.Integer({ description: 'Counts the changes; 1 when new.', examples: [1] }),
    organization: nullable(ref(NamedRecordSchema), 'The organization it belongs to; null: none.'),
    data: Type.Record(Type.String(), Type.Unknown(), {
      description: 'Values by field; a field without a value is absent. References are ids.',
      examples: [{ organization: 17, first_name: 'Ann', emails: ['ann@example.com'] }]
    }),
    secrets: Type.Array(Type.String({ description: 'Name of the field.' }), {
      description:
        'Sensitive fields that have a value. They are never part of `data`; see ' +
        '`GET /records/{id}/secrets`.',
      examples: [['password']]
    }),
    created_at: time('When it was created.'),
    updated_at: time('When it was last changed.'),
    created_import_id: nullable(Type.Integer(), 'The import that created it; null: none did.'),
    updated_import_id: nullable(
      Type.Integer(),
      'The import that wrote it last; null: none, or a restore.'
    ),
    archived_at: nullable(time(''), 'When it was archived; null: in use.'),
    not_pushed: Type.Optional(
      Type.Array(Type.Integer({ description: 'Id of an import or undo.' }), {
        maxItems: 20,
        description:
          'The imports and undos that made it what no event has told of yet, oldest first, ' +
          'at most 20; see `POST /imports/{id}/push`. Empty: all was told, or what was not can no ' +
          'longer be, since the outcomes are gone. Only `GET /records/{id}` has it: lists do not.',
        examples: [[7, 12]]
      })
    )
  },
  { $id: 'Record', description: 'A record of any type.' }
)

export const RecordSecretsSchema = answer(
  {
    data: Type.Record(Type.String(), Type.Unknown(), {
      description: 'Values of the sensitive fields; one without a value is absent.',
      examples: [{ password: 'correct horse' }]
    })
  },
  { $id: 'RecordSecrets', description: 'The secrets of a record, readable.' }
)

export const ExportQuery = Type.Object(
  {
    type: RecordListQuery.properties.type,
    organization: RecordListQuery.properties.organization,
    secrets: Type.Boolean({
      default: false,
      description:
        'true: with the values of sensitive fields, for a key that may read secrets; otherwise ' +
        'their cells are blank, and importing a blank cell leaves a secret as it is.'
    })
  },
  { additionalProperties: false }
)

export const RecordPageSchema = page(RecordSchema, 'RecordPage', 'Records by id.')
