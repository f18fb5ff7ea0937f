// Whether a timed case did what it had to: a fast wrong answer is no result.
// Called by measure.ts and run-muster.ts.

import type pg from 'pg'
import type { ImportJson } from '../../src/import/import-json.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import type { CsvFacts } from '../make-csv.ts'
import type { CaseName } from './options.ts'
import type { TypeName } from './row-types.ts'
import type { Counts } from './yardsticks.ts'

/** What has to become of a file's rows. */
export function expectedCounts(caseName: CaseName, file: CsvFacts): Counts {
  const counts: Counts = { created: 0, updated: 0, unchanged: 0, rejected: file.badRows }
  if (caseName === 'update') counts.updated = file.changedRows
  const rest = file.rows - file.badRows - counts.updated
  counts[caseName === 'create' || caseName === 'bad' ? 'created' : 'unchanged'] = rest
  return counts
}

/** Throws an Error when counts differ; `what` names the side that was wrong. */
export function checkCounts(what: string, found: Partial<Counts>, expected: Counts): void {
  for (const name of Object.keys(expected) as (keyof Counts)[]) {
    if (found[name] === expected[name]) continue
    throw new Error(`${what} is wrong: ${found[name]} rows ${name}, expected ${expected[name]}`)
  }
}

/** Holds what the service says, and what its tables hold, to what has to be there. Throws an Error
 *  that names the first difference. */
export async function checkImport(
  client: pg.Client,
  json: ImportJson,
  done: { type: TypeName; name: CaseName; file: CsvFacts }
): Promise<void> {
  const { type, name, file } = done
  const what = `Muster, ${name} ${type}`
  const expected = expectedCounts(name, file)
  checkCounts(what, json.counts, expected)
  const { skipped, failed, not_reached } = json.counts
  if (skipped + failed !== 0 || not_reached !== 0)
    throw new Error(`${what}: not all rows were done`)
  // Such as a site that was not found: the row counts as created, with less work done.
  if (json.rows_with_warnings !== 0)
    throw new Error(`${what}: ${json.rows_with_warnings} rows have warnings`)
  if (name === 'create') checkReferences(what, json, file)
  const { rows } = await client.query<{ outcome: keyof Counts; count: number }>(
    `SELECT r.outcome, count(*)::integer FROM import_rows r WHERE r.import_id = $1 GROUP BY 1`,
    [json.id]
  )
  const stored = Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]))
  const none = { created: 0, updated: 0, unchanged: 0, rejected: 0 }
  checkCounts(`${what}, stored outcomes`, { ...none, ...stored }, expected)
  const written = await client.query<{ records: number; changes: number }>(
    `SELECT
      (SELECT count(*)::integer FROM records r WHERE r.type_id = $2::integer) AS records,
      (SELECT count(*)::integer FROM record_changes c WHERE c.import_id = $1::bigint) AS changes`,
    [json.id, builtinTypes.require(type).type_id]
  )
  const records = expected.created + expected.updated + expected.unchanged
  if (written.rows[0]?.records !== records || written.rows[0].changes !== expected.updated) {
    throw new Error(`${what}: the tables hold other records or changes than the counts say`)
  }
}

/** The same for an undo: all that the import wrote was taken back. */
export function checkUndo(json: ImportJson, done: { name: CaseName; file: CsvFacts }): void {
  const { name, file } = done
  const { reverted, kept, failed } = json.counts
  const made = Object.values(file.creates).reduce((sum, count) => sum + count, 0)
  const wanted = name === 'undo_update' ? file.changedRows : file.rows + made
  if (reverted === wanted && kept + failed === 0) return
  throw new Error(`Muster, ${name}: ${reverted} of ${wanted} reverted, ${kept + failed} not`)
}

function checkReferences(what: string, json: ImportJson, file: CsvFacts): void {
  for (const [type, count] of Object.entries(file.creates)) {
    const created = json.references_created[type]
    if (created !== count) throw new Error(`${what}: ${created} ${type} made, expected ${count}`)
  }
}
