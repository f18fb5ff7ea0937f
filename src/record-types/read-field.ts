// One field of a definition -> a Field, with everything that makes no sense about it as faults.
// Pure. What needs other fields or types is checked later: names (check-names.ts), references
// (read-references.ts), rules (read-rules.ts).

import { checkHeader, checkName, cut, hasControl } from './check-names.ts'
import { type FieldDefinition, kindNames } from './definition.ts'
import type { Faults } from './faults.ts'
import { type ReadCell, readDefault, readOptions } from './read-values.ts'
import { splitsValues } from './template.ts'
import { type Field, type FieldKind, isSensitive } from './types.ts'

/** Where a definition is read and with what. */
export interface FieldPlace {
  path: string
  faults: Faults
  readCell: ReadCell
  /** Of a field added to a built-in type. */
  custom: boolean
}

const maxChars = 1_000_000
const defaultSeparator = '|'
const withLength = ['text', 'textbox', 'email', 'phone', 'url', 'host', 'password']
const neverUnique = ['json', 'textbox', 'boolean', 'password']
const neverTitle = ['json', 'textbox', 'boolean', 'password', 'reference']
const neverMany = ['boolean', 'json', 'password']
const joinable = ['text', 'textbox']

/** Reads one field. Its reference is complete only after `completeReferences`. */
export function readField(given: FieldDefinition, place: FieldPlace): Field {
  const { path, faults, custom } = place
  checkName(given.name, `${path}/name`, faults, { dots: custom })
  checkHeader(given.label, `${path}/label`, faults)
  const aliases = given.aliases ?? []
  for (const [i, alias] of aliases.entries()) checkHeader(alias, `${path}/aliases/${i}`, faults)
  const field: Field = {
    name: given.name,
    label: given.label,
    aliases: custom ? [...aliases, `custom_fields.${given.name}`] : aliases,
    kind: readKind(given.kind, place),
    description: readText(given.description, `${path}/description`, faults) ?? '',
    required: given.required ?? false,
    many: readMany(given, place),
    ...readFlags(given),
    ...(custom && { custom: true })
  }
  const hint = readText(given.hint, `${path}/hint`, faults)
  if (hint) field.hint = hint
  if (given.max_length !== undefined) field.max_length = given.max_length
  Object.assign(field, readOptions(given.options, field, place))
  if (given.reference) field.reference = { rule: '', on_missing: 'fail', ...given.reference }
  checkUses(given, field, place)
  const value = readDefault(given.default, field, place)
  if (value !== undefined) field.default = value
  return field
}

/** A text for people. */
export function readText(text: string | undefined, path: string, faults: Faults) {
  if (text === undefined) return undefined
  if (text.length > 1_000) faults.add(path, 'must have at most 1000 characters')
  if (hasControl(text.replace(/[\r\n\t]/g, ''))) faults.add(path, 'has control characters')
  return text.trim()
}

function readKind(kind: string, { path, faults }: FieldPlace): FieldKind {
  if (kind === 'checkbox') return 'boolean'
  if (kind === 'tag') return 'reference'
  if ((kindNames as readonly string[]).includes(kind)) return kind as FieldKind
  faults.add(`${path}/kind`, `"${cut(kind)}" is no kind; there are ${kindNames.join(', ')}`)
  return 'text'
}

function readMany({ many, kind }: FieldDefinition, { path, faults }: FieldPlace): Field['many'] {
  if (!(many ?? kind === 'tag')) return null
  const separator = typeof many === 'object' ? many.separator : defaultSeparator
  const at = `${path}/many/separator`
  if (separator.trim() === '' || separator.length > 5) faults.add(at, 'must have 1 to 5 characters')
  else if (/[\p{L}\p{N}\p{Cc}"]/u.test(separator)) {
    faults.add(at, 'must not have letters, digits, quotes or line breaks')
  } else if (splitsValues(kind, separator)) {
    faults.add(at, `"${separator}" is part of every ${kind}; choose another`)
  }
  return { separator }
}

function readFlags(given: FieldDefinition): Partial<Field> {
  const { unique, immutable, short_dates, strict, show_in_list, expiration, on_update } = given
  return {
    ...(unique && { unique }),
    ...(immutable && { immutable }),
    ...(short_dates && { short_dates }),
    ...(strict && { strict }),
    ...(show_in_list && { show_in_list }),
    ...(expiration && { expiration }),
    ...(on_update === 'append' && { on_update })
  }
}

/** Settings that do not go with the kind of the field, or with being custom. */
function checkUses(given: FieldDefinition, field: Field, place: FieldPlace): void {
  const { path, faults, custom } = place
  const { kind, many } = field
  const refuse = (wrong: unknown, at: string, message: string) => {
    if (wrong) faults.add(`${path}/${at}`, message)
  }
  refuse(many && neverMany.includes(kind), 'many', `a ${given.kind} holds one value`)
  refuse(field.unique && neverUnique.includes(kind), 'unique', `a ${given.kind} cannot be unique`)
  refuse(
    field.unique && field.default !== undefined,
    'default',
    'two new records would have the same value of a unique field'
  )
  refuse(field.unique && custom, 'unique', 'a field added to a built-in type cannot be unique')
  refuse(given.use_for_title && custom, 'use_for_title', 'the title of a built-in type is fixed')
  refuse(
    given.use_for_title && (many || neverTitle.includes(kind)),
    'use_for_title',
    `a ${many ? 'field with several values' : given.kind} cannot be in the title`
  )
  refuse(field.short_dates && kind !== 'date', 'short_dates', 'is for dates only')
  refuse(field.strict && kind !== 'phone', 'strict', 'is for phones only')
  refuse(
    field.expiration && (many || !['date', 'datetime'].includes(kind)),
    'expiration',
    'is for a single date only'
  )
  refuse(
    field.on_update && !many && !joinable.includes(kind),
    'on_update',
    'only texts and fields with several values can be appended to'
  )
  refuse(given.reference && kind !== 'reference', 'reference', `a ${given.kind} refers to nothing`)
  refuse(kind === 'reference' && !given.reference, 'reference', 'is needed: say which type')
  checkLength(field, place)
  refuse(
    isSensitive(field) && (given.default ?? null) !== null,
    'default',
    'a secret has no default'
  )
}

function checkLength({ kind, max_length }: Field, { path, faults }: FieldPlace): void {
  if (max_length === undefined) return
  const at = `${path}/max_length`
  if (!withLength.includes(kind)) faults.add(at, `a ${kind} has no length`)
  else if (max_length < 1 || max_length > maxChars) faults.add(at, `must be 1 to ${maxChars}`)
}
