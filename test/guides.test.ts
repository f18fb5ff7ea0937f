// The guides are run: every block of commands in the order of the page, on a service of its own,
// and each answer is held against the block that follows it on the page.
// A json block shows a part of the answer (of an import: when it has ended), a plain one all of it.

import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { operationErrors } from '../src/error-catalogue.ts'
import { textOptions } from '../src/import/option-schemas.ts'
import { builtinTypes } from '../src/record-types/registry.ts'
import { rowProblems } from '../src/row-problem-catalogue.ts'
import { temporaryFolder } from './helpers/cluster.ts'
import { brokenLinks, type DocBlock, readBlocks, runBash } from './helpers/doc-blocks.ts'
import { setup } from './setup.ts'

const root = join(import.meta.dirname, '..')
const guides = readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`)
const docs = ['importing', 'dry-run', 'record-types', 'undo', 'links'].map(
  (name) => `docs/${name}.md`
)
const pages = [...guides, ...docs]
const documentedAddress = 'http://127.0.0.1:8080'

const read = (page: string) => readFileSync(join(root, page), 'utf8')

for (const page of pages) {
  t.test(`${page}: each command answers what the page shows`, async (t) => {
    const { url, key, waitForImport } = await setup(t, { worker: true })
    const cwd = await readersFolder(t, key)
    const [start, ...blocks] = readBlocks(read(page)).filter(isCommandOrAfter)
    t.match(start?.text, documentedAddress, 'the first block says where the service is')
    const prelude = (start as DocBlock).text.replace(documentedAddress, url)
    for (const [i, block] of blocks.entries()) {
      if (block.language !== 'bash') continue
      const shown = blocks[i + 1]
      const place = `${page}:${block.line}`
      const printed = (await runBash(prelude + block.text, { cwd })).replaceAll('\r\n', '\n')
      if (shown?.language === 'json') {
        const answer = JSON.parse(printed)
        const { id, links, state } = answer
        const isRunning = links?.self === `/imports/${id}` && state !== 'draft'
        t.hasStrict(isRunning ? await waitForImport(id) : answer, JSON.parse(shown.text), place)
      } else if (shown?.language === '') t.equal(printed, shown.text, place)
      else t.fail(`${place}: the page does not show what the command answers`)
    }
  })

  t.test(`${page}: links lead somewhere`, async (t) => {
    t.same(brokenLinks(read(page), join(root, dirname(page))), [])
  })
}

/** Commands, and the block that follows one of them. */
function isCommandOrAfter({ language }: DocBlock, i: number, all: DocBlock[]): boolean {
  return language === 'bash' || all[i - 1]?.language === 'bash'
}

/** What a reader has: the examples and the key, and a place to write to. */
async function readersFolder(t: Parameters<typeof temporaryFolder>[0], key: string) {
  const folder = await temporaryFolder(t)
  await symlink(join(root, 'examples'), join(folder, 'examples'))
  await mkdir(join(folder, '.muster'))
  await writeFile(join(folder, '.muster', 'api-key'), `${key}\n`)
  return folder
}

t.test('tables that the guides show are those of the examples', async (t) => {
  const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
  const examples = files
    .filter((name) => name.endsWith('.csv'))
    .map((name) => read(join('examples', name)))
  for (const page of guides) {
    const blocks = readBlocks(read(page))
    const tables = blocks.filter(
      ({ language }, i) => language === '' && (i === 1 || blocks[i - 1]?.language !== 'bash')
    )
    for (const { text, line } of tables) t.ok(examples.includes(text), `${page}:${line}`)
  }
})

t.test('Importing names every option and no code that does not exist', async (t) => {
  const page = read('docs/importing.md')
  const options = Object.keys(textOptions)
  t.same(
    options.filter((name) => !page.includes(`\`${name}`)),
    []
  )
  const linked = [...page.matchAll(/\[`(\w+)`\]\(errors\.md/g)].map((match) => match[1] as string)
  const known = { ...operationErrors, ...rowProblems }
  t.ok(linked.length > 20)
  t.same(
    linked.filter((code) => !(code in known)),
    []
  )
})

t.test('Record types lists the built-in types with what they require', async (t) => {
  const rows = read('docs/record-types.md').match(/^\| `\w+` (\|[^|]*){3}\|$/gm) ?? []
  const listed = rows.map((row) => row.split('|').map((cell) => cell.trim()))
  const shown = listed.map(([, name, , required]) => [name, required])
  const expected = builtinTypes.list.map(({ name, fields }) => {
    const names = fields.filter((one) => one.required).map((one) => `\`${one.name}\``)
    return [`\`${name}\``, names.join(', ')]
  })
  t.same(new Map(shown as [string, string][]), new Map(expected as [string, string][]))
})
