// Reasons -> problems as they are stored with an outcome: with names in place of ids. Pure.

import { type Maker, type Problem, rowProblem } from '../../errors.ts'
import type { MakerId, Reason } from '../terms.ts'

/** Names of those who changed something, and of records that are in the way. */
export interface Names {
  imports: ReadonlyMap<number, { kind: 'import' | 'undo'; file_name: string }>
  keys: ReadonlyMap<number, string>
  records: ReadonlyMap<number, { title: string; by: MakerId }>
}

// Enough to go on from; a record that thousands refer to need not list them.
const maxNamed = 5
const maxReasons = 20

/** The records that reasons name. */
export function namedRecords(reasons: Reason[]): number[] {
  return reasons.flatMap(({ code, ids }) =>
    code === 'referred_to' || code === 'identity_taken' ? (ids ?? []).slice(0, maxNamed) : []
  )
}

/** Who has to be named for the reasons; `names` has the records already. */
export function namedMakers(reasons: Reason[], { records }: Pick<Names, 'records'>): MakerId[] {
  return reasons.flatMap((reason) => makerOf(reason, { records }) ?? [])
}

function makerOf(reason: Reason, { records }: Pick<Names, 'records'>): MakerId | null {
  return reason.by ?? records.get(reason.ids?.[0] ?? 0)?.by ?? null
}

/** The problems of one record. */
export function problemsOf(reasons: Reason[], names: Names): Problem[] | null {
  if (reasons.length === 0) return null
  return reasons.slice(0, maxReasons).map((reason) => problemOf(reason, names))
}

function problemOf(reason: Reason, names: Names): Problem {
  const { code, field, ids = [], value, args } = reason
  const maker = makerOf(reason, names)
  const candidates = ids.slice(0, maxNamed).flatMap((id) => {
    const record = names.records.get(id)
    return record ? [{ id, title: record.title }] : []
  })
  const [first] = candidates
  return rowProblem(code, {
    field,
    ...(value !== undefined && { value }),
    ...(candidates.length > 0 && { candidates }),
    ...(maker && { by: shown(maker, names) }),
    args: {
      ...(field === null && { field: 'The record' }),
      ...(first && value === undefined && { value: `${first.id} "${first.title}", written` }),
      by: makerText(maker, names),
      count: ids.length,
      records: ids.slice(0, maxNamed).join(', '),
      ...args
    }
  })
}

function shown({ import_id, actor_key }: MakerId, { imports, keys }: Names): Maker {
  const job = imports.get(import_id ?? 0)
  const key = keys.get(actor_key ?? 0)
  return {
    import: import_id !== null && job ? { id: import_id, file_name: job.file_name } : null,
    key: actor_key !== null && key !== undefined ? { id: actor_key, name: key } : null
  }
}

function makerText(maker: MakerId | null, { imports, keys }: Names): string {
  const job = imports.get(maker?.import_id ?? 0)
  if (job) {
    const what = job.kind === 'undo' ? 'the undo' : 'import'
    return `${what} ${maker?.import_id} (${job.file_name})`
  }
  const key = keys.get(maker?.actor_key ?? 0)
  return key === undefined ? 'somebody' : `API key "${key}"`
}
