// Mails of imports, on a real mail server: who gets one, what it says, and that hostile text adds
// nothing to it.

import t from 'tap'
import { noticeByMail } from '../../../src/notify/mail/notice.ts'
import { withTransaction } from '../../../src/platform/db.ts'
import {
  cancelled,
  csv,
  mailer,
  mailsOf,
  receivers,
  settled,
  withServer
} from '../../helpers/mails.ts'
import { headerOf, headersOf, partOf } from '../../helpers/mime.ts'
import { startSmtp } from '../../helpers/smtp.ts'
import { importHere } from '../../helpers/undo-ways.ts'
import { until } from '../../helpers/until.ts'
import { setup } from '../../setup.ts'

t.test('an import that ends tells its addresses and those of the account, each once', async (t) => {
  const smtp = await startSmtp(t, { login: { user: 'mu:ster', password: 'p@ss w%rd' } })
  const url = smtp.url.replace('mu:ster:p@ss w%rd', 'mu%3Aster:p%40ss%20w%25rd')
  const service = await setup(t, { worker: true, config: withServer(url) })
  const { runCsv, request } = service
  await request('PUT', '/settings/notifications', {
    body: { emails: ['Ann@example.com', 'ops@example.com'], import_emails: 'errors' }
  })
  const job = await runCsv(csv, {
    name: 'contacts.csv',
    notify_emails: ' ann@EXAMPLE.com, bob@example.com,'
  })
  t.same(job.options.notify_emails, ['ann@example.com', 'bob@example.com'])
  const mails = await settled(service, 3)
  const addresses = mails.map((mail: { address: string }) => mail.address.toLowerCase()).sort()
  t.same(addresses, ['ann@example.com', 'bob@example.com', 'ops@example.com'])
  for (const mail of mails) {
    t.match(mail, { kind: 'import', import_id: job.id, state: 'sent', attempts: 1, error: null })
    t.type(mail.sent_at, 'string')
    t.equal(mail.next_attempt_at, null)
  }

  t.same(
    receivers(smtp).map((to) => to.toLowerCase()),
    addresses
  )
  const message = smtp.received.find(({ to }) => to === 'bob@example.com')
  if (!message) throw new Error('no mail')
  t.equal(message.user, 'mu:ster')
  t.equal(message.from, 'muster@example.com')
  const subject = `Import ${job.id} of contacts.csv: completed with errors (1 created, 1 rejected)`
  t.equal(headerOf(message, 'subject'), subject)
  t.equal(headerOf(message, 'from'), 'Muster <muster@example.com>')
  t.equal(headerOf(message, 'to'), 'bob@example.com', 'nobody sees the others')
  t.equal(headerOf(message, 'auto-submitted'), 'auto-generated')
  t.match(headerOf(message, 'message-id'), /^<[0-9a-f-]{36}@example\.com>$/)
  for (const type of ['text/plain', 'text/html']) {
    const part = partOf(message, type)
    t.match(part, subject)
    t.match(part, `https://muster.example.com/imports/${job.id}/rejects.csv`)
    t.match(part, 'invalid_email')
    t.match(part, 'test key')
  }
  t.match(message.raw, /Content-Type: text\/plain; charset=utf-8/)
})

t.test('cells of a type with secrets are quoted in no mail', async (t) => {
  const smtp = await startSmtp(t)
  const service = await setup(t, { worker: true, config: withServer(smtp.url) })
  const rows = 'organization,name,url,password\nA,n,hunter2 in the wrong column,x\n'
  const job = await service.runCsv(rows, { type: 'passwords', notify_emails: 'a@example.com' })
  t.equal(job.counts.rejected, 1)
  await settled(service, 1)
  const [message] = smtp.received
  t.match(message && partOf(message, 'text/plain'), 'invalid_url')
  t.notMatch(message && partOf(message, 'text/plain'), 'hunter2')
  t.notMatch(message && partOf(message, 'text/html'), 'hunter2')
})

t.test('a type that had secrets when the file was read still has them', async (t) => {
  const smtp = await startSmtp(t)
  const service = await setup(t)
  const text = { name: 'login', label: 'Login', kind: 'text', required: true, use_for_title: true }
  const pin = { name: 'pin', label: 'Pin', kind: 'integer' }
  const secret = { name: 'secret', label: 'Secret', kind: 'password' }
  const gates = (...fields: object[]) => ({ name: 'gates', label: 'Gates', fields })
  await service.request('POST', '/record-types', { body: gates(text, pin, secret) })
  await service.request('PUT', '/settings/notifications', {
    body: { emails: ['a@example.com'], import_emails: 'always' }
  })
  const rows = [
    ['organization', 'login', 'pin', 'secret'],
    ['A', 'a', 'hunter2', 'x']
  ]
  const job = await importHere(service, rows, { type: 'gates' })
  t.equal(job.counts.rejected, 1)
  const { name, ...rest } = gates(text, pin)
  const changed = await service.request('PUT', `/record-types/${name}`, { body: rest })
  t.equal(changed.status, 200)
  mailer(t, service, smtp.url)
  await until('the mail', () => smtp.received.length > 0)
  const [message] = smtp.received
  t.match(message && partOf(message, 'text/plain'), 'line 2')
  t.notMatch(message && partOf(message, 'text/plain'), 'hunter2')
})

t.test('who is told follows the settings; a draft that is thrown away tells nobody', async (t) => {
  const service = await setup(t)
  const { request, uploadCsv } = service
  const put = (import_emails: string) =>
    request('PUT', '/settings/notifications', {
      body: { emails: ['ops@example.com'], import_emails }
    })
  const told = async (id: number) =>
    (await mailsOf(service, `?import_id=${id}`)).map((mail: { address: string }) => mail.address)

  t.same(await told(await cancelled(service)), [], 'nobody has asked for it')
  t.same(await told(await cancelled(service, { notify_emails: 'a@b.de' })), ['a@b.de'])
  await put('never')
  t.same(await told(await cancelled(service)), [])
  await put('errors')
  t.same(await told(await cancelled(service)), [])
  await put('always')
  const id = await cancelled(service)
  t.same(await told(id), ['ops@example.com'])

  const draft = await uploadCsv(csv, { start: 'false', notify_emails: 'a@b.de' })
  await request('POST', `/imports/${draft.body.id}/cancel`)
  t.same(await told(draft.body.id), [])

  // Tried again, it ends again; taken back and brought back, it does not.
  const { pool } = service
  const set = (text: string) => pool.query(`UPDATE imports SET ${text} WHERE id = ${id}`)
  await set(`state = 'queued', finished_at = NULL`)
  await set(`state = 'cancelled', finished_at = now()`)
  t.equal((await told(id)).length, 2)
  await set(`state = 'undoing', state_before = state`)
  await set(`state = state_before, state_before = NULL`)
  t.equal((await told(id)).length, 2)
})

t.test('an undo tells the addresses of the import that it takes back', async (t) => {
  const smtp = await startSmtp(t)
  const service = await setup(t)
  const id = await cancelled(service, { notify_emails: 'a@b.de', name: 'people.csv' })
  const { rows } = await service.pool.query(
    `INSERT INTO imports (account_id, type, kind, undo_of, state, file_name, file_key, file_bytes,
      file_sha256, dialect, options, mapping, rows_reverted)
    SELECT account_id, type, 'undo', id, 'running', '', file_key, 0, '', dialect, '{}', mapping, 5
    FROM imports WHERE id = $1::bigint
    RETURNING id`,
    [id]
  )
  await service.pool.query(
    `UPDATE imports SET state = 'completed', finished_at = now() WHERE id = $1::bigint`,
    [rows[0].id]
  )
  mailer(t, service, smtp.url)
  await settled(service, 2)
  t.ok(
    smtp.received.find(
      (one) =>
        headerOf(one, 'subject') === `Undo of import ${id} of people.csv: completed (5 reverted)`
    )
  )
})

t.test('an end that is rolled back tells nobody', async (t) => {
  const service = await setup(t)
  const { body } = await service.uploadCsv(csv, { notify_emails: 'a@b.de' })
  const end = withTransaction(service.pool, async (tx) => {
    await tx.query(`UPDATE imports SET state = 'failed', finished_at = now() WHERE id = ${body.id}`)
    throw new Error('rolled back')
  })
  await t.rejects(end, /rolled back/)
  t.same(await mailsOf(service), [])
})

t.test('a name of a file can add nothing to the header', async (t) => {
  const smtp = await startSmtp(t)
  const service = await setup(t)
  const names = [
    'a.csv\r\nBcc: all@example.com\r\n\r\n<b>body</b>',
    'a\nTo: all@example.com',
    '\u2028Bcc: all@example.com',
    '\u202evsc.\u2066',
    'x'.repeat(2_000),
    `${'é'.repeat(300)}\r\nBcc: all@example.com`,
    '=?utf-8?Q?=0D=0ABcc:_all@example.com?='
  ]
  for (const name of names) {
    const { body } = await service.uploadCsv(csv, { notify_emails: 'a@b.de' })
    // Past the cleaning of names at the door.
    await service.pool.query('UPDATE imports SET file_name = $2 WHERE id = $1', [body.id, name])
    await service.request('POST', `/imports/${body.id}/cancel`)
  }
  mailer(t, service, smtp.url)
  await settled(service, names.length)
  t.equal(smtp.received.length, names.length)
  for (const message of smtp.received) {
    const headers = headersOf(message)
    t.same(
      [...headers.keys()].sort(),
      [
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
        'x-auto-response-suppress'
      ],
      'no header more'
    )
    for (const [name, values] of headers) t.equal(values.length, 1, `${name} once`)
    t.equal(headerOf(message, 'to'), 'a@b.de')
    t.notMatch(headerOf(message, 'subject'), /[\r\n\u2028\u202e]/)
    t.match(headerOf(message, 'subject'), /^Import \d+ of .*: cancelled$/)
  }
})

t.test(
  'a notice goes to the addresses of its account, whatever they want of imports',
  async (t) => {
    const smtp = await startSmtp(t)
    const service = await setup(t)
    const { pool, account_id, request, makeAccount } = service
    const notice = {
      subject: 'Endpoint 3 was disabled',
      text: 'It failed for 5 days.\n\nEnable it.'
    }
    t.equal(await noticeByMail(pool, account_id, notice), 0, 'there is nobody to tell')
    await request('PUT', '/settings/notifications', {
      body: { emails: ['a@b.de', 'c@b.de'], import_emails: 'never' }
    })
    const other = await makeAccount()
    t.equal(await noticeByMail(pool, other.account_id, notice), 0)
    t.equal(await noticeByMail(pool, account_id, notice), 2)
    mailer(t, service, smtp.url)
    t.match(await settled(service, 2), [
      { kind: 'notice', import_id: null, state: 'sent' },
      { kind: 'notice', import_id: null, state: 'sent' }
    ])
    const [message] = smtp.received
    t.equal(message && headerOf(message, 'subject'), notice.subject)
    t.match(message && partOf(message, 'text/plain'), 'Enable it.')
  }
)
