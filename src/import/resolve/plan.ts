// Compiles a record type, a mapping and the options into an import plan: everything that is the
// same for all rows is worked out here, once. Pure. Called by job.ts and by the preview.

import type { RowProblemCode } from '../../errors.ts'
import {
  type Field,
  idField,
  type Json,
  type RecordData,
  type RecordType
} from '../../record-types/types.ts'
import type { Mode } from '../terms.ts'
import { cellKinds } from './cell-kinds.ts'
import { hashOf } from './hash-cells.ts'
import { problemColumnPrefix } from './map-columns.ts'

export interface ImportOptions {
  mode: Mode
  /** false: when one row is rejected, nothing is written at all. */
  allow_partial: boolean
  /** One organization for the whole file; null: from a column. */
  organization_id: number | null
}

/** One column that feeds a field. */
export interface PlanColumn {
  /** 0-based position in the file. */
  index: number
  header: string
  field: Field
  /** The row cannot do without a value here. */
  required: boolean
  fault: RowProblemCode
  read(text: string): Json | undefined
}

export interface ImportPlan {
  type: RecordType
  options: ImportOptions
  columns: PlanColumn[]
  /** 0-based position of the column with our own ids; -1 when none is mapped. */
  idIndex: number
  idHeader: string
  /** Values of a new record before its row's values are put on top. */
  defaults: RecordData
  /** Reference fields that rows or defaults fill, in the type's order. */
  references: { field: Field; header: string | null }[]
  /** Cells came out of our own CSV with a quote in front of formulas; it is taken off again. */
  unescapeFormulas: boolean
  /** Seed of the fingerprint: changes with anything that changes what a cell means. */
  seed: number
}

/** Builds the plan. `mapping` has one field name or null per header and was checked before. */
export function compilePlan(given: {
  type: RecordType
  mapping: (string | null)[]
  headers: string[]
  options: ImportOptions
}): ImportPlan {
  const { type, mapping, headers, options } = given
  const columns = type.fields.flatMap((field) => {
    const index = mapping.indexOf(field.name)
    const fixed = field.name === type.organization_field && options.organization_id !== null
    return index < 0 || fixed ? [] : [planColumn(field, index, headers[index] ?? '', options)]
  })
  columns.sort((a, b) => a.index - b.index)
  const defaults: RecordData = {}
  for (const field of type.fields) {
    if (field.default !== undefined) defaults[field.name] = field.default
  }
  const idIndex = mapping.indexOf(idField)
  return {
    type,
    options,
    columns,
    idIndex,
    idHeader: headers[idIndex] ?? '',
    defaults,
    references: planReferences(type, columns, defaults),
    unescapeFormulas: headers.some((header) => header.startsWith(problemColumnPrefix)),
    seed: planSeed(type, columns, options)
  }
}

function planColumn(field: Field, index: number, header: string, options: ImportOptions) {
  const kind = cellKinds[field.kind]
  const allowed = field.options && new Set(field.options)
  const read = allowed
    ? (text: string) => (allowed.has(text) ? text : undefined)
    : (text: string) => kind.read(text)
  const required = field.required && options.mode !== 'update_only'
  return { index, header, field, required, fault: kind.fault, read }
}

function planReferences(type: RecordType, columns: PlanColumn[], defaults: RecordData) {
  return type.fields.flatMap((field) => {
    const column = columns.find((one) => one.field === field)
    const used = column !== undefined || defaults[field.name] !== undefined
    return field.kind === 'reference' && used ? [{ field, header: column?.header ?? null }] : []
  })
}

function planSeed(type: RecordType, columns: PlanColumn[], options: ImportOptions): number {
  return hashOf(
    JSON.stringify([
      type,
      columns.map((column) => column.field.name),
      options.organization_id,
      'blank=keep'
    ])
  )
}
