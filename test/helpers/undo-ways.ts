// Imports and undos run in this process, batch by batch as small as wanted, and what they leave behind.

import { runImport } from '../../src/import/job.ts'
import { keysOf } from '../../src/record-types/match-keys.ts'
import { loadTypes } from '../../src/record-types/store.ts'
import type { RecordData } from '../../src/record-types/types.ts'
import { idsOf } from '../../src/records/history/shown-values.ts'
import { runUndo } from '../../src/undo/run-undo.ts'
import type { Setup } from '../setup.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
type Json = any

export interface JobOptions {
  batchRows?: number
  /** Ends the attempt when it is asked for the so many-th time whether to stop. */
  looks?: number
}

/** Runs a queued job of the account, here and now. Out: its JSON afterwards. */
export async function runJob(service: Setup, id: number, options: JobOptions = {}): Promise<Json> {
  const { pool, log, secrets, account_id } = service
  const config = { ...service.config, batchRows: options.batchRows ?? 3_000 }
  let looks = 0
  const signal = new Proxy(new AbortController().signal, {
    get: (target, name) =>
      name === 'aborted' ? ++looks > (options.looks ?? Infinity) : Reflect.get(target, name)
  })
  const context = { pool, log, secrets, config, signal }
  const job = { account_id, import_id: id }
  try {
    if (!(await runUndo(context, job))) await runImport(context, job)
  } catch (error) {
    // Given back: the queue would hand it out again.
    if ((error as Error).name !== 'GivenBack') throw error
  }
  return (await service.get(`/imports/${id}`)).body
}

/** Sends a file and imports it. */
export async function importHere(
  service: Setup,
  rows: string[][],
  fields: Record<string, unknown>,
  options: JobOptions = {}
): Promise<Json> {
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
  const csv = rows.map((row) => `${row.map(cell).join(',')}\n`).join('')
  const { status, body } = await service.uploadCsv(csv, fields)
  if (status !== 202) throw new Error(`refused: ${JSON.stringify(body)}`)
  return runJob(service, body.id, options)
}

/** Asks for an undo. Throws an Error unless it is accepted. Out: its id. */
export async function askUndo(
  service: Setup,
  id: number,
  { verb = 'undo', dry_run = false } = {}
): Promise<number> {
  const path = `/imports/${id}/${verb}`
  const { status, body } = await service.request('POST', path, { body: { dry_run } })
  if (status !== 202) throw new Error(`${path} refused: ${JSON.stringify(body)}`)
  return body.id
}

/** Takes an import back. Out: the undo's JSON, and its outcomes. */
export async function undoHere(
  service: Setup,
  id: number,
  asked: { verb?: 'undo' | 'redo'; dry_run?: boolean } = {},
  options: JobOptions = {}
): Promise<{ undo: Json; rows: Json[] }> {
  const undo = await runJob(service, await askUndo(service, id, asked), options)
  return { undo, rows: await rowsOf(service, undo.id) }
}

/** All outcomes of a job. */
export async function rowsOf(service: Setup, id: number): Promise<Json[]> {
  const { body } = await service.get(`/imports/${id}/rows?limit=500`)
  return body.data
}

/** Outcomes as short texts: outcome, then the codes of the problems. */
export function codesOf(rows: Json[]): string[] {
  return rows.map(({ outcome, problems }) =>
    [outcome, ...problems.map(({ code }: Json) => code)].join(' ')
  )
}

export interface Store {
  records: Record<number, { type_id: number; organization_id: number | null; data: RecordData }>
  keys: string[]
}

/** Everything that the account has: records without versions and times, and keys. */
export async function readStore({ pool, account_id }: Setup): Promise<Store> {
  const { rows } = await pool.query(
    'SELECT id, type_id, organization_id, data FROM records WHERE account_id = $1 ORDER BY id',
    [account_id]
  )
  const keys = await pool.query(
    'SELECT type_id, rule, value, record_id FROM record_keys WHERE account_id = $1',
    [account_id]
  )
  return {
    records: Object.fromEntries(rows.map(({ id, ...rest }) => [id, rest])),
    keys: keys.rows.map((row) => Object.values(row).join(' ')).sort()
  }
}

/** What is wrong in itself: references to what is not there, keys that are not those of the values. */
export async function faultsOf({ pool, account_id }: Setup, store: Store): Promise<string[]> {
  const types = await loadTypes(pool, account_id)
  const faults: string[] = []
  const keys: string[] = []
  for (const [id, { type_id, organization_id, data }] of Object.entries(store.records)) {
    const type = types.getById(type_id)
    if (!type) continue
    for (const { name, reference } of type.fields) {
      if (!reference) continue
      const gone = idsOf(data[name]).filter((one) => !store.records[one])
      if (gone.length > 0) faults.push(`record ${id}: ${name} is ${gone}, which is gone`)
    }
    for (const rule of type.match_rules) {
      for (const key of keysOf(rule, data, organization_id)) {
        keys.push([type_id, rule.code, key, id].join(' '))
      }
    }
  }
  const wanted = new Set(keys)
  const held = new Set(store.keys)
  faults.push(...store.keys.filter((key) => !wanted.has(key)).map((key) => `odd key ${key}`))
  faults.push(...keys.filter((key) => !held.has(key)).map((key) => `missing key ${key}`))
  return faults
}
