// Which records a job wrote: the outcomes of its rows, the last row first, then the records that it
// made because rows named them, the youngest first. So children come before their parents.

import { pagesOfRecords } from '../../import/write/touched-rows.ts'
import type { Db } from '../../platform/db.ts'
import type { PastJobs, Target } from '../terms.ts'
import { createIdSet, type IdSet } from './id-set.ts'
import type { IdRange } from './referrers.ts'

/** The job that is taken back, as its statements need it. */
export interface Job {
  account_id: number
  id: number
  kind: 'import' | 'undo'
  /** yyyy-mm-dd: names the partition of its outcomes. */
  created_on: string
  /** Type of the outcomes that name none. */
  type_id: number
  /** Earlier undos of it, and what was done to these. */
  past: PastJobs
}

const outcomesOf = { import: ['created', 'updated'], undo: ['reverted'] }

/** Outcomes that wrote, a page; rows with smaller numbers than `before`, greatest first. */
async function listRows(db: Db, job: Job, before: number, limit: number): Promise<Target[]> {
  const { rows } = await db.query<[number, number | null, number | null, string]>({
    text: `/* undo.list_targets */
    SELECT r.row_number, r.record_id, r.type_id, r.outcome
    FROM import_rows r
    WHERE r.account_id = $1::integer
      AND r.import_id = $2::bigint
      AND r.created_on = $3::date
      AND r.row_number < $4::bigint
      AND r.outcome = ANY ($5::text[])
      AND r.record_id IS NOT NULL
    ORDER BY r.row_number DESC
    LIMIT $6::integer`,
    values: [job.account_id, job.id, job.created_on, before, outcomesOf[job.kind], limit],
    rowMode: 'array'
  })
  return rows.map(([row_number, record_id, type_id, outcome]) => ({
    row_number,
    record_id: record_id ?? 0,
    type_id: type_id ?? job.type_id,
    made: outcome === 'created'
  }))
}

/** Records made by reference, a page; ids smaller than `before`, greatest first. */
async function listReferences(db: Db, job: Job, before: number, limit: number): Promise<Target[]> {
  const { rows } = await db.query<[number, number]>({
    text: `/* undo.list_references */
    SELECT f.type_id, f.record_id
    FROM import_references f
    WHERE f.account_id = $1::integer
      AND f.import_id = $2::bigint
      AND f.record_id < $3::bigint
    ORDER BY f.record_id DESC
    LIMIT $4::integer`,
    values: [job.account_id, job.id, before, limit],
    rowMode: 'array'
  })
  return rows.map(([type_id, record_id]) => ({ row_number: 0, record_id, type_id, made: true }))
}

const highest = Number.MAX_SAFE_INTEGER

/** All records that the job wrote and that `skips` does not name, in batches; each once, by its last
 *  row. */
export async function* targetBatches(
  db: Db,
  job: Job,
  size: number,
  skips: (id: number) => boolean
): AsyncGenerator<Target[]> {
  const seen = createIdSet()
  const batch: Target[] = []
  for (const list of job.kind === 'import' ? [listRows, listReferences] : [listRows]) {
    for (let before = highest; ; ) {
      const page = await list(db, job, before, size)
      for (const target of page) {
        if (seen.has(target.record_id) || skips(target.record_id)) continue
        seen.add(target.record_id)
        batch.push(target)
      }
      if (batch.length >= size) {
        yield batch.splice(0, size)
      }
      const last = page.at(-1)
      if (!last || page.length < size) break
      before = list === listRows ? last.row_number : last.record_id
    }
  }
  if (batch.length > 0) yield batch
}

/** How many records the job wrote, and between which ids those lie that it may have made. */
export async function measureTargets(
  db: Db,
  job: Job
): Promise<{ count: number; ranges: IdRange[] }> {
  const { rows } = await db.query<{ count: number; type_id: number; lo: number; hi: number }>(
    `/* undo.measure */
    WITH written AS (
      SELECT COALESCE(r.type_id, $6::smallint) AS type_id, r.record_id,
        r.outcome <> 'updated' AS made
      FROM import_rows r
      WHERE r.account_id = $1::integer
        AND r.import_id = $2::bigint
        AND r.created_on = $3::date
        AND r.outcome = ANY ($4::text[])
        AND r.record_id IS NOT NULL
      UNION ALL
      SELECT f.type_id, f.record_id, true
      FROM import_references f
      WHERE f.account_id = $1::integer
        AND f.import_id = $2::bigint
        AND $5::text = 'import'
    )
    SELECT w.type_id, count(DISTINCT w.record_id) AS count,
      min(w.record_id) FILTER (WHERE w.made) AS lo, max(w.record_id) FILTER (WHERE w.made) AS hi
    FROM written w
    GROUP BY w.type_id`,
    [job.account_id, job.id, job.created_on, outcomesOf[job.kind], job.kind, job.type_id]
  )
  const ranges = rows.flatMap(({ type_id, lo, hi }) =>
    lo === null ? [] : [{ type_id, from: lo, to: hi }]
  )
  return { count: rows.reduce((sum, row) => sum + row.count, 0), ranges }
}

/** The records that an undo has an outcome for. `whole`: without those of which a field was left. */
export async function loadOutcomes(
  db: Db,
  undo: Pick<Job, 'account_id' | 'id' | 'created_on'>,
  outcomes: string[],
  { whole = false } = {}
): Promise<IdSet> {
  const found = createIdSet()
  for await (const ids of pagesOfRecords(db, undo, outcomes, { whole })) {
    for (const id of ids) found.add(id)
  }
  return found
}

interface PastUndo {
  id: number
  created_on: string
  /** 1: an undo of the job; 2: a redo of that; and so on. */
  depth: number
}

/** Earlier undos of a job, those of which it is known what they did to the records. */
export interface PastUndos {
  past: PastJobs
  /** The records that need not be looked at: the last thing that happened to them was that an undo took
   *  them back as a whole. Null: no undo wrote anything. */
  takenBack: IdSet | null
}

/** Finds out what was taken back of a job already. `current`: the undo that asks. */
export async function loadPastUndos(
  db: Db,
  job: Omit<Job, 'past'>,
  current: number
): Promise<PastUndos> {
  const { rows: undos } = await db.query<PastUndo>(
    `/* undo.list_past */
    WITH RECURSIVE past AS (
      SELECT i.id, i.created_on, 1 AS depth
      FROM imports i
      WHERE i.account_id = $1::integer
        AND i.undo_of = $2::bigint
        AND i.id <> $3::bigint
        AND i.rows_reverted > 0
        AND NOT COALESCE((i.options -> 'dry_run')::boolean, false)
      UNION ALL
      SELECT i.id, i.created_on, p.depth + 1
      FROM past p
      JOIN imports i ON i.account_id = $1::integer AND i.undo_of = p.id
      WHERE i.rows_reverted > 0
        AND NOT COALESCE((i.options -> 'dry_run')::boolean, false)
    )
    SELECT p.id, p.created_on, p.depth
    FROM past p`,
    [job.account_id, job.id, current]
  )
  const past: PastJobs = new Map(
    undos.map(({ id, depth }) => [id, depth % 2 === 1 ? 'undo' : 'redo'] as const)
  )
  const takenBack = undos.length === 0 ? null : await heldBy(db, job.account_id, undos)
  return { past, takenBack }
}

/** The records of which an undo of the job had the last word, and took them back as a whole. One member
 *  of the family is at work at a time: their ids are the order in which they were. */
async function heldBy(db: Db, account_id: number, undos: PastUndo[]): Promise<IdSet> {
  const held = createIdSet()
  const known = createIdSet()
  for (const undo of undos.toSorted((a, b) => b.id - a.id)) {
    const place = { account_id, ...undo }
    const whole =
      undo.depth === 1 ? await loadOutcomes(db, place, ['reverted'], { whole: true }) : null
    for (const id of whole?.ids() ?? []) if (!known.has(id)) held.add(id)
    for (const id of (await loadOutcomes(db, place, ['reverted'])).ids()) known.add(id)
  }
  return held
}
