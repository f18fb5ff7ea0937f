// Compiles a record type, a mapping and the options into an import plan: everything that is the
// same for all rows is worked out here, once. Pure. Called by job.ts and by the preview.

import { systemsIn, withSystems, withType } from '../../record-types/external-ids.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { type SampleCell, sampleRow } from '../../record-types/template.ts'
import {
  type Field,
  idField,
  idLabel,
  isSensitive,
  type Json,
  type MatchRule,
  type OnMissing,
  type RecordData,
  type RecordType,
  type UpdatePolicy
} from '../../record-types/types.ts'
import type { SecretBox } from '../terms.ts'
import { type CellReader, cellReader } from './cell-kinds.ts'
import { hashOf } from './hash-cells.ts'
import type { ImportOptions } from './import-options.ts'
import { problemColumnPrefix } from './map-columns.ts'

/** One column that feeds a field. */
export interface PlanColumn {
  /** 0-based position in the file. */
  index: number
  header: string
  field: Field
  reader: CellReader
  /** Between the values of a many-valued field; null: one value. */
  separator: string | null
  sensitive: boolean
  /** A blank cell is a fault when the row makes a new record, or would clear the field. */
  required: boolean
  /** What a blank cell means to an existing record: nothing (undefined), clear it (null), or a value. */
  blank: Json | undefined
  /** The field of the record is to hold text as it stands only: no formula, no script. */
  plainTextOnly: boolean
  /** Cell of the sample row of the type's template. */
  sample: SampleCell
}

/** A reference field that rows or defaults fill. */
export interface PlanReference {
  field: Field
  header: string | null
  on_missing: OnMissing
}

export interface ImportPlan {
  secrets: SecretBox
  types: TypeCatalogue
  /** With a field and an identity for each of `systems`. */
  type: RecordType
  /** The type as its records are stored; the same where there are no such systems. */
  storedType: RecordType
  /** Other systems whose ids are in columns. */
  systems: string[]
  options: ImportOptions
  columns: PlanColumn[]
  /** 0-based position of the column with our own ids; -1 when none is mapped. */
  idIndex: number
  idHeader: string
  /** Values of a new record before its row's values are put on top. */
  defaults: RecordData
  /** Names looked up account-wide first, then those inside another reference. */
  references: PlanReference[]
  /** A row may be the sample of the template: all that a new record needs has a column. */
  maySample: boolean
  /** Every row must say which external id it is about. */
  needsExternalId: boolean
  /** Defaults that are part of match keys: a row that does not say them has them. */
  keyDefaults: RecordData | null
  /** Some fields are made up for new records. */
  generates: boolean
  /** The keys of a new record are more than its row says: some fields are made up. */
  rekeys: boolean
  /** By position of the match rule: whether it decides which record a row is about. */
  deciding: boolean[]
  /** Fields whose new values join those the record has. */
  appending: ReadonlySet<string>
  fields: ReadonlyMap<string, Field>
  /** Cells came out of our own CSV with a quote in front of formulas; it is taken off again. */
  unescapeFormulas: boolean
  /** The type has secrets: cells that are kept for later are kept sealed. */
  sealsCells: boolean
  /** Seed of the fingerprint: changes with anything that changes what a cell means. */
  seed: number
}

/** Builds the plan. `mapping` has one field name or null per header and was checked before. */
export function compilePlan(given: {
  types: TypeCatalogue
  type: RecordType
  mapping: (string | null)[]
  headers: string[]
  options: ImportOptions
  /** Absent: nothing is stored (previews). */
  secrets?: SecretBox
}): ImportPlan {
  const { type: storedType, mapping, headers, options } = given
  const systems = systemsIn(storedType, mapping)
  const type = withSystems(storedType, systems)
  const types = withType(given.types, type)
  const samples = new Map(sampleRow(type).map((sample) => [sample.field, sample]))
  const columns = type.fields.flatMap((field) => {
    const index = mapping.indexOf(field.name)
    const fixed = field.name === type.organization_field && options.organization_id !== null
    if (index < 0 || fixed) return []
    const sample = samples.get(field.name) as SampleCell // one for each field
    return [planColumn(type, field, { index, header: headers[index] ?? '', sample }, options)]
  })
  columns.sort((a, b) => a.index - b.index)
  const defaults: RecordData = {}
  for (const field of type.fields) {
    if (field.default !== undefined) defaults[field.name] = field.default
  }
  const idIndex = mapping.indexOf(idField)
  return {
    secrets: given.secrets ?? noSecrets,
    types,
    type,
    storedType,
    systems,
    options,
    columns,
    idIndex,
    idHeader: headers[idIndex] ?? '',
    defaults,
    references: planReferences(type, columns, defaults, options),
    maySample:
      idIndex < 0 && type.fields.every((field) => !isNeeded(field) || mapping.includes(field.name)),
    needsExternalId: options.mode === 'update_only' && options.require_external_id,
    generates: type.fields.some((field) => field.generated !== undefined),
    ...planKeys(type),
    deciding: type.match_rules.map((rule) => decides(rule, options)),
    appending: new Set(
      type.fields.filter((one) => updateOf(one, options) === 'append').map(nameOf)
    ),
    fields: new Map(type.fields.map((field) => [field.name, field])),
    unescapeFormulas: headers.some(isOurs),
    sealsCells: type.fields.some(isSensitive),
    seed: planSeed(type, columns, options)
  }
}

const noSecrets: SecretBox = {
  digest: () => '',
  seal: () => {
    throw new Error('nothing is sealed without keys')
  },
  open: () => {
    throw new Error('nothing is opened without keys')
  }
}

const nameOf = (field: Field) => field.name

/** Whether a header stands only in CSV that we gave out. */
export const isOurs = (header: string) =>
  header === idLabel || header.startsWith(problemColumnPrefix)

function decides(rule: MatchRule, options: ImportOptions): boolean {
  if (rule.suggests || rule.lookup_only) return false
  if (rule.system !== undefined) return true
  const byExternalId = options.mode === 'update_only' && options.require_external_id
  return !byExternalId || rule.fields.join() === 'external_id'
}

function updateOf(field: Field, options: ImportOptions): UpdatePolicy {
  return options.update[field.name] ?? field.on_update ?? 'replace'
}

function planColumn(
  type: RecordType,
  field: Field,
  place: { index: number; header: string; sample: SampleCell },
  options: ImportOptions
): PlanColumn {
  return {
    ...place,
    field,
    reader: cellReader(field, options),
    separator: field.many ? (options.separators[field.name] ?? field.many.separator) : null,
    sensitive: isSensitive(field),
    // A default or a made-up value takes the place of a blank.
    required: isNeeded(field),
    blank: blankOf(field, options),
    plainTextOnly:
      type.plain_text_only === true && (field.kind === 'text' || field.kind === 'textbox')
  }
}

const isNeeded = (field: Field) =>
  field.required && field.default === undefined && field.generated === undefined

function planKeys({ fields, match_rules }: RecordType) {
  const inRules = new Set(match_rules.flatMap((rule) => rule.fields))
  const keyed = fields.filter((field) => inRules.has(field.name) && !field.reference)
  const withDefault = keyed.filter((field) => field.default !== undefined)
  const defaults = Object.fromEntries(withDefault.map(({ name, default: value }) => [name, value]))
  return {
    keyDefaults: withDefault.length === 0 ? null : (defaults as RecordData),
    rekeys: keyed.some((field) => field.generated !== undefined)
  }
}

/** What is never cleared by a blank: secrets, what cannot change, what only grows. */
function blankOf(field: Field, options: ImportOptions): Json | undefined {
  const stays =
    isSensitive(field) || field.immutable || field.generated || field.required || field.keeps_blank
  if (stays || updateOf(field, options) === 'append') return undefined
  if (options.blank === 'overwrite') return null
  return options.blank === 'default' ? field.default : undefined
}

function planReferences(
  type: RecordType,
  columns: PlanColumn[],
  defaults: RecordData,
  options: ImportOptions
): PlanReference[] {
  const used = type.fields.flatMap((field) => {
    const column = columns.find((one) => one.field === field)
    const isUsed = column !== undefined || defaults[field.name] !== undefined
    if (!field.reference || !isUsed) return []
    const on_missing = options.on_missing[field.name] ?? field.reference.on_missing
    return [{ field, header: column?.header ?? null, on_missing }]
  })
  // A name can be looked up inside another record once that one is known.
  const depth = (field: Field): number => {
    const outer = type.fields.find((one) => one.name === field.reference?.within)
    return outer ? 1 + depth(outer) : 0
  }
  return used.sort((a, b) => depth(a.field) - depth(b.field))
}

function planSeed(type: RecordType, columns: PlanColumn[], options: ImportOptions): number {
  const { organization_id, blank, clear_marker, update, separators, default_country } = options
  return hashOf(
    JSON.stringify([
      type,
      columns.map((column) => column.field.name),
      { organization_id, blank, clear_marker, update, separators, default_country }
    ])
  )
}
