// The rules of importing as folders: test/import/cases/<name>/ holds
//   type.json      { "type", "options", "before": [{ "type", "file", "options" }] }
//   input.csv      what is imported
//   expected.json  { "state", "counts", "references_created", "rows", "records" }
// Everything runs through the API and a worker, each case in an account of its own.
// A new case needs no code. `rows` lists outcomes in file order; `codes` are the problems' codes.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const folder = join(import.meta.dirname, 'cases')
const names = readdirSync(folder).sort()

interface Step {
  type: string
  file: string
  options?: Record<string, unknown>
}

const read = (name: string, file: string) => readFileSync(join(folder, name, file))
const readJson = (name: string, file: string) => JSON.parse(read(name, file).toString())

t.test('cases', async (t) => {
  const service = await setup(t, { worker: true })
  for (const name of names) {
    await t.test(name.replaceAll('-', ' '), async (t) => {
      const { key } = await service.makeAccount(name)
      const given = readJson(name, 'type.json')
      for (const step of given.before ?? []) await runStep(service, key, name, step)
      const done = await runStep(service, key, name, { file: 'input.csv', ...given })
      const actual = await look(service, key, done)
      t.strictSame(actual, { ...readJson(name, 'expected.json') })
      // Every row is accounted for, whatever the case is about.
      const counted = Object.values(done.counts as Record<string, number>).reduce((a, b) => a + b)
      t.equal(counted, done.rows.total)
    })
  }
})

async function runStep(service: Setup, key: string, name: string, step: Step) {
  const fields = { type: step.type, ...step.options, key }
  const { status, body } = await service.uploadCsv(read(name, step.file), fields)
  if (status !== 202) throw new Error(`${name}/${step.file} refused: ${JSON.stringify(body)}`)
  return until(`the end of ${name}/${step.file}`, async () => {
    const { body: now } = await service.request('GET', `/imports/${body.id}`, { key })
    return now.finished_at === null ? null : now
  })
}

async function look(service: Setup, key: string, done: { id: number; [name: string]: unknown }) {
  const get = async (path: string) => (await service.request('GET', path, { key })).body.data
  const rows = await get(`/imports/${done.id}/rows`)
  const records: Record<string, unknown[]> = {}
  for (const type of ['organizations', 'contacts']) {
    const list = await get(`/records?type=${type}`)
    if (list.length > 0) records[type] = list.map(plainRecord)
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
