// What the rows of a batch have to be shown, or held to: the titles of records that the run makes
// itself, and what the dry run said of the rows. Called by run-batch.ts before the rows are decided;
// a statement for each type referred to, and one for the outcomes.

import { appError } from '../../errors.ts'
import { idsOf } from '../../records/history/shown-values.ts'
import { recordTitle } from '../../records/record-json.ts'
import type { BatchPlace } from '../batch.ts'
import type { ExistingRecord } from '../decide/existing-record.ts'
import type { NewReference } from '../match/create-references.ts'
import type { MatchedRow } from '../match/match-rows.ts'
import { fetchRecords } from '../match/probe-keys.ts'
import { defaultReferences, scopedDefaults } from '../match/resolve-references.ts'
import { listForeseen } from './store.ts'
import type { DryRun, ForeseenRow, Foresight } from './terms.ts'

export interface Foreseen extends Foresight {
  /** What the records are called that the run has made and rows of the batch refer to. */
  titles: Map<number, string>
  /** What the dry run said, by row number; null: this is the dry run. */
  rows: Map<number, ForeseenRow> | null
  /** Rows that would change a record by now, which the dry run rejected: those that are still to be
   *  asked about in the database, and those that were. */
  open: Set<MatchedRow>
  asked: Set<MatchedRow>
}

/** Out: null for an import that is neither a dry run nor applies one. Throws rows_gone. */
export async function foresee(
  place: BatchPlace,
  matched: MatchedRow[],
  records: Map<number, ExistingRecord>,
  created: Map<number, NewReference>
): Promise<Foreseen | null> {
  const { foresight, ids } = place.memory
  if (foresight === null) return null
  for (const id of [...created.keys(), ...ids]) foresight.made.add(id)
  const titles = await titlesOfMade(place, foresight, matched, records)
  for (const { id, type, data } of created.values()) titles.set(id, recordTitle(type, data))
  const { dryRun } = foresight
  const rows = dryRun && (await readForeseen(place, dryRun, matched))
  return { ...foresight, titles, rows, open: new Set(), asked: new Set() }
}

/** Notes that the rows were asked about. Out: whether there were any, so that all have to be decided
 *  once more. */
export function noteAsked(foreseen: Foreseen | null): boolean {
  if (foreseen === null || foreseen.open.size === 0) return false
  for (const one of foreseen.open) foreseen.asked.add(one)
  foreseen.open.clear()
  return true
}

/** Titles of records of earlier batches to which the rows, their records or the defaults refer. */
async function titlesOfMade(
  { tx, account_id, plan, memory }: BatchPlace,
  { made }: Foresight,
  matched: MatchedRow[],
  records: Map<number, ExistingRecord>
): Promise<Map<number, string>> {
  const fixed = defaultReferences(memory.references, plan)
  const values = [fixed]
  for (const { row } of matched) {
    values.push(row.values, scopedDefaults(memory.references, plan, row))
  }
  for (const { data } of records.values()) if (data !== null) values.push(data)
  const wanted = new Map<string, Set<number>>()
  for (const { name, reference } of plan.type.fields) {
    if (!reference) continue
    const ids = wanted.get(reference.type) ?? new Set()
    wanted.set(reference.type, ids)
    for (const one of values) for (const id of idsOf(one[name])) if (made.has(id)) ids.add(id)
  }
  const titles = new Map<number, string>()
  for (const [name, ids] of wanted) {
    const type = plan.types.require(name)
    const found = await fetchRecords(tx, { account_id, type_id: type.type_id }, [...ids], [])
    for (const { id, data } of found) titles.set(id, recordTitle(type, data ?? {}))
  }
  return titles
}

async function readForeseen(
  { tx, account_id }: BatchPlace,
  dryRun: DryRun,
  matched: MatchedRow[]
): Promise<Map<number, ForeseenRow>> {
  const numbers = matched.map(({ row }) => row.raw.row)
  const found = await listForeseen(tx, { account_id, ...dryRun }, numbers)
  const rows = new Map(found.map((row) => [row.row_number, row]))
  if (rows.size === numbers.length) return rows
  const day = new Date().toISOString().slice(0, 10)
  throw appError('rows_gone', { id: dryRun.id, day })
}
