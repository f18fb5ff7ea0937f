// Shapes of what import routes take: the upload form, filters of lists, changes of a draft.
// TypeBox schemas with a text for every property; answers are in schemas.ts.

import { Type } from 'typebox'
import { nullable, oneOf, pageQuery } from '../platform/http-schemas.ts'
import { importStates } from './status.ts'
import { modes, outcomes } from './terms.ts'

/** A comma-separated list of some of the values. */
function listOf(values: readonly string[], description: string) {
  const one = `(${values.join('|')})`
  return Type.String({
    pattern: `^${one}(,${one})*$`,
    description: `${description} One or several of ${values.join(', ')}, separated by commas.`
  })
}

/** POST /imports as a form. Only documents it: the parts are read as they arrive (accept/). A blank
 *  part counts as not given; these defaults make the form on /docs start that way. */
export const UploadFormSchema = Type.Object(
  {
    file: Type.Unsafe<Blob>({
      type: 'string',
      contentMediaType: 'application/octet-stream',
      description: 'The CSV file: UTF-8, with a header row.'
    }),
    type: Type.String({
      description: 'Name of the record type; see GET /record-types.',
      examples: ['contacts']
    }),
    mode: Type.Optional(
      Type.Unsafe<string>({
        type: 'string',
        enum: [...modes],
        default: 'create_and_update',
        description: 'Whether rows may create records, change them, or both.'
      })
    ),
    allow_partial: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'false: when one row is rejected, nothing is written at all.'
      })
    ),
    organization: Type.Optional(
      Type.String({
        default: '',
        description:
          'Id or exact name of the one organization of the whole file; it must exist. Blank: from ' +
          'a column.'
      })
    ),
    mapping: Type.Optional(
      Type.String({
        default: '',
        description:
          'JSON object: header to field name, or to null to ignore the column, such as ' +
          '`{"E-Mail":"emails","Fax":null}`. Columns that are not named keep their suggestion.'
      })
    ),
    delimiter: Type.Optional(
      Type.String({
        default: '',
        description: 'One ASCII character such as `;`, or `tab`. Blank: detected.'
      })
    ),
    start: Type.Optional(
      Type.Boolean({ default: true, description: 'false: stay a draft until it is started.' })
    )
  },
  { additionalProperties: false, description: 'The file and its options, in any order.' }
)

/** Filters of GET /imports. */
export const ImportListQuery = Type.Object(
  {
    state: Type.Optional(listOf(importStates, 'Only imports in these states.')),
    type: Type.Optional(
      Type.String({ maxLength: 100, description: 'Only imports of this record type.' })
    ),
    created_after: Type.Optional(
      Type.String({ format: 'date-time', description: 'Only imports created after this time.' })
    ),
    created_before: Type.Optional(
      Type.String({ format: 'date-time', description: 'Only imports created before this time.' })
    ),
    q: Type.Optional(
      Type.String({ maxLength: 255, description: 'Part of the name of the file, in any case.' })
    ),
    ...pageQuery
  },
  { additionalProperties: false }
)

/** PATCH /imports/{id}: what is absent stays as it is. */
export const DraftPatch = Type.Object(
  {
    mapping: Type.Optional(
      nullable(
        // A list of types, not a union: the validator would take null for a blank text.
        Type.Record(Type.String(), nullable(Type.String(), 'Field name, or null.')),
        'Header to field name, or to null to ignore the column; columns that are not named stay ' +
          'as they are. null: back to the suggestions.'
      )
    ),
    mode: Type.Optional(oneOf(modes, 'Whether rows may create records, change them, or both.')),
    allow_partial: Type.Optional(
      Type.Boolean({
        description: 'false: when one row is rejected, nothing is written at all.'
      })
    ),
    organization: Type.Optional(
      Type.Unsafe<string | number | null>({
        type: ['string', 'integer', 'null'],
        maxLength: 300,
        description:
          'Id or exact name of the one organization of the whole file. null: from a column.'
      })
    )
  },
  { additionalProperties: false, description: 'What is to change; the rest stays as it is.' }
)

/** The forms in which outcomes are given out. */
export const rowFormats = ['json', 'ndjson', 'csv'] as const
export type RowFormat = (typeof rowFormats)[number]

/** GET /imports/{id}/rows. */
export const RowListQuery = Type.Object(
  {
    outcome: Type.Optional(listOf(outcomes, 'Only rows with these outcomes.')),
    format: Type.Optional(
      oneOf(
        rowFormats,
        'json: pages; ndjson, csv: all rows at once, `cursor` and `limit` do not apply. Left out: ' +
          'by the Accept header, else json.'
      )
    ),
    ...pageQuery
  },
  { additionalProperties: false }
)
