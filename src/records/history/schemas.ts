// Shapes of the history routes: requests and answers, as TypeBox schemas with a text for every
// property.

import { type Static, Type } from 'typebox'
import { answer, nullable, oneOf, page, pageQuery, ref, time } from '../../platform/http-schemas.ts'
import { RecordSchema } from '../schemas.ts'

export const HistoryQuery = Type.Object(pageQuery, { additionalProperties: false })

const valueForms =
  'A reference is `{id, title}` (title null: that record is gone), a secret only ' +
  '`{"secret": true}`; null: no value.'

export const FieldChangeSchema = answer(
  {
    field: Type.String({ description: 'Name of the field.', examples: ['last_name'] }),
    before: Type.Unknown({ description: `The value before. ${valueForms}`, examples: ['Lee'] }),
    after: Type.Unknown({ description: `The value after. ${valueForms}`, examples: ['Poe'] })
  },
  { $id: 'FieldChange', description: 'What a field was and what it became.' }
)
export type FieldChange = Static<typeof FieldChangeSchema>

/** What can make a version. */
export const versionActions = [
  'create',
  'update',
  'restore',
  'undo',
  'delete',
  'recreate',
  'merge',
  'not_kept'
] as const

const MadeByImport = answer(
  {
    id: Type.Integer({ description: 'Id of the import.', examples: [7] }),
    kind: nullable(
      oneOf(['import', 'undo'], ''),
      'undo: it took back what another import wrote; null: it is not kept any more.'
    ),
    file_name: nullable(Type.String(), 'Name of its file; null: the import is not kept any more.')
  },
  { $id: 'VersionImport', description: 'The import that made a version.' }
)

const MadeByKey = answer(
  {
    id: Type.Integer({ description: 'Id of the API key.', examples: [1] }),
    name: Type.String({ description: 'Its name.', examples: ['first key'] })
  },
  { $id: 'VersionKey', description: 'The API key with which a version was made.' }
)

export const VersionSchema = answer(
  {
    version: Type.Integer({ description: 'The version that was made, 1 the first.' }),
    at: nullable(time(''), 'When it was made; null: that is not kept any more.'),
    action: oneOf(
      versionActions,
      'What made it. `undo`: what an import wrote was taken back. `delete`: the record went, and the ' +
        'version is that it is gone; `recreate`: it came back. `not_kept`: the oldest version that can still be restored; how it came about ' +
        'is not kept any more.'
    ),
    restored_version: nullable(
      Type.Integer(),
      'The version whose values it brought back; null: it is no restore.'
    ),
    import: nullable(ref(MadeByImport), 'The import that made it; null: none did.'),
    key: nullable(ref(MadeByKey), 'The API key it was made with; null: not known.'),
    changes: Type.Array(ref(FieldChangeSchema), {
      description: 'The fields that changed; for a new record all that had a value.'
    })
  },
  { $id: 'RecordVersion', description: 'One version of a record, and how it came about.' }
)
export type Version = Static<typeof VersionSchema>

export const VersionPageSchema = page(VersionSchema, 'RecordVersionPage', 'Versions, newest first.')

export const RestoreBody = Type.Object(
  {
    version: Type.Integer({
      minimum: 1,
      maximum: 2 ** 31 - 1,
      description: 'The version whose values are brought back.',
      examples: [1]
    }),
    fields: Type.Optional(
      Type.Array(Type.String({ maxLength: 200, description: 'Name of a field.' }), {
        minItems: 1,
        maxItems: 1_000,
        description: 'Only these fields; absent: all.',
        examples: [['last_name', 'emails']]
      })
    ),
    expected_version: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2 ** 31 - 1,
        description:
          'The version that the record must have now; another one is `version_conflict`. Absent: ' +
          'whatever it has.',
        examples: [4]
      })
    ),
    dry_run: Type.Boolean({
      default: false,
      description: 'true: nothing is written; the answer says what would change.'
    })
  },
  { additionalProperties: false, description: 'What to bring back.' }
)
export type Restore = Static<typeof RestoreBody>

export const ConflictSchema = answer(
  {
    code: Type.String({
      description:
        'reference_gone, identity_taken, required_cleared, option_gone, value_unfit, ' +
        'immutable_field, was_secret, or the code of a rule across fields.',
      examples: ['reference_gone']
    }),
    field: Type.String({ description: 'Name of the field.', examples: ['organization'] }),
    message: Type.String({
      description: 'What is wrong.',
      examples: ['organization was record 17, which is gone.']
    }),
    record_ids: Type.Array(Type.Integer({ description: 'Id of a record.' }), {
      description: 'The records that are gone or in the way.'
    })
  },
  { $id: 'RestoreConflict', description: 'Why a value cannot be brought back.' }
)
export type Conflict = Static<typeof ConflictSchema>

export const RestoredSchema = answer(
  {
    record: ref(RecordSchema),
    restored_version: Type.Integer({ description: 'The version whose values these are.' }),
    dry_run: Type.Boolean({ description: 'true: nothing was written.' }),
    changes: Type.Array(ref(FieldChangeSchema), {
      description: 'The fields that changed, or would. []: the record has these values already.'
    }),
    conflicts: Type.Array(ref(ConflictSchema), {
      description: 'Only of a dry run: what the restore would be refused for.'
    })
  },
  {
    $id: 'RestoredRecord',
    description: 'The record after a restore, or as a dry run says it would be.'
  }
)

/** All named schemas of these routes, to be added to the app. */
export const historySchemas = [
  FieldChangeSchema,
  MadeByImport,
  MadeByKey,
  VersionSchema,
  VersionPageSchema,
  ConflictSchema,
  RestoredSchema
]
