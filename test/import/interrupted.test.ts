// An import that is interrupted after every batch becomes the same as one that runs through: what it
// remembered of repeats and of rows that wait is found again.

import t from 'tap'
import { runImport } from '../../src/import/job.ts'
import { type Setup, setup } from '../setup.ts'

/** Runs an import; each attempt ends after a few batches. Out: how many attempts it took. */
async function runInPieces(service: Setup, import_id: number): Promise<number> {
  const { pool, log, secrets, account_id } = service
  const config = { ...service.config, batchRows: 2 }
  for (let attempts = 1; ; attempts++) {
    let looks = 0
    // Each attempt gets a little further, as a service that is restarted all the time.
    const isOver = () => ++looks > 3 + attempts
    const signal = new Proxy(new AbortController().signal, {
      get: (target, name) => (name === 'aborted' ? isOver() : Reflect.get(target, name))
    })
    const context = { pool, log, secrets, config, signal }
    // Given back: the job fails, so that the queue hands it out again.
    await runImport(context, { account_id, import_id }).catch((error: Error) => {
      if (error.name !== 'GivenBack') throw error
    })
    const { body } = await service.get(`/imports/${import_id}`)
    if (body.finished_at !== null) return attempts
    if (attempts > 50) throw new Error('no end in 50 attempts')
  }
}

const csv = [
  'External ID,Name,Parent',
  'x1,Leaf,Branch',
  'x2,Branch,Trunk',
  'x3,Trunk,',
  'x3,Trunk,',
  'x4,Orphan,Nobody',
  'x5,Other,',
  ',Other,',
  'x6,Last,Leaf'
].join('\n')

async function outcomesOf(service: Setup, id: number) {
  const { body } = await service.get(`/imports/${id}/rows`)
  return body.data.map((row: { outcome: string; problems: { code: string }[] }) =>
    [row.outcome, ...row.problems.map(({ code }) => code)].join(' ')
  )
}

const expected = [
  'created',
  'created',
  'created',
  'unchanged folded_into_record',
  'rejected unknown_reference',
  'created',
  'rejected duplicate_in_file',
  'created'
]

t.test('an import in one piece, and one in many', async (t) => {
  const service = await setup(t)
  const { body } = await service.uploadCsv(csv, { type: 'organizations' })
  t.ok((await runInPieces(service, body.id)) > 3, 'really in pieces')
  t.strictSame(await outcomesOf(service, body.id), expected)
  const { rows } = await service.pool.query(
    `SELECT (SELECT count(*) FROM import_waiting_rows) AS waiting,
      (SELECT count(*) FROM records r WHERE r.type_id = 1) AS organizations`
  )
  t.strictSame(rows, [{ waiting: 0, organizations: 5 }])

  const other = await setup(t, { worker: true })
  const { body: whole } = await other.uploadCsv(csv, { type: 'organizations' })
  await other.waitForImport(whole.id)
  t.strictSame(await outcomesOf(other, whole.id), expected)
})

t.test('all or nothing: rows that name later ones go in, or say why nothing did', async (t) => {
  const service = await setup(t, { worker: true })
  const run = async (text: string) => {
    const options = { type: 'organizations', allow_partial: 'false' }
    const { body } = await service.uploadCsv(text, options)
    await service.waitForImport(body.id)
    return outcomesOf(service, body.id)
  }
  t.strictSame(await run('Name,Parent\nLeaf,Trunk\nOne,Two\nTwo,One\nTrunk,\n'), [
    'skipped all_or_nothing',
    'rejected unknown_reference',
    'rejected unknown_reference',
    'skipped all_or_nothing'
  ])
  t.strictSame(await run('Name,Parent\nLeaf,Trunk\nTrunk,\n'), ['created', 'created'])
})

t.test('rows that wait when an import is cancelled are there for a retry', async (t) => {
  const service = await setup(t)
  const { body } = await service.uploadCsv(csv, { type: 'organizations' })
  const { pool, log, secrets, config, account_id } = service
  let looks = 0
  const signal = new Proxy(new AbortController().signal, {
    get: (target, name) => (name === 'aborted' ? ++looks > 3 : Reflect.get(target, name))
  })
  const context = { pool, log, secrets, config: { ...config, batchRows: 2 }, signal }
  await runImport(context, { account_id, import_id: body.id }).catch(() => {})
  const waiting = async () =>
    (await pool.query('SELECT count(*) AS count FROM import_waiting_rows')).rows[0].count
  t.ok((await waiting()) > 0, 'some wait')
  await pool.query(`UPDATE imports SET state = 'running', asked = 'cancel'`)
  await runImport(
    { ...context, signal: new AbortController().signal },
    {
      account_id,
      import_id: body.id
    }
  )
  t.equal((await service.get(`/imports/${body.id}`)).body.state, 'cancelled')
  t.ok((await waiting()) > 0, 'still wait')
  const { body: cancelled } = await service.get(`/imports/${body.id}`)
  t.equal((await service.request('POST', `/imports/${body.id}/retry`)).status, 202)
  t.ok((await runInPieces(service, body.id)) > 1)
  t.strictSame(await outcomesOf(service, body.id), expected)
  t.equal(await waiting(), 0)
  const { body: end } = await service.get(`/imports/${body.id}`)
  t.ok(cancelled.rows.done < end.rows.done, 'the retry had something to do')
  t.match(end, { state: 'completed_with_errors', rows: { done: 8, total: 8 }, error: null })
  t.match(end.counts, { created: 5, unchanged: 1, rejected: 2, failed: 0, not_reached: 0 })
})
