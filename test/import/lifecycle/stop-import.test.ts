// Pausing, going on and cancelling: from every state, at once or after the batch in flight.

import t from 'tap'
import { importStates } from '../../../src/import/status.ts'
import { type Setup, setup } from '../../setup.ts'

const csv = (names: string[]) =>
  `organization,first_name\n${names.map((name) => `Acme,${name}\n`).join('')}`
const names = ['Ann', 'Bob', 'Cid', 'Dan', 'Eve', 'Fay']

const post = (s: Setup, id: number, verb: string, headers = {}) =>
  s.request('POST', `/imports/${id}/${verb}`, { headers })

/** Holds the turn to write contacts until it is let go: a batch of contacts cannot end. */
async function holdContacts({ pool }: Setup): Promise<() => Promise<void>> {
  const tx = await pool.connect()
  await tx.query('BEGIN; UPDATE type_writes SET write_seq = write_seq WHERE type_id = 2')
  return async () => {
    await tx.query('ROLLBACK')
    tx.release()
  }
}

t.test('a running import pauses after the batch in flight, and goes on where it was', async (t) => {
  const s = await setup(t, { worker: true, config: { batchRows: 2 } })
  await s.runCsv(csv(['Zoe']))
  const letGo = await holdContacts(s)
  const { body } = await s.uploadCsv(csv(names))
  await s.waitForImport(body.id, ['running'])
  t.match(await post(s, body.id, 'pause'), { status: 202, body: { state: 'pausing' } })
  t.match(await post(s, body.id, 'pause'), { status: 202, body: { state: 'pausing' } })
  t.match(await post(s, body.id, 'resume'), { status: 202, body: { state: 'running' } })
  t.match(await post(s, body.id, 'resume'), { status: 202, body: { state: 'running' } })
  t.match(await post(s, body.id, 'pause'), { status: 202, body: { state: 'pausing' } })
  await letGo()
  const paused = await s.waitForImport(body.id, ['paused'])
  t.match(paused, { rows: { done: 2 }, counts: { created: 2 }, finished_at: null })
  t.match(await post(s, body.id, 'pause'), { status: 200, body: { state: 'paused' } })
  t.match(await post(s, body.id, 'resume'), { status: 202 })
  t.match(await s.waitForImport(body.id), { state: 'completed', counts: { created: 6 } })
  t.match(await post(s, body.id, 'pause'), { status: 409, body: { code: 'import_state_conflict' } })
})

t.test('one that writes everything or nothing is undone by a pause and begins anew', async (t) => {
  const s = await setup(t, { worker: true, config: { batchRows: 2 } })
  await s.runCsv(csv(['Zoe']))
  const letGo = await holdContacts(s)
  const { body } = await s.uploadCsv(csv(names), { allow_partial: 'false' })
  await s.waitForImport(body.id, ['running'])
  await post(s, body.id, 'pause')
  await letGo()
  const paused = await s.waitForImport(body.id, ['paused'])
  t.match(paused, { rows: { done: 0 } })
  t.equal((await s.get('/records?type=contacts')).body.data.length, 1)
  await post(s, body.id, 'resume')
  t.match(await s.waitForImport(body.id), { state: 'completed', counts: { created: 6 } })
})

t.test('a pause taken back just as the worker has seen it does not stop the import', async (t) => {
  const s = await setup(t, { config: { batchRows: 2 } })
  const { body } = await s.uploadCsv(csv(names))
  // The worker leaves at its first look, as if it had seen the pause; the request is gone by then.
  await s.pool.query(`CREATE FUNCTION take_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.asked := 'pause'; RETURN NEW; END $$;
    CREATE TRIGGER take_back BEFORE UPDATE OF next_row ON imports
      FOR EACH ROW WHEN (NEW.next_row = 2) EXECUTE FUNCTION take_back();
    CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE imports SET asked = NULL WHERE id = NEW.id; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER forget AFTER UPDATE OF next_row ON imports
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION forget();`)
  await s.startWorker()
  t.match(await s.waitForImport(body.id), { state: 'completed', counts: { created: 6 } })
})

t.test('a queued import is paused, resumed and cancelled at once', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv(csv(names))
  t.match(await post(s, body.id, 'pause'), { status: 200, body: { state: 'paused' } })
  t.match(await post(s, body.id, 'resume'), { status: 202, body: { state: 'queued' } })
  t.match(await post(s, body.id, 'resume'), { status: 202, body: { state: 'queued' } })
  const headers = { 'idempotency-key': 'stop it' }
  await post(s, body.id, 'pause')
  const end = { status: 200, body: { state: 'cancelled', finished_at: /Z$/ } }
  t.match(await post(s, body.id, 'cancel', headers), end)
  t.match(await post(s, body.id, 'cancel', headers), end)
  t.match(await post(s, body.id, 'cancel'), end)
  t.match(await post(s, 999_999, 'pause'), { status: 404 })
  const other = await s.makeAccount()
  for (const verb of ['pause', 'resume', 'cancel', 'retry']) {
    const answer = await s.request('POST', `/imports/${body.id}/${verb}`, { key: other.key })
    t.match(answer, { status: 404, body: { code: 'import_not_found' } })
  }
})

t.test('from every other state they are refused, and change nothing', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv(csv(names), { start: false })
  const may: Record<string, string[]> = {
    pause: ['queued', 'running', 'pausing', 'paused'],
    resume: ['queued', 'running', 'pausing', 'paused'],
    cancel: ['draft', 'queued', 'running', 'pausing', 'paused', 'cancelling', 'cancelled'],
    retry: ['cancelled', 'failed', 'completed_with_errors']
  }
  for (const [verb, states] of Object.entries(may)) {
    for (const state of importStates) {
      await s.pool.query('UPDATE imports SET state = $1, asked = NULL', [state])
      const { status } = await post(s, body.id, verb)
      const { rows } = await s.pool.query('SELECT state, asked FROM imports')
      if (states.includes(state)) t.not(status, 409, `${verb} from ${state}`)
      else {
        t.equal(status, 409, `${verb} from ${state}`)
        t.strictSame(rows, [{ state, asked: null }])
      }
    }
  }
})
