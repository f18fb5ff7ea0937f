// Shorthand for writing built-in record types as data: fills in what most fields share.

import type { Field, FieldKind, Reference } from './types.ts'

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
