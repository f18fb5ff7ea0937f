// The same files imported in different ways, and what each way leaves behind in a comparable form:
// in one import, in smaller batches, or in an import per row. How rows are put together must not be
// visible in any outcome, record, key or history entry.

import { isDeepStrictEqual } from 'node:util'
import { runImport } from '../../src/import/job.ts'
import { keysOf } from '../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import type { RecordData } from '../../src/record-types/types.ts'
import type { Setup } from '../setup.ts'
import { contentsOf } from './contents.ts'

/** A file to import. A cell `#2` stands for the id of the third record that earlier files made. */
export interface WayFile {
  type: string
  headers: string[]
  rows: string[][]
  options?: Record<string, unknown>
}

/** How many rows go into a batch, and whether each row is sent as an import of its own. */
export interface Way {
  batchRows: number
  rowByRow?: boolean
  /** Sends each file with allow_partial=false first; where that is refused, again without. */
  atomicFirst?: boolean
  /** Makes a dry run of each file and applies it: it must say what is done, and write nothing. */
  dryFirst?: boolean
  /** Ends each attempt of applying it after a few batches. */
  interrupted?: boolean
}

interface Account {
  account_id: number
  key: string
}

/** Imports the files one after the other into a new account. Out: what became of each row of each
 *  file, and everything the account holds then; ids are replaced by who made the record. */
export async function importFiles(service: Setup, files: WayFile[], way: Way) {
  const account = await service.makeAccount('way')
  const made: number[] = []
  const outcomes: OutcomeRow[][] = []
  for (const file of files) {
    const rows = file.rows.map((row) => row.map((cell) => idCell(cell, made)))
    const parts = way.rowByRow ? rows.map((row) => [row]) : [rows]
    const found: OutcomeRow[] = []
    for (const part of parts) {
      found.push(...(await importPart(service, account, { ...file, rows: part }, way)))
    }
    for (const row of found) if (row.outcome === 'created') made.push(row.record_id as number)
    outcomes.push(found)
  }
  const labels = await labelRecords(service, account, made)
  return {
    outcomes: outcomes.map((rows) => rows.map((row) => comparable(row, labels))),
    ...(await readRecords(service, account, labels))
  }
}

const idCell = (cell: string, made: number[]) =>
  cell.startsWith('#') ? String(made[Number(cell.slice(1))] ?? '') : cell

async function importPart(service: Setup, account: Account, file: WayFile, way: Way) {
  if (way.dryFirst) return await importDryFirst(service, account, file, way)
  if (way.atomicFirst) {
    const atomic = { ...file, options: { ...file.options, allow_partial: false } }
    const before = await contents(service, account)
    const rows = await importOnce(service, account, atomic, way)
    if (!rows.some((row) => row.outcome === 'rejected')) return rows
    if ((await contents(service, account)) !== before) throw new Error('refused, but written')
    const odd = rows.find((row) => row.outcome !== 'rejected' && row.outcome !== 'skipped')
    if (odd) throw new Error(`refused, but ${odd.outcome}`)
  }
  return importOnce(service, account, file, way)
}

/** Out: the outcomes of the import; they are those of the dry run. */
async function importDryFirst(service: Setup, account: Account, file: WayFile, way: Way) {
  const before = await contentsOf(service.pool)
  const { id, shown } = await runDry(service, account, file, way)
  const after = await contentsOf(service.pool)
  if (!isDeepStrictEqual(after, before)) throw new Error('a dry run, but written')
  const rows = await applyDry(service, account, id, way)
  const plain = (all: OutcomeRow[]) => JSON.stringify(all.map(withoutIds), null, 1)
  if (plain(rows) !== plain(shown)) {
    throw new Error(`shown ${plain(shown)}, done ${plain(rows)}: ${JSON.stringify(file)}`)
  }
  return rows
}

async function runDry(service: Setup, account: Account, file: WayFile, way: Way) {
  const dry = { ...file, options: { ...file.options, dry_run: true } }
  const shown = await importOnce(service, account, dry, { ...way, interrupted: false })
  return { id: await newestImport(service, account), shown }
}

async function applyDry(service: Setup, account: Account, id: number, way: Way) {
  const { account_id, key } = account
  const { status, body } = await service.request('POST', `/imports/${id}/apply`, { key })
  if (status !== 202) throw new Error(`not applied: ${JSON.stringify(body)}`)
  await run(service, account, body.id, way)
  return readOutcomes(service, account_id, body.id)
}

/** Imports files into a new account, makes a dry run of the last but one, imports the last one, and
 *  applies the dry run then. Out: what the dry run showed, and what became of it, by row. */
export async function importWithDrift(service: Setup, files: WayFile[], way: Way) {
  const account = await service.makeAccount('drift')
  const [between, file] = [files.at(-1), files.at(-2)] as [WayFile, WayFile]
  const plain = ({ rows, ...rest }: WayFile) => {
    return { ...rest, rows: rows.map((row) => row.map((cell) => (cell[0] === '#' ? '' : cell))) }
  }
  for (const one of files.slice(0, -2)) {
    await importOnce(service, account, plain(one), { batchRows: 100 })
  }
  const { id, shown } = await runDry(service, account, plain(file), way)
  await importOnce(service, account, plain(between), { batchRows: 100 })
  return { shown, done: await applyDry(service, account, id, way) }
}

function withoutIds({ outcome, matched_by, changed_fields, problems }: OutcomeRow) {
  const plain = problems?.map(({ code, candidates }) => {
    return { code, candidates: candidates?.map(({ title }) => title) }
  })
  return { outcome, matched_by, changed_fields, problems: plain }
}

async function newestImport({ pool }: Setup, { account_id }: Account): Promise<number> {
  const { rows } = await pool.query(
    'SELECT max(i.id) AS id FROM imports i WHERE i.account_id = $1',
    [account_id]
  )
  return rows[0].id
}

async function contents({ pool }: Setup, { account_id }: Account): Promise<string> {
  const { rows } = await pool.query(
    `SELECT (SELECT array_agg(r ORDER BY r.id)::text FROM records r WHERE r.account_id = $1),
      (SELECT count(*) FROM record_keys k WHERE k.account_id = $1) AS keys,
      (SELECT count(*) FROM record_changes c WHERE c.account_id = $1) AS changes`,
    [account_id]
  )
  return JSON.stringify(rows)
}

async function importOnce(service: Setup, { account_id, key }: Account, file: WayFile, way: Way) {
  const { type, headers, rows, options } = file
  const lines = [headers, ...rows].map((cells) => `${cells.map((c) => `"${c}"`).join(',')}\n`)
  const { status, body } = await service.uploadCsv(lines.join(''), { ...options, type, key })
  if (status !== 202) throw new Error(`upload refused: ${JSON.stringify(body)}`)
  await run(service, { account_id, key }, body.id, way)
  const found = await readOutcomes(service, account_id, body.id)
  if (found.length !== rows.length) throw new Error(`${found.length} outcomes of ${rows.length}`)
  return found
}

/** Runs an import to its end, in one attempt or in many. */
async function run(service: Setup, { account_id, key }: Account, import_id: number, way: Way) {
  const { pool, secrets, log, config } = service
  const own = { ...config, batchRows: way.batchRows }
  for (let attempts = 1; attempts < 50; attempts++) {
    let looks = 0
    // Each attempt gets a little further, as a service that is restarted all the time.
    const isOver = () => way.interrupted === true && ++looks > 3 + attempts
    const signal = new Proxy(new AbortController().signal, {
      get: (target, name) => (name === 'aborted' ? isOver() : Reflect.get(target, name))
    })
    const context = { pool, secrets, log, signal, config: own }
    await runImport(context, { account_id, import_id }).catch((error: Error) => {
      if (error.name !== 'GivenBack') throw error
    })
    const { body } = await service.request('GET', `/imports/${import_id}`, { key })
    if (body.finished_at !== null) return
  }
  throw new Error('no end in 50 attempts')
}

async function readOutcomes({ pool }: Setup, account_id: number, import_id: number) {
  const { rows } = await pool.query<OutcomeRow>(
    `SELECT r.outcome, r.record_id, r.matched_by, r.changed_fields, r.problems
    FROM import_rows r WHERE r.account_id = $1 AND r.import_id = $2 ORDER BY r.row_number`,
    [account_id, import_id]
  )
  return rows
}

interface OutcomeRow {
  outcome: string
  record_id: number | null
  matched_by: string | null
  changed_fields: string[] | null
  problems: { code: string; candidates?: { id: number; title: string }[] }[] | null
}

type Labels = Map<number, string>

function comparable(row: OutcomeRow, labels: Labels) {
  const { outcome, record_id, matched_by, changed_fields } = row
  const problems = row.problems?.map(({ code, candidates }) => {
    return { code, candidates: candidates?.map(({ id, title }) => `${labels.get(id)} ${title}`) }
  })
  const record = record_id === null ? null : labels.get(record_id)
  return { outcome, record, matched_by, changed_fields, problems }
}

interface RecordRow {
  id: number
  type_id: number
  version: number
  organization_id: number | null
  data: RecordData
}

/** Records that rows made are numbered in the order of the rows; those made by name are named. */
async function labelRecords({ pool }: Setup, { account_id }: Account, made: number[]) {
  const labels: Labels = new Map(made.map((id, index) => [id, `#${index}`]))
  const { rows } = await pool.query<RecordRow>(
    'SELECT r.id, r.type_id, r.data FROM records r WHERE r.account_id = $1',
    [account_id]
  )
  for (const { id, type_id, data } of rows) {
    if (!labels.has(id)) labels.set(id, `${type_id}:${data.name}`)
  }
  return labels
}

async function readRecords({ pool }: Setup, { account_id }: Account, labels: Labels) {
  const { rows } = await pool.query<RecordRow>(
    `SELECT r.id, r.type_id, r.version, r.organization_id, r.data
    FROM records r WHERE r.account_id = $1`,
    [account_id]
  )
  const keys = await readKeys(pool, account_id)
  const changes = await readChanges(pool, account_id)
  const links = await readLinks(pool, account_id)
  const records = rows.map(({ id, type_id, version, organization_id, data }) => {
    if (organization_id !== (data.organization ?? null)) throw new Error(`record ${id} is torn`)
    const wanted = wantedKeys(type_id, data, organization_id)
    const same = wanted.join('\n') === (keys.get(id) ?? []).join('\n')
    if (!same) throw new Error(`record ${id} has keys ${keys.get(id)} instead of ${wanted}`)
    if (changes.get(id) !== version - 1 && version > 1) throw new Error(`history of ${id} is torn`)
    const organization = organization_id === null ? null : labels.get(organization_id)
    return {
      record: labels.get(id),
      version,
      organization,
      data: namedReferences(type_id, data, labels),
      links: links.get(id)
    }
  })
  return { records: records.sort((a, b) => ((a.record ?? '') < (b.record ?? '') ? -1 : 1)) }
}

function namedReferences(type_id: number, data: RecordData, labels: Labels) {
  const type = builtinTypes.list.find((one) => one.type_id === type_id)
  const named: Record<string, unknown> = { ...data }
  for (const { name, kind } of type?.fields ?? []) {
    if (kind !== 'reference' || !(name in data)) continue
    if (typeof data[name] !== 'number') throw new Error(`${name} holds ${data[name]}, not an id`)
    named[name] = labels.get(data[name])
  }
  return named
}

/** The keys that a record must have by its values: `rule value`, sorted. */
function wantedKeys(type_id: number, data: RecordData, organization_id: number | null): string[] {
  const type = builtinTypes.list.find((one) => one.type_id === type_id)
  const keys = type?.match_rules.flatMap((rule) =>
    keysOf(rule, data, organization_id).map((key) => `${rule.code} ${key}`)
  )
  return (keys ?? []).sort()
}

async function readKeys(pool: Setup['pool'], account_id: number) {
  const { rows } = await pool.query<{ record_id: number; keys: string[] }>(
    `SELECT k.record_id, array_agg(k.rule || ' ' || k.value ORDER BY k.rule || ' ' || k.value
      COLLATE "C") AS keys
    FROM record_keys k WHERE k.account_id = $1 GROUP BY k.record_id`,
    [account_id]
  )
  return new Map(rows.map((row) => [row.record_id, row.keys]))
}

async function readLinks(pool: Setup['pool'], account_id: number) {
  const { rows } = await pool.query<{ record_id: number; links: string[] }>(
    `SELECT l.record_id, array_agg(concat_ws(' ', l.system, l.external_id, l.state) ORDER BY l.system)
      AS links
    FROM record_links l WHERE l.account_id = $1 GROUP BY l.record_id`,
    [account_id]
  )
  return new Map(rows.map((row) => [row.record_id, row.links]))
}

async function readChanges(pool: Setup['pool'], account_id: number) {
  const { rows } = await pool.query<{ record_id: number; count: number }>(
    'SELECT c.record_id, count(*) FROM record_changes c WHERE c.account_id = $1 GROUP BY c.record_id',
    [account_id]
  )
  return new Map(rows.map((row) => [row.record_id, row.count]))
}
