// Why values of the past cannot be brought back as they were: what they need is gone, somebody else
// has it now, or the type has changed since. All reasons at once.
// In: a record and the values to set. Out: conflicts, [] when there are none. Called by
// restore-record.ts; one statement for each type referred to and each identity that comes back.

import { type RowProblemCode, rowProblem } from '../../errors.ts'
import type { Db } from '../../platform/db.ts'
import { diffKeys } from '../../record-types/changed-keys.ts'
import type { RecordData } from '../../record-types/types.ts'
import type { OrganizationPlace } from '../organizations.ts'
import { findByKeys, getRecords, type RecordRow } from '../store.ts'
import { applyValues } from '../write/apply-values.ts'
import type { Conflict } from './schemas.ts'
import { idsOf } from './shown-values.ts'
import { findMissing, type PastFields, type Unfit, unfitOf } from './unfit-values.ts'

export interface RestoreCase extends OrganizationPlace {
  db: Db
  row: RecordRow
  /** Whether the record is not there, and comes back whole. */
  isReturn: boolean
  set: RecordData
  past: PastFields
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
function findFieldConflicts({ type, row, isReturn, set, past }: RestoreCase): Conflict[] {
  const missing = isReturn && Object.keys(set).length > 0 ? findMissing(type, set) : []
  const found = type.fields.flatMap((field) => {
    const { name } = field
    const value = set[name]
    if (value === undefined) return []
    if (field.required && value === null)
      return [conflictOf({ code: 'required_since', field: name })]
    if (field.immutable && row.data[name] !== undefined) {
      return [conflict('immutable_field', name, `${name} cannot be changed any more.`)]
    }
    const unfit = unfitOf(field, value, past)
    return unfit ? [conflictOf(unfit)] : []
  })
  return [...missing.map(conflictOf), ...found]
}

function conflictOf({ code, field, value, expected }: Unfit): Conflict {
  switch (code) {
    case 'required_since':
      return conflict('required_cleared', field, `${field} had no value, and is required now.`)
    case 'was_secret':
      return conflict(code, field, `${field} was a secret then, and is none now.`)
    case 'option_gone':
      return conflict(code, field, `${field} was "${value}", which is no option of it any more.`)
    case 'value_unfit':
      return conflict(code, field, `${field} was "${value}", and takes only ${expected} now.`)
  }
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
