// The rules of importing as folders: test/import/cases/<name>/ holds
//   type.json      { "type", "options", "before": [{ "type", "file", "options" }],
//                    "define": [{ "method", "path", "body" }], "show": ["users"] }
//   input.csv      what is imported
//   expected.json  { "state", "counts", "references_created", "rows", "records" }
// Everything runs through the API and a worker, each case in an account of its own. `define` are
// requests made first (record types, profiles); `show` names the types whose records are compared
// whole, references by title (without it: organizations and contacts, without references).
// A new case needs no code. `rows` lists outcomes in file order; `codes` are the problems' codes.

import t from 'tap'
import { caseNames, readJson, runCase } from '../helpers/import-cases.ts'
import { setup } from '../setup.ts'

t.test('cases', async (t) => {
  const service = await setup(t, { worker: true })
  for (const name of caseNames) {
    await t.test(name.replaceAll('-', ' '), async (t) => {
      const { done, actual } = await runCase(service, name)
      t.strictSame(actual, { ...readJson(name, 'expected.json') })
      // Every row is accounted for, whatever the case is about.
      const counted = Object.values(done.counts).reduce((a, b) => a + b)
      t.equal(counted, done.rows.total)
    })
  }
})
