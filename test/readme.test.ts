// The README is run: its file is sent, and the answer has the shape that the README shows.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../src/config.ts'
import { blockAfter, brokenLinks, linksOf } from './helpers/doc-blocks.ts'
import { setup } from './setup.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The same JSON with every value that differs from run to run replaced by its type. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape)
  if (value === null || typeof value !== 'object') return value === null ? null : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shape(one)]))
}

t.test('the example gives the answer and the rejects file that the README shows', async (t) => {
  const { uploadCsv, startWorker, waitForImport, get } = await setup(t)
  const csv = /<<'CSV'\n([\s\S]*?)CSV\n/.exec(readme)?.[1] ?? ''
  const { status, body } = await uploadCsv(csv, { name: 'contacts.csv' })
  t.equal(status, 202)
  const shown = JSON.parse(blockAfter(readme, '## Send a file', 'json'))
  t.strictSame(shape(body), shape(shown))
  t.strictSame(body.columns, shown.columns)
  t.equal(body.file.sha256, shown.file.sha256)
  await startWorker()
  const done = await waitForImport(body.id)
  t.match(done, { state: 'completed_with_errors', counts: { created: 1, rejected: 1 } })
  t.strictSame(done.references_created, { organizations: 1 })
  const rejects = await get(`/imports/${body.id}/rejects.csv`)
  t.equal(rejects.body.replaceAll('\r\n', '\n'), blockAfter(readme, 'A moment later', ''))
})

t.test('every file that the README links to exists', async (t) => {
  t.ok(linksOf(readme).length > 5)
  t.same(brokenLinks(readme, root), [])
})

t.test('every variable that the README names is one that the configuration reads', async (t) => {
  const source = readFileSync(join(root, 'src/config.ts'), 'utf8')
  const names = new Set(readme.match(/\b(MUSTER_[A-Z_]+|DATABASE_URL)\b/g))
  t.ok(names.size > 5)
  for (const name of names) t.ok(source.includes(name), name)
  t.equal(readConfig({}).port, 8080, 'the port shown is the default')
})
