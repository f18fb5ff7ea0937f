// Restoring a version: values, keys and references come back as a new version, or not at all.

import t from 'tap'
import { createApiKey } from '../../../src/access/store.ts'
import { keysOf } from '../../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../../src/record-types/registry.ts'
import { restoreRecord } from '../../../src/records/history/restore-record.ts'
import { until } from '../../helpers/until.ts'
import { makeRecord } from '../../helpers/vault-type.ts'
import { type Setup, setup } from '../../setup.ts'

const header = 'Muster ID,External ID,Organization,First Name,Last Name,Emails\n'

async function idOf(s: Setup, type: string, filter: string): Promise<number> {
  const { body } = await s.get(`/records?type=${type}&${filter}`)
  if (body.data.length !== 1) throw new Error(JSON.stringify(body))
  return body.data[0].id
}

/** A contact that two imports wrote: version 1 is Ann Lee of Happy Frog, 2 Ann Poe of Sad Frog. */
async function setupAnn(t: Parameters<typeof setup>[0]) {
  const s = await setup(t, { worker: true })
  await s.runCsv(`${header},c-1,Happy Frog,Ann,Lee,ann@x.io\n`)
  const id = await idOf(s, 'contacts', 'filter[first_name]=Ann')
  const done = await s.runCsv(`${header}${id},c-2,Sad Frog,Ann,Poe,poe@x.io|ann@x.io\n`)
  if (done.counts.updated !== 1) throw new Error(JSON.stringify(done))
  const restore = (body: object, key?: string) =>
    s.request('POST', `/records/${id}/restore`, { body, ...(key && { key }) })
  return { ...s, id, restore, happy: await idOf(s, 'organizations', 'filter[name]=Happy Frog') }
}

async function stored(s: Setup, id: number) {
  const { rows } = await s.pool.query(
    `SELECT r.*, (SELECT array_agg(k.rule || ' ' || k.value ORDER BY k.rule, k.value)
      FROM record_keys k WHERE k.account_id = r.account_id AND k.record_id = r.id) AS keys
    FROM records r WHERE r.id = $1`,
    [id]
  )
  return rows[0]
}

t.test('brings values, references, keys and organization back as a new version', async (t) => {
  const s = await setupAnn(t)
  const { status, body } = await s.restore({ version: 1 })
  t.equal(status, 200, JSON.stringify(body))
  t.match(body, {
    restored_version: 1,
    dry_run: false,
    conflicts: [],
    record: {
      version: 3,
      title: 'Ann Lee',
      organization: { id: s.happy, title: 'Happy Frog' },
      data: { external_id: 'c-1', organization: s.happy, emails: ['ann@x.io'] },
      updated_import_id: null
    },
    changes: [
      { field: 'external_id', before: 'c-2', after: 'c-1' },
      { field: 'organization', before: { title: 'Sad Frog' }, after: { title: 'Happy Frog' } },
      { field: 'last_name', before: 'Poe', after: 'Lee' },
      { field: 'emails', before: ['poe@x.io', 'ann@x.io'], after: ['ann@x.io'] }
    ]
  })
  const { not_pushed, ...shown } = (await s.get(`/records/${s.id}`)).body
  t.same(shown, body.record)
  t.same(not_pushed, [], 'a restored version is told of at once')
  const row = await stored(s, s.id)
  t.match(row, { fingerprint: null, organization_id: s.happy, version: 3 })
  const rules = builtinTypes.require('contacts').match_rules
  const keys = rules.flatMap((one) =>
    keysOf(one, row.data, s.happy).map((value) => `${one.code} ${value}`)
  )
  t.same(row.keys, keys)
  const { body: history } = await s.get(`/records/${s.id}/history`)
  t.match(history.data[0], {
    version: 3,
    action: 'restore',
    restored_version: 1,
    import: null,
    key: { name: 'test key' },
    changes: body.changes
  })
  const again = await s.restore({ version: 2, expected_version: 3 })
  t.match(again.body.record, { version: 4, title: 'Ann Poe', organization: { title: 'Sad Frog' } })
  const back = await s.runCsv(`${header},c-2,Sad Frog,Ann,Poe,poe@x.io|ann@x.io\n`)
  t.match(back.counts, { unchanged: 1 }, 'an import finds it by the keys that came back')
})

t.test('restores single fields', async (t) => {
  const s = await setupAnn(t)
  const { body } = await s.restore({ version: 1, fields: ['last_name'] })
  t.match(body.record, { title: 'Ann Lee', organization: { title: 'Sad Frog' }, version: 3 })
  t.same(body.changes, [{ field: 'last_name', before: 'Poe', after: 'Lee' }])
  t.match(await s.restore({ version: 1, fields: ['nick', 'emails'] }), {
    status: 400,
    body: { errors: [{ path: 'body/fields/0', message: 'contacts have no such field' }] }
  })
})

t.test('a dry run and a restore that changes nothing write nothing', async (t) => {
  const s = await setupAnn(t)
  const before = await stored(s, s.id)
  const { rows: seqs } = await s.pool.query('SELECT * FROM type_writes ORDER BY type_id')
  const dry = await s.restore({ version: 1, dry_run: true })
  t.match(dry, { status: 200, body: { dry_run: true, record: { version: 2, title: 'Ann Lee' } } })
  t.equal(dry.body.changes.length, 4)
  t.same((await s.pool.query('SELECT * FROM type_writes ORDER BY type_id')).rows, seqs)
  const same = await s.restore({ version: 2 })
  t.match(same, { status: 200, body: { record: { version: 2 }, changes: [] } })
  t.same(await stored(s, s.id), before)
  t.equal((await s.get(`/records/${s.id}/history`)).body.data.length, 2)
})

t.test('refuses what is not there or has changed', async (t) => {
  const s = await setupAnn(t)
  const cases: [object, number, string][] = [
    [{ version: 3 }, 404, 'version_not_found'],
    [{ version: 1, expected_version: 1 }, 409, 'version_conflict'],
    [{ version: 0 }, 400, 'validation_failed'],
    [{}, 400, 'validation_failed'],
    [{ version: 1, force: true }, 400, 'validation_failed']
  ]
  for (const [body, status, code] of cases) {
    t.match(await s.restore(body), { status, body: { code } }, JSON.stringify(body))
  }
  const conflict = await s.restore({ version: 1, expected_version: 1, dry_run: true })
  t.match(conflict.body, { code: 'version_conflict', details: { version: 2 } })
  t.match(await s.request('POST', '/records/4711/restore', { body: { version: 1 } }), {
    status: 404,
    body: { code: 'record_not_found' }
  })
})

t.test('another account can neither see nor restore it', async (t) => {
  const s = await setupAnn(t)
  const before = await stored(s, s.id)
  const { key } = await s.makeAccount('other')
  for (const dry_run of [true, false]) {
    const answer = await s.restore({ version: 1, dry_run }, key)
    t.match(answer, { status: 404, body: { code: 'record_not_found' } })
  }
  t.same(await stored(s, s.id), before)
})

t.test('tells everything that is in the way at once, and writes nothing', async (t) => {
  const s = await setupAnn(t)
  // Somebody takes the identities of version 1, and its organization goes.
  const organization = s.happy
  const other = await makeRecord(s, 'contacts', {
    first_name: 'Eve',
    external_id: 'c-1',
    emails: ['ann@x.io'],
    organization
  })
  await s.pool.query('DELETE FROM records r WHERE r.id = $1', [s.happy])
  const before = await stored(s, s.id)
  const { status, body } = await s.restore({ version: 1 })
  t.equal(status, 409, JSON.stringify(body))
  const conflicts = [
    { code: 'reference_gone', field: 'organization', record_ids: [s.happy] },
    { code: 'identity_taken', field: 'external_id', record_ids: [other] },
    { code: 'identity_taken', field: 'emails', record_ids: [other] }
  ]
  t.match(body, { code: 'restore_conflict', details: { conflicts } })
  t.equal(body.details.conflicts.length, 3)
  t.same(await stored(s, s.id), before)
  const dry = await s.restore({ version: 1, dry_run: true })
  t.match(dry, { status: 200, body: { conflicts } })
  const rest = await s.restore({ version: 1, fields: ['last_name'] })
  t.match(rest, { status: 200, body: { record: { title: 'Ann Lee' } } })
})

t.test('keeps to the rules across fields and to what follows from them', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = 'Name,External ID,Role,Restriction\n'
  await s.runCsv(`${csv}Sam,u-1,End-user,\n`, { type: 'users' })
  await s.runCsv(`${csv}Sam,u-1,Agent,groups\n`, { type: 'users' })
  const id = await idOf(s, 'users', 'filter[name]=Sam')
  const restore = (body: object) => s.request('POST', `/records/${id}/restore`, { body })
  const role = await restore({ version: 1, fields: ['role'] })
  t.match(role.body.record.data, { role: 'End-user', ticket_restriction: 'requested' })
  t.match(await restore({ version: 2, fields: ['ticket_restriction'] }), {
    status: 409,
    body: { code: 'restore_conflict', details: { conflicts: [{ field: 'ticket_restriction' }] } }
  })
})

t.test('secrets come back under the current key, and are not shown', async (t) => {
  const s = await setup(t, { worker: true })
  const csv = 'Organization,Name,External ID,Password,Notes\n'
  const run = (row: string) => s.runCsv(`${csv}Acme,${row}\n`, { type: 'passwords' })
  await run('Door,p-1,canary-1,n1')
  await run('Door,p-1,canary-2,n1')
  const id = await idOf(s, 'passwords', 'filter[name]=Door')
  const { key } = await createApiKey(s.pool, s.account_id, 'reader', { reads_secrets: true })
  const { status, body } = await s.request('POST', `/records/${id}/restore`, {
    body: { version: 1 }
  })
  t.equal(status, 200)
  t.same(body.changes, [{ field: 'password', before: { secret: true }, after: { secret: true } }])
  t.notMatch(JSON.stringify(body), /canary|enc:1:/)
  const secrets = () => s.request('GET', `/records/${id}/secrets`, { key })
  t.match((await secrets()).body, { data: { password: 'canary-1', notes: 'n1' } })
  const anew = { ...s.secrets, currentKeyId: 'next', seal: (text: string) => `anew ${text}` }
  const place = { pool: s.pool, account_id: s.account_id, key_id: 1 }
  const context = { ...place, secrets: anew, readCell: (_: unknown, text: string) => text }
  await restoreRecord(context, id, { version: 2, dry_run: false })
  t.equal((await stored(s, id)).data.password, 'anew canary-2')
})

/** Sends a file of several batches about contacts, whose last row is given, and restores versions
 *  of Ann when the first batch is at its turn: they come before the second one. */
async function restoreBetween(
  s: Awaited<ReturnType<typeof setupAnn>>,
  last: string,
  bodies: object[]
) {
  const rows = Array.from({ length: 20_000 }, (_, i) => `,x-${i},Happy Frog,Bob,B${i},\n`)
  const waiting = async (count: number) => {
    const { rows } = await s.pool.query(
      `SELECT count(*) AS count FROM pg_stat_activity a
      WHERE a.datname = current_database() AND a.wait_event_type = 'Lock'`
    )
    return rows[0].count === count
  }
  const holder = await s.pool.connect()
  await holder.query('BEGIN')
  await holder.query('UPDATE type_writes SET write_seq = write_seq WHERE type_id = 2')
  const { body } = await s.uploadCsv(header + rows.join('') + last)
  await until('the first batch waits', () => waiting(1))
  const restores = bodies.map((one) => s.restore(one))
  await until('the restores wait', () => waiting(1 + bodies.length))
  await holder.query('COMMIT')
  holder.release()
  const answers = await Promise.all(restores)
  return { answers, done: await s.waitForImport(body.id) }
}

t.test('waits for the turn of a running import, and neither loses an update', async (t) => {
  const s = await setupAnn(t)
  const last = `${s.id},c-2,Sad Frog,Ann,Last,\n`
  const { answers, done } = await restoreBetween(s, last, [
    { version: 1, fields: ['emails'] },
    { version: 1, fields: ['last_name'] }
  ])
  for (const { status, body } of answers) t.equal(status, 200, JSON.stringify(body))
  t.same(answers.map(({ body }) => body.record.version).sort(), [3, 4])
  t.match(done.counts, { created: 20_000, updated: 1, rejected: 0, failed: 0 })
  const { data, version, keys } = await stored(s, s.id)
  t.match({ data, version }, { version: 5, data: { last_name: 'Last', emails: ['ann@x.io'] } })
  t.notMatch(keys.join(), /poe@x.io/)
  const { body: history } = await s.get(`/records/${s.id}/history`)
  t.same(
    history.data.map(({ action }: { action: string }) => action),
    ['update', 'restore', 'restore', 'update', 'create']
  )
})

t.test('a running import finds a record by the keys that a restore gave back', async (t) => {
  const s = await setupAnn(t)
  const last = ',c-1,Happy Frog,Ann,Found,ann@x.io\n'
  const { answers, done } = await restoreBetween(s, last, [{ version: 1 }])
  t.equal(answers[0]?.status, 200)
  t.match(done.counts, { created: 20_000, updated: 1 })
  t.match(await stored(s, s.id), { version: 4, data: { last_name: 'Found' } })
})

t.test('restores at the same time take turns', async (t) => {
  const s = await setupAnn(t)
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => s.restore({ version: 1, expected_version: 2 }))
  )
  const codes = answers.map(({ status, body }) => (status === 200 ? 'ok' : body.code)).sort()
  t.same(codes, ['ok', ...Array(7).fill('version_conflict')].sort())
  t.equal((await stored(s, s.id)).version, 3)
})
