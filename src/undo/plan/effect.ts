// The history of a record -> what one job did to it, all its changes together. Pure.
// In: the record as it is, its changes since the job began. Out: how it was before, what the job left,
// and what others did since. Called by plan-record.ts.

import type { RecordData } from '../../record-types/types.ts'
import type { HeldRecord, MakerId, PastChange, TakenBack, Target } from '../terms.ts'

/** What a job did to a record. made: it was not there before; changed: it was there before and after;
 *  deleted: it was there before only; unknown: history has a gap. */
export interface Effect {
  kind: 'made' | 'changed' | 'deleted' | 'unknown'
  /** Fields that the job changed, as they were before it; null: no value. */
  before: RecordData
  /** The job's own changes, and those of others after them, oldest first. */
  own: PastChange[]
  since: PastChange[]
}

/** Works out the effect. `changes` are those of the record since the job began, oldest first. */
export function effectOf(
  job: TakenBack,
  target: Target,
  now: HeldRecord | null,
  changes: PastChange[]
): Effect {
  const own = changes.filter(({ import_id }) => import_id === job.id)
  const before: RecordData = {}
  for (const change of own) {
    for (const name in change.before) {
      if (!(name in before)) before[name] = change.before[name] ?? null
    }
  }
  const made = isMade(job, target, now, own)
  const last = own.at(-1)
  const left = last ? last.version + 1 : 1
  const since = changes.filter(({ version }) => version >= left)
  const effect = { before, own, since }
  const first = made && job.kind === 'import' ? 1 : own[0]?.version
  if (first === undefined || !isWhole(changes, first, now)) return { ...effect, kind: 'unknown' }
  if (made) return { ...effect, kind: 'made' }
  return { ...effect, kind: last?.action === 'delete' ? 'deleted' : 'changed' }
}

function isMade(job: TakenBack, target: Target, now: HeldRecord | null, own: PastChange[]) {
  if (job.kind === 'undo') return own[0]?.action === 'recreate'
  return now === null ? target.made : now.created_import_id === job.id
}

/** Whether no change is missing between a version and the record as it is. */
function isWhole(changes: PastChange[], first: number, now: HeldRecord | null): boolean {
  let next = first
  let last = ''
  for (const { version, action } of changes) {
    if (version < first) continue
    if (version !== next) return false
    next++
    last = action
  }
  return now === null ? last === 'delete' : now.version === next
}

/** The value that the job left in a field: what it was before somebody changed it since. */
export function leftValue({ since }: Effect, now: RecordData, name: string) {
  const change = since.find(({ before }) => name in before)
  return (change ? change.before[name] : now[name]) ?? null
}

/** Who changed a field last since; without a name: who changed anything. */
export function changerOf({ since }: Effect, name?: string): MakerId | null {
  return since.findLast(({ before }) => name === undefined || name in before) ?? null
}

/** Whether an earlier undo of the job took it back and nobody did it again since by taking that back:
 *  one field, without a name the whole record. */
export function isTakenBack({ since }: Effect, { past }: TakenBack, name?: string): boolean {
  const last = since.findLast(
    ({ import_id, before }) =>
      import_id !== null && past.has(import_id) && (name === undefined || name in before)
  )
  return past.get(last?.import_id ?? 0) === 'undo'
}
