// The rules of the architecture as tests over the real source, each with its reason, and proof on
// small bad samples that each rule can tell.

import t from 'tap'
import * as rules from './helpers/architecture-rules.ts'
import { readSources, sourceFile } from './helpers/source-files.ts'

const source = await readSources('src')
const everything = [...source, ...(await readSources('test', 'scripts'))]

interface Case {
  title: string
  rule: rules.Rule
  /** What a change that breaks the rule costs us. */
  reason: string
  /** Files looked at; default: all of src. */
  files?: typeof source
  /** Path -> text of files that break the rule. */
  bad: Record<string, string>
  /** Path -> text of files that look similar and are fine. */
  good: Record<string, string>
}

const cases: Case[] = [
  {
    title: 'no file imports one above it',
    rule: rules.neverUpward,
    reason: 'lower parts can be read, tested and moved without the upper ones',
    bad: {
      'src/platform/db.ts': "import { runImport } from '../import/job.ts'",
      'src/records/routes.ts': "import type { App } from '../app.ts'",
      'src/app.ts': "export { main } from './main.ts'"
    },
    good: {
      'src/main.ts': "import { buildApp } from './app.ts'",
      'src/platform/http.ts': "import { appError } from '../errors.ts'",
      'src/errors.ts': "import type { Problem } from './import/terms.ts'"
    }
  },
  {
    title: 'no imports go in a circle, types included',
    rule: rules.noCycles,
    reason: 'files of a circle can only be understood all at once',
    bad: {
      'src/a.ts': "import { b } from './b.ts'",
      'src/b.ts': "import type { C } from './c.ts'",
      'src/c.ts': "const a = await import('./a.ts')"
    },
    good: {
      'src/a.ts': "import { b } from './b.ts'\nimport { c } from './c.ts'",
      'src/b.ts': "import {\n  c\n} from './c.ts'",
      'src/c.ts': "// import { a } from './a.ts'"
    }
  },
  {
    title: 'modules know only the modules they build on',
    rule: rules.knownNeighbours,
    reason: 'each arrow between modules is a decision, and there are few',
    bad: {
      'src/records/store.ts': "import { x } from '../import/store.ts'",
      'src/import/job.ts': "import { x } from '../access/store.ts'",
      'src/import/run.ts': "import { x } from '../undo/run-undo.ts'"
    },
    good: {
      'src/import/job.ts': "import { x } from '../records/store.ts'",
      'src/import/routes.ts': "import { x } from '../access/guard.ts'",
      'src/records/store.ts': "import type { Problem } from '../import/terms.ts'"
    }
  },
  {
    title: 'notify and console are imported by the two lists only',
    rule: rules.listenersAreListedOnly,
    reason: 'importing writes events; who listens can change without touching it',
    bad: { 'src/main.ts': "import { x } from './notify/send.ts'" },
    good: { 'src/jobs.ts': "import { x } from './notify/send.ts'" }
  },
  {
    title: 'only routes see requests and replies',
    rule: rules.onlyRoutesSeeRequests,
    reason: 'what a route calls can be called by jobs, scripts and tests as well',
    bad: {
      'src/import/store.ts': "import type { FastifyRequest } from 'fastify'",
      'src/records/list.ts': 'export function list(request: FastifyRequest) {}'
    },
    good: { 'src/records/routes.ts': "import type { FastifyRequest } from 'fastify'" }
  },
  {
    title: 'SQL is in its places',
    rule: rules.sqlInItsPlaces,
    reason: 'whoever changes a table finds all its statements, and none is inside a loop of rules',
    bad: {
      'src/import/job.ts': 'await pool.query(sql)',
      'src/records/list.ts': 'const sql = `/* records.list */\n SELECT r.id FROM records r`'
    },
    good: {
      'src/import/store.ts': 'await tx.query(`SELECT 1`)',
      'src/import/job.ts': '// SELECT is done in store.ts'
    }
  },
  {
    title: 'parse, resolve and decide are pure',
    rule: rules.pureStepsStayPure,
    reason: 'all rules of the field can be tested with plain data, fast and without a database',
    bad: {
      'src/import/decide/decide-row.ts': "import pg from 'pg'",
      'src/import/resolve/plan.ts': "import { createLog } from '../../platform/log.ts'",
      'src/import/parse/sniff.ts': 'const now = Date.now()'
    },
    good: {
      'src/import/parse/sniff.ts': "import csv from 'csv-parser'",
      'src/import/resolve/plan.ts': "import type { RecordType } from '../../record-types/types.ts'"
    }
  },
  {
    title: 'there are no barrels',
    rule: rules.noBarrels,
    reason: 'an import says where a thing is, and brings nothing else along',
    bad: {
      'src/a.ts': "// all\nexport * from './b.ts'\nexport const x = 1",
      'src/b.ts': "export { a } from './a.ts'\nexport {\n  c\n} from './c.ts'"
    },
    good: { 'src/a.ts': "export type { B } from './b.ts'\nexport const x = 1" }
  },
  {
    title: 'there are no default exports',
    rule: rules.noDefaultExports,
    reason: 'a thing has one name everywhere',
    bad: { 'src/a.ts': 'export default function a() {}', 'src/b.ts': 'export { b as default }' },
    good: { 'src/a.ts': 'export const byDefault = 1' }
  },
  {
    title: 'only config.ts reads the environment',
    rule: rules.environmentInConfigOnly,
    reason: 'every setting is found in one place and can be passed in by a test',
    bad: { 'src/app.ts': 'const port = process.env.PORT' },
    good: { 'src/config.ts': 'const port = process.env.PORT' }
  },
  {
    title: 'every source file opens with what it is',
    rule: rules.opensWithComment,
    reason: 'a stranger reads three lines instead of the file',
    files: everything,
    bad: { 'src/a.ts': "import a from 'a'\n// late" },
    good: { 'src/a.ts': '// What it is.\nimport', 'scripts/b.ts': '#!/usr/bin/env node\n// It.' }
  },
  {
    title: 'no file is longer than 400 lines',
    rule: rules.filesStayShort,
    reason: 'a file is read as a whole',
    files: everything,
    bad: { 'src/a.ts': 'x\n'.repeat(401) },
    good: { 'src/a.ts': 'x\n'.repeat(400) }
  },
  {
    title: 'no function is longer than 60 lines',
    rule: rules.functionsStayShort,
    reason: 'a function is understood at one look',
    files: everything,
    bad: {
      'src/a.ts': `export async function a(\n  b: string\n): Promise<void> {\n${'  x()\n'.repeat(57)}}\n`,
      'src/b.ts': `const b = () => {\n${'  x()\n'.repeat(59)}}\n`,
      'src/c.ts': `const c = {\n  async d(e) {\n${'    x()\n'.repeat(59)}  }\n}\n`
    },
    good: {
      'src/a.ts': `function a() {\n${'  x()\n'.repeat(58)}}\n`,
      'src/b.ts': `if (a(b)) {\n${'  x()\n'.repeat(70)}}\n`
    }
  },
  {
    title: 'a folder has at least three files',
    rule: rules.foldersAreWorthIt,
    reason: 'a folder to open for one file hides it',
    bad: { 'src/a/b.ts': '//' },
    good: { 'src/a/b.ts': '//', 'src/a/c.ts': '//', 'src/a/d.ts': '//' }
  }
]

for (const { title, rule, reason, files, bad, good } of cases) {
  t.test(title, async (t) => {
    t.same(rule(files ?? source), [], reason)
    t.not(rule(toFiles(bad)).length, 0, 'finds the bad samples')
    t.same(rule(toFiles(good)), [], 'finds nothing in the good samples')
  })
}

t.test('every bad sample is found, not only one of them', async (t) => {
  const whole = new Set([rules.noCycles, rules.foldersAreWorthIt])
  for (const { title, rule, bad } of cases) {
    if (whole.has(rule)) continue
    for (const [path, text] of Object.entries(bad)) {
      t.equal(rule([sourceFile(path, text)]).length > 0, true, `${title}: ${path}`)
    }
  }
})

function toFiles(samples: Record<string, string>) {
  return Object.entries(samples).map(([path, text]) => sourceFile(path, text))
}
