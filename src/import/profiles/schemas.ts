// Shapes of the routes of import profiles. TypeBox schemas with a text for every property.

import { Type } from 'typebox'
import { answer, page, pageQuery, time } from '../../platform/http-schemas.ts'
import { fileOptions, jsonOptions, mappingSchema, tellOptions } from '../option-schemas.ts'

const name = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z0-9]([A-Za-z0-9 _.-]{0,58}[A-Za-z0-9_.-])?$',
    description,
    examples: ['nightly']
  })

export const ProfileName = Type.Object({
  name: Type.String({ maxLength: 100, description: 'Name of the profile.' })
})

const content = {
  type: Type.String({
    maxLength: 100,
    description: 'Name of the record type that files of the profile are imported as.',
    examples: ['contacts']
  }),
  mapping: Type.Optional(
    mappingSchema(
      'Header to field name, or to null to ignore the column. It may name columns that some files ' +
        'do not have; columns that it does not name are mapped as suggested.'
    )
  ),
  ...jsonOptions,
  ...fileOptions,
  ...tellOptions
}

/** POST /import-profiles. */
export const NewProfile = Type.Object(
  { name: name('Letters, digits, blanks, - _ and dots; at most 60.'), ...content },
  { additionalProperties: false, description: 'A profile: options of POST /imports, in JSON.' }
)

/** PUT /import-profiles/{name}. */
export const WholeProfile = Type.Object(
  { name: Type.Optional(name('Another name; absent: it stays.')), ...content },
  { additionalProperties: false, description: 'The whole profile; what is absent is not said.' }
)

export const ProfileSchema = answer(
  {
    name: Type.String({ description: 'Its name.', examples: ['nightly'] }),
    ...content,
    mapping: mappingSchema('Header to field name, or to null: the column is ignored.'),
    version: Type.Integer({ description: 'Raised each time it is replaced.', examples: [1] }),
    created_at: time('When it was first saved.'),
    updated_at: time('When it was last replaced.')
  },
  { $id: 'ImportProfile', description: 'Options of an import under a name.' }
)

export const ProfilePageSchema = page(ProfileSchema, 'ImportProfilePage', 'Profiles, oldest first.')

/** GET /import-profiles. */
export const ProfileListQuery = Type.Object({ ...pageQuery }, { additionalProperties: false })
