// What an account has stored -> its record types. Pure.

import { builtinTypes, catalogueOf, type TypeCatalogue } from './registry.ts'
import type { Field, RecordType, TypeLimits } from './types.ts'

/** What an account may want otherwise of a built-in field. */
export type FieldOverride = Partial<
  Pick<Field, 'default' | 'options' | 'option_labels' | 'required'>
>

/** What an account may add to a built-in type. */
export interface TypeExtension {
  /** Custom fields, appended to the type's own. */
  fields: Field[]
  /** By field of the built-in type: what the account wants otherwise. `default` null: none. */
  overrides: Record<string, FieldOverride>
  limits: TypeLimits
}

/** One row of `record_types`: a whole type, or for built-in numbers (below 1000) an extension. */
export interface StoredType {
  type_id: number
  name: string
  version: number
  definition: RecordType | TypeExtension
}

export const firstOwnTypeId = 1000

/** The built-in types as the account has extended them, then its own. */
export function compileTypes(stored: StoredType[]): TypeCatalogue {
  if (stored.length === 0) return builtinTypes
  const extensions = new Map(
    stored
      .filter(({ type_id }) => type_id < firstOwnTypeId)
      .map(({ type_id, version, definition }) => [
        type_id,
        { version, extension: definition as TypeExtension }
      ])
  )
  const builtins = builtinTypes.list.map((type) => {
    const found = extensions.get(type.type_id)
    return found ? extendType(type, found.extension, found.version) : type
  })
  const own = stored
    .filter(({ type_id }) => type_id >= firstOwnTypeId)
    .map(({ type_id, version, definition }) => ({
      ...(definition as RecordType),
      type_id,
      version
    }))
  return catalogueOf([...builtins, ...own])
}

/** A built-in type with what an account added. `version`: of the extension. */
export function extendType(
  type: RecordType,
  extension: TypeExtension,
  version: number
): RecordType {
  const { fields, overrides, limits } = extension
  return {
    ...type,
    version: type.version + version,
    fields: [
      ...type.fields.map((field) =>
        Object.hasOwn(overrides, field.name) ? override(field, overrides[field.name]) : field
      ),
      ...fields
    ],
    limits: { ...type.limits, ...limits }
  }
}

function override(field: Field, wanted: FieldOverride = {}): Field {
  const { default: value, option_labels, ...rest } = { ...field, ...wanted }
  // Labels belong to the options they came with.
  const labels = wanted.options ? wanted.option_labels : option_labels
  return {
    ...rest,
    ...(value !== undefined && value !== null && { default: value }),
    ...(labels && { option_labels: labels })
  }
}
