// Which plans of a batch may go together: nothing is left that refers to what is gone, and no identity
// is had twice. Pure. In: plans, and what the database knows around them. Out: for each whether it
// goes, stays, or waits for records that have not had their turn.
//
// Begins with the hope that all go, and takes back what has something in its way until nothing
// changes any more: so records that refer to each other go together.

import type { MatchRule, RecordData, RecordType } from '../../record-types/types.ts'
import { idsOf } from '../../records/history/shown-values.ts'
import type { Reason } from '../terms.ts'
import { type RecordPlan, referencesOf, withKeys } from './plan-record.ts'

/** What is known beyond the plans. */
export interface Around {
  /** The referenced records that exist. */
  existing: ReadonlySet<number>
  /** The records that have a key now, by `keyName`. */
  holders: ReadonlyMap<string, number[]>
  /** The records that refer to a record now. */
  referrersOf(id: number): number[]
  /** Whether the job wrote a record that has not been decided on, so that it may still go. */
  isPending(id: number): boolean
  /** Values of referenced records, for rules that compare with them. */
  related: ReadonlyMap<number, RecordData>
}

/** A plan and what becomes of it: go as planned (also when there is nothing to do), or wait. */
export interface Settled {
  plan: RecordPlan
  waits: boolean
}

export const keyName = (type_id: number, rule: number, value: string) =>
  `${type_id} ${rule} ${value}`

/** Keys that no two records of a type have. */
export function isIdentity({ identity, lookup_only, suggests }: MatchRule): boolean {
  return identity && !lookup_only && !suggests
}

const writes = ({ action }: RecordPlan) =>
  action === 'delete' || action === 'set' || action === 'recreate'

/** Settles a batch, in its order. */
export function settle(plans: RecordPlan[], around: Around): Settled[] {
  const settled = plans.map((plan) => ({ plan: checked(plan, around), waits: false }))
  const byId = new Map(settled.map((one) => [one.plan.target.record_id, one]))
  for (let isChanged = true; isChanged; ) {
    isChanged = false
    const state = stateOf(settled, byId, around)
    for (const one of settled) {
      if (one.waits || !writes(one.plan)) continue
      if (one.plan.action === 'delete') isChanged = settleDelete(one, state) || isChanged
      else isChanged = settleValues(one, state) || isChanged
    }
    // Only when all else stands: what does not come back takes no identity from anybody.
    if (!isChanged) isChanged = settleTwins(settled, around)
  }
  return settled
}

interface State {
  around: Around
  byId: Map<number, Settled>
  /** The records that go, and those that come back. */
  gone: Set<number>
  back: Set<number>
  /** `keyName` and record, of keys that are given up. */
  lost: Set<string>
}

function stateOf(settled: Settled[], byId: State['byId'], around: Around): State {
  const state: State = { around, byId, gone: new Set(), back: new Set(), lost: new Set() }
  for (const { plan, waits } of settled) {
    if (waits || !writes(plan)) continue
    const id = plan.target.record_id
    if (plan.action === 'delete') state.gone.add(id)
    if (plan.action === 'recreate') state.back.add(id)
    for (const { rule, value } of plan.lost) {
      state.lost.add(`${keyName(plan.type.type_id, rule, value)} ${id}`)
    }
  }
  return state
}

/** Whether a record may still change, so that it is worth waiting for. */
function mayChange({ byId, around }: State, id: number): boolean {
  return byId.get(id)?.waits ?? around.isPending(id)
}

/** A record goes when everything that refers to it goes, or refers to it no more. */
function settleDelete(one: Settled, state: State): boolean {
  const id = one.plan.target.record_id
  const others = state.around
    .referrersOf(id)
    .filter((other) => other !== id && !state.gone.has(other) && !letsGo(state, other, id))
  if (others.length === 0) return false
  if (others.some((other) => mayChange(state, other))) one.waits = true
  else stay(one, [{ code: 'referred_to', field: null, ids: others }])
  return true
}

/** Whether a record of the batch will no longer refer to another one. */
function letsGo({ byId }: State, id: number, other: number): boolean {
  const settled = byId.get(id)
  if (!settled || settled.waits || settled.plan.action !== 'set') return false
  const { type, after } = settled.plan
  return !type.fields.some(
    ({ name, reference }) => reference && idsOf(after.data[name]).includes(other)
  )
}

/** Values come back when what they refer to is there, and nobody else has the identity by now. */
function settleValues(one: Settled, state: State): boolean {
  const { plan } = one
  const { around, gone, back } = state
  const reasons: Reason[] = []
  for (const { field, id } of referencesOf(plan)) {
    if (id === plan.target.record_id) continue
    if (back.has(id) || (around.existing.has(id) && !gone.has(id))) continue
    if (mayChange(state, id)) return wait(one)
    reasons.push({ code: 'reference_gone', field, ids: [id] })
  }
  for (const { rule: code, value, index } of plan.gained) {
    const rule = plan.type.match_rules[index] as MatchRule
    if (!isIdentity(rule)) continue
    const name = keyName(plan.type.type_id, code, value)
    const others = (around.holders.get(name) ?? []).filter(
      (id) => id !== plan.target.record_id && !state.lost.has(`${name} ${id}`)
    )
    if (others.length === 0) continue
    if (others.some((id) => mayChange(state, id))) return wait(one)
    reasons.push(identityTaken(rule, others))
  }
  if (reasons.length === 0) return false
  hold(one, reasons, around)
  return true
}

/** A record comes back whole or not at all; of one that is there, what has nothing in its way. */
function hold(one: Settled, reasons: Reason[], around: Around): void {
  if (one.plan.action === 'recreate') stay(one, reasons)
  else one.plan = checked(without(one.plan, reasons), around)
}

/** Of records that would get the same identity, the first in the order of the batch does: the type may
 *  have got the rule while they were gone. */
function settleTwins(settled: Settled[], around: Around): boolean {
  const first = new Map<string, number>()
  let isChanged = false
  for (const one of settled) {
    if (one.waits || !writes(one.plan)) continue
    const { type, target, gained } = one.plan
    const reasons: Reason[] = []
    for (const { rule: code, value, index } of gained) {
      const rule = type.match_rules[index] as MatchRule
      if (!isIdentity(rule)) continue
      const name = keyName(type.type_id, code, value)
      const holder = first.get(name)
      if (holder === undefined) first.set(name, target.record_id)
      else if (holder !== target.record_id) reasons.push(identityTaken(rule, [holder]))
    }
    if (reasons.length === 0) continue
    hold(one, reasons, around)
    isChanged = true
  }
  return isChanged
}

function identityTaken({ fields }: MatchRule, ids: number[]): Reason {
  const args = { fields: fields.join(', ') }
  return { code: 'identity_taken', field: fields[0] ?? null, ids, args }
}

function wait(one: Settled): true {
  one.waits = true
  return true
}

function stay(one: Settled, reasons: Reason[]): void {
  one.plan = { ...one.plan, action: 'keep', reasons: [...one.plan.reasons, ...reasons] }
}

/** The plan without the fields that something is in the way of, and without those that make up an
 *  identity with them: a combination that never was could be somebody else's. */
function without(plan: RecordPlan, reasons: Reason[]): RecordPlan {
  const { type } = plan
  const dropped = new Set(reasons.flatMap(({ field }) => field ?? []))
  for (let size = -1; size < dropped.size; ) {
    size = dropped.size
    for (const rule of type.match_rules.filter(isIdentity)) {
      const fields = fieldsOf(type, rule)
      if (fields.some((name) => dropped.has(name))) for (const name of fields) dropped.add(name)
    }
  }
  const set = Object.fromEntries(Object.entries(plan.set).filter(([name]) => !dropped.has(name)))
  const all = [...plan.reasons, ...reasons]
  if (Object.keys(set).length === 0) return { ...plan, set, action: 'keep', reasons: all }
  return withKeys({ ...plan, set, mixed: true, reasons: all })
}

/** The fields that a key is made of, its scope among them. */
function fieldsOf(type: RecordType, { fields, unless, scope }: MatchRule): string[] {
  const within = scope === 'organization' ? type.organization_field : null
  const field = typeof scope === 'object' ? scope.field : null
  return [...fields, unless, within, field].filter((name) => typeof name === 'string')
}

/** A record that others have changed, too, must keep the rules of its type. */
function checked(plan: RecordPlan, { related }: Around): RecordPlan {
  if (plan.action !== 'set' || !plan.mixed) return plan
  const { type, set, after } = plan
  const given = new Set(Object.keys(set).filter((name) => set[name] !== null))
  const found = type.check?.({ after: after.data, given, isNew: false }).problems ?? []
  const reasons = found.map(
    ({ code, field, args }): Reason => ({
      code: code as Reason['code'],
      field,
      ...(args && { args })
    })
  )
  for (const { reference, fields } of type.shared_fields ?? []) {
    if (![reference, ...Object.keys(fields)].some((name) => name in set)) continue
    const [id = 0] = idsOf(after.data[reference])
    for (const [ours, theirs] of Object.entries(fields)) {
      const other = related.get(id)?.[theirs]
      const own = after.data[ours]
      if (other === undefined || own === undefined || other === own) continue
      reasons.push({ code: 'shared_field_differs', field: reference, args: { shared: ours } })
    }
  }
  return reasons.length === 0
    ? plan
    : { ...plan, action: 'keep', reasons: [...plan.reasons, ...reasons] }
}
