// What taking a job back means for one record. Pure.
// In: the record, what the job did to it. Out: a plan, with the reasons for what is left as it is.
// What needs other records (references, identities, referrers) is decided by settle.ts.

import type { Secrets } from '../../platform/secrets.ts'
import { diffKeys, type Key } from '../../record-types/changed-keys.ts'
import {
  isSensitive,
  type Json,
  type RecordData,
  type RecordType
} from '../../record-types/types.ts'
import { isSame, sealValue } from '../../records/history/plan-restore.ts'
import { idsOf } from '../../records/history/shown-values.ts'
import type { DeletedFacts } from '../../records/history/store.ts'
import {
  findMissing,
  findUnfit,
  type PastFields,
  type Unfit,
  unfitOf
} from '../../records/history/unfit-values.ts'
import { applyValues } from '../../records/write/apply-values.ts'
import type { HeldRecord, PastChange, Reason, TakenBack, Target } from '../terms.ts'
import { changerOf, type Effect, effectOf, isTakenBack, leftValue } from './effect.ts'

/** delete, set and recreate write; none: the record is as it was before already; keep: it stays as it
 *  is; fail: it cannot be told what it was. */
export interface RecordPlan {
  target: Target
  type: RecordType
  now: HeldRecord | null
  action: 'delete' | 'set' | 'recreate' | 'none' | 'keep' | 'fail'
  /** Values to set (null: cleared), or of a record that comes back all it has. */
  set: RecordData
  reasons: Reason[]
  /** Whether the record will not be exactly what it once was: rules across fields have to be asked. */
  mixed: boolean
  /** Of a record that comes back: the version it gets, and what else it had. */
  version: number
  facts: DeletedFacts | null
  after: { data: RecordData; organization_id: number | null; changed: string[] }
  gained: Key[]
  lost: Key[]
}

export interface PlanInput {
  job: TakenBack
  target: Target
  type: RecordType
  secrets: Secrets
  /** What the fields of the type were. */
  past: PastFields
  now: HeldRecord | null
  changes: PastChange[]
}

/** Plans one record. Throws secret_key_missing. */
export function planRecord(input: PlanInput): RecordPlan {
  const { job, target, type, now, changes } = input
  const effect = effectOf(job, target, now, changes)
  const plan = emptyPlan(input)
  if (now === null) return planGone(input, effect, plan)
  if (effect.kind === 'unknown') return planUnknown(input, effect, plan)
  // Made or deleted: that was one thing, and is not taken back twice.
  if (effect.kind !== 'changed' && isTakenBack(effect, job)) return plan
  if (effect.kind === 'made') return planMade(input, now, effect, plan)
  if (effect.kind === 'deleted') {
    return keep(plan, [{ code: 'brought_back', field: null, by: changerOf(effect) }])
  }
  const fields = fieldsToSet(input, now, effect)
  const mixed = fields.reasons.length > 0 || effect.since.length > 0
  if (Object.keys(fields.set).length === 0) {
    return fields.reasons.length > 0 ? keep(plan, fields.reasons) : plan
  }
  return withKeys({ ...plan, ...fields, mixed, action: 'set', type })
}

function emptyPlan({ target, type, now }: PlanInput): RecordPlan {
  return {
    target,
    type,
    now,
    action: 'none',
    set: {},
    reasons: [],
    mixed: false,
    version: 0,
    facts: null,
    after: unchanged(now),
    gained: [],
    lost: []
  }
}

const unchanged = (now: HeldRecord | null): RecordPlan['after'] => {
  return { data: now?.data ?? {}, organization_id: now?.organization_id ?? null, changed: [] }
}

/** The plan of a record that was to be deleted, and is linked to a system. */
export function keepLinked(plan: RecordPlan, system: string): RecordPlan {
  const left = { set: {}, gained: [], lost: [], after: unchanged(plan.now) }
  return keep({ ...plan, ...left }, [{ code: 'syncing', field: null, value: system }])
}

function keep(plan: RecordPlan, reasons: Reason[]): RecordPlan {
  return { ...plan, action: 'keep', reasons }
}

/** History is dropped by the week. An undo that found nothing to write has none to begin with. */
function planUnknown({ job }: PlanInput, { own }: Effect, plan: RecordPlan): RecordPlan {
  if (job.kind === 'undo' && own.length === 0) return plan
  return { ...plan, action: 'fail', reasons: [{ code: 'history_missing', field: null }] }
}

function planGone({ type, secrets, past, changes }: PlanInput, effect: Effect, plan: RecordPlan) {
  const last = changes.at(-1)
  // Whoever took it away: it is gone, as it was before.
  if (effect.kind === 'made') return plan
  if (effect.kind === 'changed') {
    return keep(plan, [{ code: 'record_gone', field: null, by: last ?? null }])
  }
  const facts = effect.own.at(-1)?.record ?? null
  if (effect.kind === 'unknown' || !last || !facts) {
    const reasons: Reason[] = [{ code: 'history_missing', field: null }]
    return { ...plan, action: 'fail' as const, reasons }
  }
  // The type can have become any other while its records were gone.
  const unfit = [...findMissing(type, effect.before), ...findUnfit(type, effect.before, past)]
  if (unfit.length > 0) return keep(plan, unfit.map(reasonOf))
  const set: RecordData = {}
  for (const [name, value] of Object.entries(effect.before)) {
    const field = type.fields.find((one) => one.name === name)
    const sensitive = field !== undefined && isSensitive(field)
    if (value !== null) set[name] = sensitive ? sealValue(secrets, value) : value
  }
  const version = last.version + 2
  return withKeys({ ...plan, action: 'recreate', set, version, facts })
}

/** A record that the job made goes, unless it says anything else by now. */
function planMade(
  { type, secrets }: PlanInput,
  now: HeldRecord,
  effect: Effect,
  plan: RecordPlan
): RecordPlan {
  if (effect.since.length > 0) {
    const names = new Set(Object.keys(now.data))
    for (const { before } of effect.since) for (const name in before) names.add(name)
    const reasons = [...names]
      .filter((name) => {
        const left = leftValue(effect, now.data, name)
        return !sameValue(type, secrets, name, now.data[name] ?? null, left)
      })
      .map((name): Reason => ({ code: 'changed_since', field: name, by: changerOf(effect, name) }))
    if (reasons.length > 0) return keep(plan, reasons)
  }
  return withKeys({ ...plan, action: 'delete' })
}

/** The job's fields, each by itself. */
function fieldsToSet(input: PlanInput, { data }: HeldRecord, effect: Effect) {
  const { job, type, secrets, past } = input
  const set: RecordData = {}
  const reasons: Reason[] = []
  for (const field of type.fields) {
    const { name } = field
    const then = effect.before[name]
    if (then === undefined || isTakenBack(effect, job, name)) continue
    const current = data[name] ?? null
    if (isSame(field, secrets, current, then)) continue
    // A value less is as the record once was, also where new ones need it.
    const unfit = unfitOf(field, then, past)
    if (!isSame(field, secrets, current, leftValue(effect, data, name))) {
      reasons.push({ code: 'changed_since', field: name, by: changerOf(effect, name) })
    } else if (unfit) reasons.push(reasonOf(unfit))
    else set[name] = isSensitive(field) ? sealValue(secrets, then) : then
  }
  return { set, reasons }
}

const reasonOf = ({ code, field, value, expected }: Unfit): Reason => ({
  code,
  field,
  ...(value !== undefined && { value }),
  ...(expected !== undefined && { args: { expected } })
})

function sameValue(type: RecordType, secrets: Secrets, name: string, one: Json, other: Json) {
  const field = type.fields.find((each) => each.name === name)
  return field ? isSame(field, secrets, one, other) : JSON.stringify(one) === JSON.stringify(other)
}

const nothing = { data: {}, organization_id: null }

/** The plan with what the record is afterwards, and the keys it gains and loses. */
export function withKeys(plan: RecordPlan): RecordPlan {
  const { type, set } = plan
  const was = plan.now ?? nothing
  const after =
    plan.action === 'delete'
      ? { ...nothing, changed: Object.keys(was.data) }
      : applyValues(type, was, set)
  // A scope that goes with the record takes its keys along, whatever the fields.
  const changed = plan.action === 'set' ? after.changed : type.fields.map(({ name }) => name)
  return { ...plan, after, ...diffKeys(type, was, after, changed) }
}

/** The references that a plan brings back, by field. */
export function referencesOf({ type, set }: RecordPlan): { field: string; id: number }[] {
  return type.fields.flatMap(({ name, reference }) =>
    reference ? idsOf(set[name]).map((id) => ({ field: name, id })) : []
  )
}
