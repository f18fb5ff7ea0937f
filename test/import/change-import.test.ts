// Drafts are changed and started, imports are cancelled: only from the states that allow it.

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { importStates } from '../../src/import/status.ts'
import { type Setup, setup } from '../setup.ts'

const csv = 'Company,Vorname,E-Mail\nAcme,Ann,ann@example.com\n'

async function draft(s: Setup, options = {}): Promise<{ id: number; path: string }> {
  const { body } = await s.uploadCsv(csv, { start: false, ...options })
  return { id: body.id, path: `/imports/${body.id}` }
}

const patch = (s: Setup, path: string, body: unknown) => s.request('PATCH', path, { body })
const setState = (s: Setup, id: number, state: string) =>
  s.pool.query('UPDATE imports SET state = $2::text WHERE id = $1::bigint', [id, state])
async function deleteUploads(s: Setup): Promise<void> {
  const uploads = join(s.config.dataDir, 'uploads')
  for (const name of await readdir(uploads)) await rm(join(uploads, name), { recursive: true })
}

const fieldsOf = (body: { columns: { field: string | null }[] }) => body.columns.map((c) => c.field)

t.test('a draft is mapped, started and run', async (t) => {
  const s = await setup(t, { worker: true })
  const { id, path } = await draft(s)
  const early = await s.request('POST', `${path}/start`)
  t.equal(early.status, 422)
  t.match(early.body, {
    code: 'required_column_unmapped',
    details: { unmapped_required: ['first_name'] }
  })

  const changed = await patch(s, path, { mapping: { Vorname: 'first_name' }, mode: 'create_only' })
  t.equal(changed.status, 200)
  t.match(changed.body, { state: 'draft', mode: 'create_only', preview: { unmapped_required: [] } })
  t.same(fieldsOf(changed.body), ['organization', 'first_name', 'emails'])

  const started = await s.request('POST', `${path}/start`)
  t.equal(started.status, 202)
  t.match(started.body, { state: /queued|running|completed/ })
  t.match(await s.waitForImport(id), { state: 'completed', counts: { created: 1 } })

  const again = await s.request('POST', `${path}/start`)
  t.equal(again.status, 409)
  t.match(again.body, { code: 'import_state_conflict', detail: /is completed.*while it is draft/ })
})

t.test('what a change does not name stays as it is', async (t) => {
  const s = await setup(t)
  const { path } = await draft(s)
  await patch(s, path, { mapping: { Vorname: 'first_name', 'E-Mail': null } })
  const other = await patch(s, path, { mapping: { Company: 'notes' }, allow_partial: false })
  t.same(
    fieldsOf(other.body),
    ['notes', 'first_name', null],
    'the columns of the first change stay'
  )
  t.equal(other.body.allow_partial, false)
  const moved = await patch(s, path, { mapping: { 'E-Mail': 'first_name' } })
  t.same(fieldsOf(moved.body), ['notes', null, 'first_name'], 'a field is fed by one column')
  const empty = await patch(s, path, {})
  t.same(fieldsOf(empty.body), ['notes', null, 'first_name'])
  const back = await patch(s, path, { mapping: null })
  t.same(fieldsOf(back.body), ['organization', null, 'emails'], 'null: the suggestions')
})

t.test('every option of a draft can be changed, and null takes away', async (t) => {
  const s = await setup(t)
  const { path } = await draft(s)
  const options = {
    blank: 'default',
    clear_marker: null,
    repeats: 'merge',
    similar: 'ignore',
    update: { tags: 'append' },
    separators: { tags: ';' },
    on_missing: { organization: 'fail' },
    default_country: 'de',
    require_external_id: true,
    notify_emails: ['a@example.com'],
    push: 'updated'
  }
  const changed = await patch(s, path, options)
  t.equal(changed.status, 200, JSON.stringify(changed.body))
  t.same(changed.body.options, { ...options, default_country: 'DE' })
  const back = await patch(s, path, { default_country: null, update: {} })
  t.same(back.body.options, { ...options, default_country: null, update: {} })
  await patch(s, path, { clear_marker: '-' })
  const none = await patch(s, path, { clear_marker: 'none' })
  t.equal(none.body.options.clear_marker, null, 'as in a form')
  const wrong = await patch(s, path, { update: { first_name: 'append' }, separators: { x: ';' } })
  t.match(wrong, { status: 400, body: { code: 'invalid_option', details: { faults: [{}, {}] } } })
  const country = await patch(s, path, { default_country: 'QQ' })
  t.match(country.body, { code: 'invalid_option' })
  const shape = await patch(s, path, { blank: 'clear', on_missing: { organization: 'make' } })
  t.match(shape, { status: 400, body: { code: 'validation_failed' } })
})

t.test('the organization of a draft is set by id or name and cleared by null', async (t) => {
  const s = await setup(t, { worker: true })
  await s.runCsv('Name\nHappy Frog\n', { type: 'organizations' })
  const { path } = await draft(s)
  const set = await patch(s, path, { organization: 'Happy Frog' })
  t.match(set.body.organization, { title: 'Happy Frog' })
  const byId = await patch(s, path, { organization: set.body.organization.id })
  t.match(byId.body.organization, { title: 'Happy Frog' })
  const cleared = await patch(s, path, { organization: null })
  t.equal(cleared.body.organization, null)
  const unknown = await patch(s, path, { organization: 'Sad Frog' })
  t.match(unknown, { status: 422, body: { code: 'organization_not_found' } })
})

t.test('a change that makes no sense is refused with every fault', async (t) => {
  const s = await setup(t)
  const { path } = await draft(s)
  const mapping = await patch(s, path, { mapping: { Nope: null, Vorname: 'nickname' } })
  t.match(mapping, {
    status: 422,
    body: { code: 'mapping_invalid', details: { faults: [/Nope/, /nickname/] } }
  })
  const shape = await patch(s, path, { mode: 'upsert', allow_partial: 'maybe', colour: 1 })
  t.match(shape, { status: 400, body: { code: 'validation_failed' } })
  t.same(shape.body.errors.map((fault: { path: string }) => fault.path).sort(), [
    'body/allow_partial',
    'body/colour',
    'body/mode'
  ])
  const none = await s.request('PATCH', path)
  t.equal(none.status, 400)
  const { body } = await s.get(path)
  t.same(fieldsOf(body), ['organization', null, 'emails'], 'nothing was changed')
})

t.test('only a draft can be changed or started', async (t) => {
  const s = await setup(t)
  const { id, path } = await draft(s)
  for (const state of importStates.filter((one) => one !== 'draft')) {
    await setState(s, id, state)
    t.equal(
      (await patch(s, path, { mode: 'create_only' })).body.code,
      'import_state_conflict',
      state
    )
    t.equal((await s.request('POST', `${path}/start`)).status, 409, state)
  }
})

t.test('cancelling ends at once what no worker has, and asks the worker otherwise', async (t) => {
  const s = await setup(t)
  const cases = {
    draft: [200, 'cancelled'],
    queued: [200, 'cancelled'],
    running: [202, 'cancelling'],
    pausing: [202, 'cancelling'],
    paused: [200, 'cancelled'],
    cancelling: [202, 'cancelling'],
    cancelled: [200, 'cancelled'],
    ready: [409, 'ready'],
    undoing: [409, 'undoing'],
    undone: [409, 'undone'],
    partially_undone: [409, 'partially_undone'],
    completed: [409, 'completed'],
    completed_with_errors: [409, 'completed_with_errors'],
    failed: [409, 'failed']
  } as const
  t.same(Object.keys(cases).sort(), [...importStates].sort(), 'every state is tried')
  for (const [state, [status, after]] of Object.entries(cases)) {
    const { id, path } = await draft(s)
    await setState(s, id, state)
    t.equal((await s.request('POST', `${path}/cancel`)).status, status, state)
    const { body } = await s.get(path)
    t.equal(body.state, after)
    if (state === 'draft') t.ok(body.finished_at)
    if (state === 'running') t.equal(body.finished_at, null)
  }
})

t.test('a draft whose file is gone is shown, but cannot be started', async (t) => {
  const s = await setup(t)
  const { path } = await draft(s, { mapping: { Vorname: 'first_name' } })
  await deleteUploads(s)
  t.match(await s.get(path), { status: 200, body: { preview: null } })
  t.match(await s.request('POST', `${path}/start`), { status: 410, body: { code: 'upload_gone' } })
})

t.test('a queued import whose file is gone fails, and says so', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv('organization,first_name\nAcme,Ann\n')
  await deleteUploads(s)
  await s.startWorker()
  const failed = { state: 'failed', error: { code: 'upload_gone' } }
  t.match(await s.waitForImport(body.id), failed)
})
