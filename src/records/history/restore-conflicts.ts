// Why values of the past cannot be brought back as they were: what they need is gone, somebody else
// has it now, or the type has changed since. All reasons at once.
// In: a record and the values to set. Out: conflicts, [] when there are none. Called by
// restore-record.ts; one statement for each type referred to and each identity that comes back.

import { type RowProblemCode, rowProblem } from '../../errors.ts'
import type { Db } from '../../platform/db.ts'
import { diffKeys } from '../../record-types/changed-keys.ts'
import { type Field, isSensitive, type Json, type RecordData } from '../../record-types/types.ts'
import type { OrganizationPlace } from '../organizations.ts'
import { findByKeys, getRecords, type RecordRow } from '../store.ts'
import { applyValues } from '../write/apply-values.ts'
import type { Conflict } from './schemas.ts'
import { holdsSealed, idsOf } from './shown-values.ts'

export interface RestoreCase extends OrganizationPlace {
  db: Db
  row: RecordRow
  set: RecordData
}

/** Finds everything that is in the way. `existing` says which records of a type there are. */
export async function findConflicts(
  restore: RestoreCase,
  existing: (type_id: number, ids: number[]) => Promise<Set<number>>
): Promise<Conflict[]> {
  return [
    ...findFieldConflicts(restore),
    ...(await findGoneReferences(restore, existing)),
    ...(await findTakenIdentities(restore)),
    ...(await findBrokenRules(restore))
  ]
}

const conflict = (
  code: string,
  field: string,
  message: string,
  record_ids: number[] = []
): Conflict => ({ code, field, message, record_ids })

/** What the fields themselves no longer allow. */
function findFieldConflicts({ type, row, set }: RestoreCase): Conflict[] {
  return type.fields.flatMap((field) => {
    const { name } = field
    const value = set[name]
    if (value === undefined) return []
    if (field.required && value === null) {
      return [conflict('required_cleared', name, `${name} had no value, and is required now.`)]
    }
    if (field.immutable && row.data[name] !== undefined) {
      return [conflict('immutable_field', name, `${name} cannot be changed any more.`)]
    }
    if (!isSensitive(field) && holdsSealed(value)) {
      return [conflict('was_secret', name, `${name} was a secret then, and is none now.`)]
    }
    const gone = goneOptions(field, value)
    if (gone.length === 0) return []
    const message = `${name} was "${gone.join('", "')}", which is no option of it any more.`
    return [conflict('option_gone', name, message)]
  })
}

/** Values that are no option of a field any more. */
export function goneOptions({ options }: Field, value: Json): Json[] {
  if (!options || value === null) return []
  return [value].flat().filter((one) => typeof one !== 'string' || !options.includes(one))
}

async function findGoneReferences(
  { types, type, set }: RestoreCase,
  existing: (type_id: number, ids: number[]) => Promise<Set<number>>
): Promise<Conflict[]> {
  const wanted = new Map<number, number[]>()
  const referring = type.fields.flatMap(({ name, reference }) => {
    const ids = idsOf(set[name])
    if (!reference || ids.length === 0) return []
    const { type_id } = types.require(reference.type)
    wanted.set(type_id, [...(wanted.get(type_id) ?? []), ...ids])
    return [{ name, type_id, ids }]
  })
  const found = new Map<number, Set<number>>()
  // In one order for all, as those who hold more than one type.
  for (const type_id of [...wanted.keys()].sort((a, b) => a - b)) {
    found.set(type_id, await existing(type_id, wanted.get(type_id) ?? []))
  }
  return referring.flatMap(({ name, type_id, ids }) => {
    const gone = ids.filter((id) => !found.get(type_id)?.has(id))
    if (gone.length === 0) return []
    const message = `${name} was record ${gone.join(', ')}, which is gone.`
    return [conflict('reference_gone', name, message, gone)]
  })
}

/** Identities that would come back and that another record has by now. */
async function findTakenIdentities(restore: RestoreCase): Promise<Conflict[]> {
  const { db, account_id, type, row, set } = restore
  const after = applyValues(type, row, set)
  const { gained } = diffKeys(type, row, after, after.changed)
  const conflicts: Conflict[] = []
  for (const rule of type.match_rules) {
    if (!rule.identity || rule.lookup_only || rule.suggests) continue
    const values = gained.filter((key) => key.rule === rule.code).map(({ value }) => value)
    const key = { type_id: type.type_id, rule: rule.code, values }
    const held = await findByKeys(db, account_id, key)
    const others = [...new Set([...held.values()].flat())].filter((id) => id !== row.id)
    if (others.length === 0) continue
    const message = `Record ${others.join(', ')} has the same ${rule.fields.join(', ')} now.`
    conflicts.push(conflict('identity_taken', rule.fields[0] ?? rule.name, message, others))
  }
  return conflicts
}

/** Rules across fields: those the type has as code, and values shared with a record referred to. */
async function findBrokenRules({ db, set, ...place }: RestoreCase): Promise<Conflict[]> {
  const { type, types, row, account_id } = place
  const { data } = applyValues(type, row, set)
  const given = new Set(Object.keys(set).filter((name) => set[name] !== null))
  const found = type.check?.({ after: data, given, isNew: false }).problems ?? []
  const problems = found.map(({ code, field, args }) =>
    rowProblem(code as RowProblemCode, { field, ...(args && { args }) })
  )
  for (const { reference, fields } of type.shared_fields ?? []) {
    const names = Object.keys(fields)
    if (![reference, ...names].some((name) => name in set)) continue
    const target = type.fields.find(({ name }) => name === reference)?.reference?.type
    const { type_id } = types.require(target ?? '')
    const [other] = await getRecords(db, account_id, type_id, idsOf(data[reference]))
    for (const ours of names) {
      const theirs = other?.data[fields[ours] as string]
      if (theirs === undefined || data[ours] === undefined || theirs === data[ours]) continue
      const args = { shared: ours }
      problems.push(rowProblem('shared_field_differs', { field: reference, args }))
    }
  }
  return problems
    .filter(({ severity }) => severity === 'error')
    .map(({ code, field, message }) => conflict(code, field ?? '', message))
}
