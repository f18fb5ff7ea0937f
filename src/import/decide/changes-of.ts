// What a row changes in the record it is about. Pure: policies for blanks, appending, immutable
// fields and secrets, by field. Called by decide-row.ts.

import { rowProblem } from '../../errors.ts'
import { type Field, isSensitive, type Json, type RecordData } from '../../record-types/types.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import { byAlphabet, type ResolvedRow } from '../resolve/resolve-row.ts'
import type { Problem } from '../terms.ts'
import type { RelatedRecords } from './check-record.ts'
import { sameJson } from './same-json.ts'
import { openValue, sameSecret } from './secret-values.ts'

export interface Changes {
  /** New values; null: the field is cleared. */
  set: RecordData
  /** What the changed fields were; null: they had no value. */
  before: RecordData
  /** The whole record after the change. */
  after: RecordData
  /** Fields that the row gives a value. */
  given: Set<string>
  problems: Problem[]
}

// Only rules across fields ask what the row itself says.
const nobody: Set<string> = new Set()

/** Compares the row with the record. `folds`: it adds to what an earlier row of the file said. */
export function changesOf(
  plan: ImportPlan,
  row: ResolvedRow,
  data: RecordData,
  { folds, related }: { folds: boolean; related: RelatedRecords }
): Changes {
  const given = plan.type.check ? new Set<string>() : nobody
  const changes: Changes = { set: {}, before: {}, after: data, given, problems: [] }
  if (row.missing !== null && plan.options.blank === 'overwrite') noteCleared(plan, row, changes)
  // Only rules across fields look at the whole record.
  const needsAfter = plan.type.check !== undefined || plan.type.shared_fields !== undefined
  let copied = false
  for (const name in row.values) {
    // The id by which it was found may be spelt otherwise.
    if (folds && name === 'external_id') continue
    const value = row.values[name] as Json
    const was = data[name]
    if (value !== null && given !== nobody) given.add(name)
    // Most cells say what the record says; joining equal values changes nothing either.
    if (sameJson(was, value)) continue
    const field = plan.fields.get(name) as Field
    const joins = value !== null && (folds ? field.many !== null : plan.appending.has(name))
    const now = inOrder(plan, name, joins ? append(plan, field, was, value) : value, related)
    if (isSame(plan, field, was, now)) continue
    if (field.system !== undefined && was !== undefined && value !== null) {
      changes.problems.push(linkedElsewhere(plan, field, printed(value), printed(was)))
      continue
    }
    if (field.immutable && was !== undefined) {
      const hidden = isSensitive(field)
      const place = {
        field: name,
        value: hidden ? null : printed(value),
        args: { current: hidden ? '***' : printed(was) }
      }
      changes.problems.push(rowProblem('immutable_field', place))
      continue
    }
    changes.set[name] = now
    changes.before[name] = was ?? null
    if (!needsAfter) continue
    if (!copied) changes.after = { ...data }
    copied = true
    if (now === null) delete changes.after[name]
    else changes.after[name] = now
  }
  return changes
}

/** The record is something else in that system: the link is its connector's. */
function linkedElsewhere({ columns }: ImportPlan, field: Field, value: string, current: string) {
  const column = columns.find((one) => one.field === field)?.header ?? null
  const args = { system: field.system, current }
  return rowProblem('linked_elsewhere', { column, field: field.name, value, args })
}

/** A blank cell says nothing about a secret; any other required one it would clear. */
function noteCleared(plan: ImportPlan, row: ResolvedRow, changes: Changes): void {
  for (const { field, header, sensitive } of row.missing ?? []) {
    if (sensitive || field.immutable || plan.appending.has(field.name)) continue
    const place = { column: header, field: field.name }
    changes.problems.push(rowProblem('required_cleared', place))
  }
}

function isSame(plan: ImportPlan, field: Field, was: Json | undefined, now: Json): boolean {
  if (now === null) return was === undefined
  return sameJson(was, now) || sameSecret(plan, field, was, now)
}

/** Records that a sorted field refers to, in the order of what people call them. */
export function inOrder(
  plan: ImportPlan,
  name: string,
  value: Json,
  related: RelatedRecords
): Json {
  if (!Array.isArray(value) || value.length < 2) return value
  const field = plan.fields.get(name)
  if (!field?.many?.sorted || !field.reference) return value
  const { title_fields } = plan.types.require(field.reference.type)
  const titleOf = (id: Json) => {
    const data = related.get(Number(id))?.data
    return title_fields.map((one) => String(data?.[one] ?? '')).join(' ')
  }
  return value.toSorted((a, b) => byAlphabet(titleOf(a), titleOf(b)))
}

/** The values of the record, then those it does not have yet; a text on lines of its own. */
function append(plan: ImportPlan, field: Field, stored: Json | undefined, value: Json): Json {
  if (stored === undefined) return value
  const was = isSensitive(field) ? openValue(plan, stored) : stored
  if (Array.isArray(was) && Array.isArray(value)) {
    const folded = new Set(was.map((one) => fold(field, one)))
    const more = value.filter((one) => !folded.has(fold(field, one)))
    return more.length === 0 ? was : [...was, ...more]
  }
  if (typeof was !== 'string' || typeof value !== 'string') return value
  const has = was === value || `\n${was}\n`.includes(`\n${value}\n`)
  return has ? was : `${was}\n${value}`
}

/** Two spellings of one e-mail address are one address. */
const fold = (field: Field, value: Json) =>
  field.kind === 'email' && typeof value === 'string' ? value.toLowerCase() : value

const printed = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value))
