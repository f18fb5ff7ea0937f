// Notification settings and the list of mails over the API: what is taken, what is refused, and that
// accounts see only their own.

import t from 'tap'
import { readAddress, readMailbox } from '../../../src/email-address.ts'
import { noticeByMail } from '../../../src/notify/mail/notice.ts'
import { setup } from '../../setup.ts'

const path = '/settings/notifications'

t.test('settings are kept for each account by itself', async (t) => {
  const { get, request, makeAccount } = await setup(t)
  const other = await makeAccount()
  t.same((await get(path)).body, { emails: [], import_emails: 'never' })
  const body = {
    emails: [' Ann@Example.COM', 'ops@exämple.de', 'ann@example.com'],
    import_emails: 'errors'
  }
  const kept = { emails: ['Ann@example.com', 'ops@xn--exmple-cua.de'], import_emails: 'errors' }
  t.match(await request('PUT', path, { body }), { status: 200, body: kept })
  t.same((await get(path)).body, kept)
  const theirs = await request('GET', path, { key: other.key })
  t.same(theirs.body, { emails: [], import_emails: 'never' })
  await request('PUT', path, { body: { emails: [], import_emails: 'always' } })
  t.same((await get(path)).body, { emails: [], import_emails: 'always' })
})

t.test('what makes no sense is refused with every fault', async (t) => {
  const { get, request } = await setup(t)
  const put = (body: object) => request('PUT', path, { body })
  const emails = ['good@example.com', 'bad', 'x@y.de\r\nBcc: all@example.com']
  const refused = await put({ emails, import_emails: 'always' })
  t.match(refused, { status: 400, body: { code: 'validation_failed' } })
  t.same(
    refused.body.errors.map((fault: { path: string }) => fault.path),
    ['body/emails/1', 'body/emails/2']
  )
  t.notMatch(refused.body.detail, 'Bcc')
  const many = Array.from({ length: 21 }, (_, index) => `a${index}@example.com`)
  for (const body of [
    { emails: many, import_emails: 'always' },
    { emails: [], import_emails: 'sometimes' },
    { emails: [] },
    { import_emails: 'always' },
    { emails: [], import_emails: 'always', more: 1 }
  ]) {
    t.match(await put(body), { status: 400, body: { code: 'validation_failed' } })
  }
  t.same((await get(path)).body, { emails: [], import_emails: 'never' })
})

t.test('mails come in pages, newest first, and only to their account', async (t) => {
  const { get, request, makeAccount, pool, account_id } = await setup(t)
  const other = await makeAccount()
  await request('PUT', path, {
    body: { emails: ['a@b.de', 'c@b.de', 'd@b.de'], import_emails: 'never' }
  })
  await noticeByMail(pool, account_id, { subject: 's', text: 't' })
  const first = (await get('/mails?limit=2')).body
  t.equal(first.data.length, 2)
  const rest = (await get(`/mails?limit=2&cursor=${first.next_cursor}`)).body
  t.equal(rest.next_cursor, null)
  const all = [...first.data, ...rest.data]
  t.same(
    all.map(({ id }: { id: number }) => id),
    all.map(({ id }: { id: number }) => id).sort((a: number, b: number) => b - a)
  )
  t.match(all[0], { kind: 'notice', state: 'queued', attempts: 0, error: null, sent_at: null })
  t.equal((await get('/mails?state=sent')).body.data.length, 0)
  t.equal((await get('/mails?import_id=1')).body.data.length, 0)
  t.same((await request('GET', '/mails', { key: other.key })).body.data, [])
  t.equal((await get('/mails?cursor=nonsense')).body.code, 'invalid_cursor')
})

t.test('addresses of an import: from forms, drafts and profiles', async (t) => {
  const { uploadCsv, request, get } = await setup(t)
  const csv = 'external_id,organization,first_name\n1,A,Ann\n'
  const shown = async (options: object) => {
    const { body } = await uploadCsv(csv, { start: 'false', ...options })
    return body.options?.notify_emails ?? body
  }
  t.same(await shown({}), [])
  t.same(await shown({ notify_emails: 'a@b.de, A@B.de ,c@b.de' }), ['a@b.de', 'c@b.de'])
  t.match(await shown({ notify_emails: 'a@b.de,nobody' }), {
    code: 'invalid_option',
    detail: /"nobody"/
  })
  const many = Array.from({ length: 21 }, (_, index) => `a${index}@example.com`).join()
  t.match(await shown({ notify_emails: many }), { code: 'invalid_option', detail: /At most 20/ })

  const profile = { name: 'p', type: 'contacts', notify_emails: ['P@b.DE'] }
  const made = await request('POST', '/import-profiles', { body: profile })
  t.match(made, { status: 201, body: { notify_emails: ['P@b.de'] } })
  t.same(await shown({ profile: 'p' }), ['P@b.de'])
  t.same(await shown({ profile: 'p', notify_emails: 'a@b.de' }), ['a@b.de'])
  t.same(await shown({ profile: 'p', notify_emails: 'none' }), [])

  const { body: draft } = await uploadCsv(csv, { start: 'false' })
  const patch = (notify_emails: unknown) =>
    request('PATCH', `/imports/${draft.id}`, { body: { notify_emails } })
  t.match(await patch(['x@b.de']), {
    status: 200,
    body: { options: { notify_emails: ['x@b.de'] } }
  })
  t.match(await patch(['x']), { status: 400, body: { code: 'invalid_option' } })
  t.match(await patch({ x: 1 }), { status: 400, body: { code: 'validation_failed' } })
  t.same((await get(`/imports/${draft.id}`)).body.options.notify_emails, ['x@b.de'])
  t.match(await patch([]), { body: { options: { notify_emails: [] } } })
})

t.test('an address is one address and nothing else', async (t) => {
  for (const text of [
    'a@b.de',
    "ann.o'neil+tag@mail.example.com",
    `${'x'.repeat(64)}@example.com`,
    '=?utf-8?Q?x?=@example.com'
  ]) {
    t.equal(readAddress(text), text)
  }
  for (const [index, text] of [
    '',
    'a',
    '@b.de',
    'a@b',
    'a@b..de',
    'a@-b.de',
    'a..b@c.de',
    '.a@c.de',
    'a b@c.de',
    'a@b.de,c@d.de',
    'a@b.de;c@d.de',
    'a@b@c.de',
    '"a b"@c.de',
    'Ann <a@b.de>',
    '<a@b.de>',
    'a@b.de>',
    'a@b.de\r\nDATA',
    'a\n@b.de',
    'a@b.de\u2028x',
    'a\u202e@b.de',
    'a\0@b.de',
    'a(comment)@b.de',
    'ä@b.de',
    'a@1.2.3.4',
    'a@[1.2.3.4]',
    'a@b.de/x',
    'a@b.de?x',
    'a@b%0d.de',
    `${'x'.repeat(65)}@example.com`,
    `a@${'x'.repeat(64)}.com`,
    `a@${'x.'.repeat(130)}com`
  ].entries()) {
    t.equal(readAddress(text), null, `number ${index}`)
  }
})

t.test('a mailbox is an address, with or without a name', async (t) => {
  t.same(readMailbox('a@b.de'), { name: '', address: 'a@b.de' })
  t.same(readMailbox(' Muster <a@b.de>'), { name: 'Muster', address: 'a@b.de' })
  t.same(readMailbox('"Muster, Inc." <a@b.de>'), { name: 'Muster, Inc.', address: 'a@b.de' })
  for (const text of ['Muster', '<>', 'A\r\nBcc: x <a@b.de>', 'a@b.de <x>', 'A "B" <a@b.de>']) {
    t.equal(readMailbox(text), null)
  }
})
