// Cases as folders (test/import/cases.test.ts tells what is in one): running one through the API and
// a worker, in an account of its own, and what it leaves in a comparable form.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Setup } from '../setup.ts'
import { until } from './until.ts'

const folder = join(import.meta.dirname, '../import/cases')
/** Names of all cases. */
export const caseNames = readdirSync(folder).sort()

/** A file of a case, and how it is sent. */
export interface Step {
  type: string
  file: string
  options?: Record<string, unknown>
}

const read = (name: string, file: string) => readFileSync(join(folder, name, file))
export const readJson = (name: string, file: string) => JSON.parse(read(name, file).toString())

/** Runs a case to its end; `finish` sees the service's answer to the last upload. Out: the import as
 *  JSON, and what is compared with the case's `expected.json`. */
export async function runCase(
  service: Setup,
  name: string,
  last: (key: string, step: Step) => Promise<Done> = (key, step) =>
    runStep(service, key, name, step)
) {
  const { key } = await service.makeAccount(name)
  const given = readJson(name, 'type.json')
  for (const { method, path, body } of given.define ?? []) {
    const answer = await service.request(method, path, { key, body })
    if (answer.status >= 300) throw new Error(`${name}: ${JSON.stringify(answer.body)}`)
  }
  for (const step of given.before ?? []) await runStep(service, key, name, step)
  const done = await last(key, { file: 'input.csv', ...given })
  const text = [...(given.before ?? []), { file: 'input.csv' }]
    .map((step) => read(name, step.file))
    .join()
  const show = given.show ? { types: given.show, text } : null
  return { done, actual: await look(service, key, done, show) }
}

/** An import that has ended, as JSON. */
export interface Done {
  id: number
  counts: Record<string, number>
  rows: { total: number }
  [name: string]: unknown
}

/** Sends a file of a case and waits for its end. */
export async function runStep(
  service: Setup,
  key: string,
  name: string,
  step: Step
): Promise<Done> {
  const fields = { type: step.type, ...step.options, key }
  const { status, body } = await service.uploadCsv(read(name, step.file), fields)
  if (status !== 202) throw new Error(`${name}/${step.file} refused: ${JSON.stringify(body)}`)
  return until(`the end of ${name}/${step.file}`, async () => {
    const { body: now } = await service.request('GET', `/imports/${body.id}`, { key })
    return now.finished_at === null ? null : now
  })
}

async function look(
  service: Setup,
  key: string,
  done: Done,
  show: { types: string[]; text: string } | null
) {
  const get = async (path: string) => (await service.request('GET', path, { key })).body.data
  const rows = await get(`/imports/${done.id}/rows`)
  const records: Record<string, unknown[]> = {}
  const titles = show ? await readTitles(get) : new Map()
  for (const type of show?.types ?? ['organizations', 'contacts']) {
    const list = await get(`/records?type=${type}`)
    if (list.length === 0) continue
    records[type] = list.map(
      show ? (one: unknown) => wholeRecord(one, titles, show.text) : plainRecord
    )
  }
  const counts = done.counts as Record<string, number>
  return {
    state: done.state,
    counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    references_created: done.references_created,
    rows: rows.map(plainRow),
    records
  }
}

type Get = (path: string) => Promise<{ id: number; title: string; name: string; fields: Field[] }[]>
interface Field {
  name: string
  kind: string
  reference: { type: string } | null
}

/** Which record of which type an id stands for, by field of a type. */
async function readTitles(get: Get) {
  const types = await get('/record-types')
  const titles = new Map<string, Map<number, string>>()
  for (const { name } of types) {
    const list = await get(`/records?type=${name}&limit=200`)
    titles.set(name, new Map(list.map(({ id, title }) => [id, title])))
  }
  const references = new Map<string, Map<number, string>>()
  for (const { name, fields } of types) {
    for (const field of fields) {
      if (field.reference) {
        references.set(`${name}.${field.name}`, titles.get(field.reference.type) ?? new Map())
      }
    }
  }
  return references
}

// What differs from run to run is only told to be there.
const changing = [/^[0-9a-f]{24}$/, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/]

// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
function wholeRecord(record: any, titles: Map<string, Map<number, string>>, text: string) {
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record.data)) {
    const names = titles.get(`${record.type}.${name}`)
    const shown = (one: unknown) => names?.get(one as number) ?? one
    values[name] = Array.isArray(value) ? value.map(shown) : shown(value)
  }
  const generated = ['client_id', 'project_id', 'desk_id', 'created']
  for (const name of generated) {
    const value = values[name]
    const isGenerated = changing.some((one) => one.test(String(value)))
    if (isGenerated && !text.includes(String(value))) values[name] = '(generated)'
  }
  const secrets = record.secrets?.length > 0 ? { secrets: record.secrets } : {}
  return { version: record.version, ...secrets, ...values }
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
function plainRow({ row, line, outcome, matched_by, changed_fields, problems }: any) {
  return {
    row,
    line,
    outcome,
    ...(matched_by !== null && { matched_by }),
    ...(changed_fields !== null && { changed_fields }),
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the API
    ...(problems.length > 0 && { codes: problems.map((problem: any) => problem.code) })
  }
}

/** Without ids, which differ from run to run: the organization by its name. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
function plainRecord({ version, organization, data }: any) {
  const values = { ...data }
  for (const name of [
    'organization',
    'contact_type',
    'organization_status',
    'organization_type',
    'parent'
  ]) {
    delete values[name]
  }
  return { version, ...(organization !== null && { organization: organization.title }), ...values }
}
