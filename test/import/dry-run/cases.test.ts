// Every case of importing (../cases) as a dry run that is then applied: it shows what the import
// will do, and the import does that.

import t from 'tap'
import { caseNames, type Done, readJson, runCase, runStep } from '../../helpers/import-cases.ts'
import { until } from '../../helpers/until.ts'
import { type Setup, setup } from '../../setup.ts'

interface Row {
  outcome: string
  problems: { code: string }[]
}

t.test('cases', async (t) => {
  const service = await setup(t, { worker: true })
  for (const name of caseNames) {
    await t.test(name.replaceAll('-', ' '), async (t) => {
      const { actual } = await runCase(service, name, async (key, step) => {
        const dry_run = { ...step, options: { ...step.options, dry_run: true } }
        const dry = await runStep(service, key, name, dry_run)
        if (dry.state !== 'ready') return dry
        const done = await apply(service, key, dry)
        t.strictSame(done.counts, dry.counts)
        t.strictSame(done.references_created, dry.references_created)
        t.strictSame(await rowsOf(service, key, done), await rowsOf(service, key, dry))
        return done
      })
      t.strictSame(actual, { ...readJson(name, 'expected.json') })
    })
  }
})

async function apply(service: Setup, key: string, { id }: Done): Promise<Done> {
  const { status, body } = await service.request('POST', `/imports/${id}/apply`, { key })
  if (status !== 202) throw new Error(`not applied: ${JSON.stringify(body)}`)
  return until(`the end of ${body.id}`, async () => {
    const { body: now } = await service.request('GET', `/imports/${body.id}`, { key })
    return now.finished_at === null ? null : now
  })
}

async function rowsOf(service: Setup, key: string, { id }: Done) {
  const { body } = await service.request('GET', `/imports/${id}/rows?limit=500`, { key })
  return body.data.map(({ outcome, problems }: Row) => [outcome, ...problems.map((p) => p.code)])
}
