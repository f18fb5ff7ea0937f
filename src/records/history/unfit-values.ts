// Values of the past that their fields do not take any more: the type may have been changed while the
// record was gone. Pure. In: a type, values, what its fields were. Out: why not; [] when all fit.
// Called by restore-conflicts.ts, and by the undo of imports for each record and field.

import type { ReadCell } from '../../record-types/read-values.ts'
import type { FieldShape } from '../../record-types/store.ts'
import {
  type Field,
  isSensitive,
  type Json,
  type RecordData,
  type RecordType
} from '../../record-types/types.ts'
import { holdsSealed } from './shown-values.ts'

/** What fields were besides what they are, and how a text is read as what they are. */
export interface PastFields {
  otherShapes: ReadonlyMap<string, FieldShape[]>
  readCell: ReadCell
}

export interface Unfit {
  code: 'was_secret' | 'option_gone' | 'value_unfit' | 'required_since'
  field: string
  /** Of option_gone and value_unfit: the value, and what the field takes. */
  value?: string
  expected?: string
}

/** Picks the shapes that differ from those that the fields have. */
export function pastFields(type: RecordType, shapes: FieldShape[], readCell: ReadCell): PastFields {
  const otherShapes = new Map<string, FieldShape[]>()
  for (const { name, kind, many, reference } of type.fields) {
    const others = shapes.filter(
      (one) =>
        one.name === name &&
        (one.kind !== kind ||
          one.many !== (many !== null) ||
          one.target !== (reference?.type ?? null))
    )
    if (others.length > 0) otherShapes.set(name, others)
  }
  return { otherShapes, readCell }
}

/** Why values cannot be brought back. Those of fields that the type has no more are kept as they are,
 *  unless they were secrets. */
export function findUnfit(type: RecordType, values: RecordData, past: PastFields): Unfit[] {
  return Object.entries(values).flatMap(([name, value]): Unfit[] => {
    if (value === null) return []
    const field = type.fields.find((one) => one.name === name)
    if (!field) return holdsSealed(value) ? [{ code: 'was_secret', field: name }] : []
    const unfit = unfitOf(field, value, past)
    return unfit ? [unfit] : []
  })
}

/** Fields that a record which comes back must have a value of, as a new one must. */
export function findMissing(type: RecordType, values: RecordData): Unfit[] {
  return type.fields
    .filter(({ name, required }) => required && (values[name] ?? null) === null)
    .map(({ name }) => ({ code: 'required_since', field: name }))
}

/** Why a field does not take a value; null: it does. */
export function unfitOf(field: Field, value: Json, past: PastFields): Unfit | null {
  const { name, kind, many, reference, max_length } = field
  if (value === null) return null
  if (!isSensitive(field) && holdsSealed(value)) return { code: 'was_secret', field: name }
  const unfit = (expected: string): Unfit => {
    return { code: 'value_unfit', field: name, value: shown(field, value), expected }
  }
  if (!fitsShape(field, value, past)) {
    if (reference) return unfit(`references to ${reference.type}`)
    return unfit(`${many ? 'lists of ' : ''}values of the kind ${kind}`)
  }
  const gone = goneOptions(field, value)
  if (gone.length > 0) return { code: 'option_gone', field: name, value: gone.join('", "') }
  if (max_length !== undefined && lengthOf(field, value) > max_length) {
    return unfit(`${max_length} characters`)
  }
  return null
}

/** Values that are no option of a field any more. */
function goneOptions({ options }: Field, value: Json): Json[] {
  if (!options || value === null) return []
  return [value].flat().filter((one) => typeof one !== 'string' || !options.includes(one))
}

/** Whether a value can be one of the field, as far as the field was ever anything else. */
function fitsShape(field: Field, value: Json, { otherShapes, readCell }: PastFields): boolean {
  const others = otherShapes.get(field.name)
  if (!others || field.kind === 'json') return true
  if (Array.isArray(value) !== (field.many !== null)) return false
  const parts = [value].flat()
  if (field.reference) {
    // A number of before, or the id of a record of another type, says nothing of this one.
    const isSure = others.every(
      ({ kind, target }) =>
        !['integer', 'number', 'percent', 'json'].includes(kind) &&
        (target === null || target === field.reference?.type)
    )
    return isSure && parts.every((one) => typeof one === 'number')
  }
  if (isSensitive(field)) return parts.every((one) => typeof one === 'string')
  if (field.kind === 'boolean') return parts.every((one) => typeof one === 'boolean')
  if (field.kind === 'integer') return parts.every((one) => Number.isInteger(one))
  if (field.kind === 'number' || field.kind === 'percent') {
    return parts.every((one) => typeof one === 'number')
  }
  // Options have a reason of their own.
  if (field.options) return parts.every((one) => typeof one === 'string')
  return parts.every((one) => typeof one === 'string' && readCell(field, one) !== undefined)
}

// Others are stored in a form that may be longer than what was typed, which is what the limit is for.
const asTyped = ['text', 'textbox', 'email', 'host']

/** Characters of the longest value; 0 where they are not told. */
function lengthOf(field: Field, value: Json): number {
  if (isSensitive(field) || !asTyped.includes(field.kind)) return 0
  return Math.max(0, ...[value].flat().map((one) => (typeof one === 'string' ? one.length : 0)))
}

function shown(field: Field, value: Json): string {
  if (isSensitive(field)) return '***'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}
