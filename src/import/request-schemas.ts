// Shapes of what import routes take: the upload form, filters of lists, changes of a draft.
// TypeBox schemas with a text for every property; answers are in schemas.ts.

import { Type } from 'typebox'
import { nullable, oneOf, pageQuery } from '../platform/http-schemas.ts'
import { jsonOptions, mappingSchema, textOptions } from './option-schemas.ts'
import { importStates } from './status.ts'
import { shownOutcomes } from './terms.ts'

/** A comma-separated list of some of the values. */
function listOf(values: readonly string[], description: string) {
  const one = `(${values.join('|')})`
  return Type.String({
    pattern: `^${one}(,${one})*$`,
    description: `${description} One or several of ${values.join(', ')}, separated by commas.`
  })
}

/** POST /imports as a form. Only documents it: the parts are read as they arrive (accept/). */
export const UploadFormSchema = Type.Object(
  {
    file: Type.Optional(
      Type.Unsafe<Blob>({
        type: 'string',
        contentMediaType: 'application/octet-stream',
        description: 'The CSV file with a header row; may be packed with gzip.'
      })
    ),
    text: Type.Optional(
      Type.String({
        default: '',
        description: 'Pasted rows in place of a file, header row first; at most 1 MiB.'
      })
    ),
    ...textOptions
  },
  { additionalProperties: false, description: 'A file or pasted rows, and options, in any order.' }
)

/** The query of POST /imports. Only documents it, as the form. */
export const UploadQuery = Type.Object(
  {
    ...withoutDefaults(textOptions),
    file_name: Type.Optional(
      Type.String({
        description:
          'Name of a file that is the body itself; a Content-Disposition header can say it too.'
      })
    )
  },
  { additionalProperties: false }
)

/** Only forms on a page begin with something filled in. */
function withoutDefaults(options: typeof textOptions): typeof textOptions {
  const bare = Object.entries(options).map(([name, schema]) => {
    const { default: _, ...rest } = schema as { default?: unknown }
    return [name, Type.Optional(Type.Unsafe(rest))]
  })
  return Object.fromEntries(bare) as typeof textOptions
}

/** The types of a body that is the file itself. */
export const fileTypes = [
  'text/csv',
  'text/plain',
  'text/tab-separated-values',
  'application/csv',
  'application/gzip',
  'application/x-gzip'
]

/** Every body that POST /imports takes, for the document. */
export const uploadBody = {
  content: Object.fromEntries([
    ['multipart/form-data', { schema: UploadFormSchema }],
    ...fileTypes.map((type) => [
      type,
      { schema: { type: 'string', description: 'The file itself; all options are in the query.' } }
    ])
  ])
}

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
        mappingSchema(),
        'Header to field name, or to null to ignore the column; columns that are not named stay ' +
          'as they are. null: back to the suggestions.'
      )
    ),
    ...jsonOptions
  },
  { additionalProperties: false, description: 'What is to change; the rest stays as it is.' }
)

/** The forms in which outcomes are given out. */
export const rowFormats = ['json', 'ndjson', 'csv'] as const
export type RowFormat = (typeof rowFormats)[number]

/** GET /imports/{id}/rows. */
export const RowListQuery = Type.Object(
  {
    outcome: Type.Optional(listOf(shownOutcomes, 'Only rows with these outcomes.')),
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
