// The page about event streams: its program is run against a real server, its links lead somewhere.

import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../../helpers/cluster.ts'
import { blockAfter, brokenLinks } from '../../helpers/doc-blocks.ts'
import { startProcess } from '../../helpers/processes.ts'
import { setup } from '../../setup.ts'

const root = join(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/streaming.md'), 'utf8')

t.test('the program of the page follows an import to its end', async (t) => {
  const s = await setup(t)
  const { id } = (await s.uploadCsv('organization,first_name\nAcme,Ann\n')).body
  const program = join(await temporaryFolder(t), 'follow.mjs')
  await writeFile(program, blockAfter(page, '## Coming again', 'js'))
  const env = { MUSTER_URL: s.url, MUSTER_API_KEY: s.key }
  const child = startProcess(t, relative(root, program), [String(id)], env)
  await child.waitFor(/^state queued 0$/m)
  await s.startWorker()
  t.equal(await child.ended, 0)
  t.match(child.stdout(), /^state queued 0\n[\s\S]*state completed 1\nend completed 1\n$/)
})

t.test('the page names the events, headers and limits that there are', async (t) => {
  t.same(brokenLinks(page, join(root, 'docs')), [])
  const s = await setup(t)
  const { id } = (await s.uploadCsv('organization,first_name\nAcme,Ann\n')).body
  const { headers } = await s.request('HEAD', `/imports/${id}/events`)
  for (const name of ['Cache-Control', 'X-Accel-Buffering']) {
    t.match(page, `\`${name}: ${headers.get(name)}\``)
  }
})
