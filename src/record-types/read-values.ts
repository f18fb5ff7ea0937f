// Options and defaults of a definition. Pure: how a cell of a kind is read is passed in, so that a
// default is stored in the very form that the same text in a file would get.

import { cut, hasControl } from './check-names.ts'
import type { FieldDefinition } from './definition.ts'
import type { Faults } from './faults.ts'
import { type Field, isSensitive, type Json } from './types.ts'

/** Reads the text of one cell; undefined: it is not of the field's kind. */
export type ReadCell = (field: Field, text: string) => Json | undefined

interface ValuePlace {
  path: string
  faults: Faults
  readCell: ReadCell
}

const maxOptions = 1_000
const maxOptionChars = 255

/** Reads the options of a select; of other kinds they are refused. */
export function readOptions(
  given: FieldDefinition['options'],
  { kind, many }: Pick<Field, 'kind' | 'many'>,
  { path, faults }: ValuePlace
): Pick<Field, 'options' | 'option_labels'> {
  if (kind !== 'select') {
    if (given) faults.add(`${path}/options`, 'only a select has options')
    return {}
  }
  if (!given?.length) faults.add(`${path}/options`, 'a select needs at least one option')
  else if (given.length > maxOptions) faults.add(`${path}/options`, `are more than ${maxOptions}`)
  const options: string[] = []
  const labels = new Map<string, string>()
  for (const [i, one] of (given ?? []).entries()) {
    const at = `${path}/options/${i}`
    const { value: text, label } = typeof one === 'string' ? { value: one, label: null } : one
    // As cells are compared.
    const value = text.normalize('NFC')
    if (value.trim() === '' || value.trim() !== value || hasControl(value)) {
      faults.add(at, 'must be a single line with no space at its ends, and not empty')
    } else if (value.length > maxOptionChars || (label?.length ?? 0) > maxOptionChars) {
      faults.add(at, `must have at most ${maxOptionChars} characters`)
    } else if (options.includes(value)) faults.add(at, `"${cut(value)}" is there twice`)
    else if (value === '__CLEAR__') faults.add(at, 'is what clears a cell')
    else if (many && value.includes(many.separator)) {
      faults.add(at, `"${cut(value)}" has the separator ${many.separator} in it`)
    }
    options.push(value)
    if (label !== null && label.trim() !== '') labels.set(value, label.trim())
  }
  return { options, ...(labels.size > 0 && { option_labels: Object.fromEntries(labels) }) }
}

const byText = ['text', 'textbox', 'email', 'phone', 'url', 'host', 'ip', 'mac', 'select', 'date']
const asNumber = ['integer', 'number', 'percent']

/** Reads a default into its stored form; undefined: none, or refused. */
export function readDefault(given: unknown, field: Field, place: ValuePlace): Json | undefined {
  if (given === undefined || given === null || isSensitive(field)) return undefined
  const at = `${place.path}/default`
  if (field.kind === 'json') {
    const value = place.readCell(field, JSON.stringify(given))
    if (value === undefined) place.faults.add(at, 'cannot be kept as JSON')
    return value
  }
  if (!field.many) return readOne(given, field, { ...place, path: at })
  const list = Array.isArray(given) ? given : [given]
  const values = list.map((one, i) => readOne(one, field, { ...place, path: `${at}/${i}` }))
  // Kept as an import would: each value once.
  const found = values.filter((value, i) => value !== undefined && values.indexOf(value) === i)
  return values.length === 0 ? undefined : (found as Json[])
}

function readOne(given: unknown, field: Field, { path, faults, readCell }: ValuePlace) {
  const { kind, options, max_length } = field
  const refuse = (message: string) => void faults.add(path, message)
  const fits =
    typeof given === 'string' ||
    (typeof given === 'number' && asNumber.includes(kind)) ||
    (typeof given === 'boolean' && kind === 'boolean')
  if (!fits) return refuse(`must be ${byText.includes(kind) ? 'a text' : `a value of a ${kind}`}`)
  const text = String(given).normalize('NFC').trim()
  if (text === '') return refuse('must not be blank; leave it out')
  if (options) return options.includes(text) ? text : refuse(`"${cut(text)}" is not an option`)
  if (max_length !== undefined && text.length > max_length) {
    return refuse(`is longer than ${max_length} characters`)
  }
  // The text of a reference names a record; it is looked up when a record needs it.
  if (kind === 'reference') return hasControl(text) ? refuse('must be a single line') : text
  const value = readCell(field, text)
  return value === undefined ? refuse(`"${cut(text)}" cannot be read as ${kind}`) : value
}
