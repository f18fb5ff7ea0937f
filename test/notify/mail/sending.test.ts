// Sending mails to servers that are busy, away, wrong or slow, and to none: no mail is lost, and one
// address holds up no other.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import t from 'tap'
import { startMailer } from '../../../src/notify/mail/mailer.ts'
import { cancelled, csv, mailer, mailsOf, quick, receivers, settled } from '../../helpers/mails.ts'
import { headerOf, partOf } from '../../helpers/mime.ts'
import { startProcess } from '../../helpers/processes.ts'
import { startSmtp } from '../../helpers/smtp.ts'
import { until } from '../../helpers/until.ts'
import { setup } from '../../setup.ts'

t.test('a busy server is tried again, a refused address is not, and holds up nobody', async (t) => {
  const smtp = await startSmtp(t, {
    onAddress: (address, count) => {
      if (address === 'gone@example.com') return '550 5.1.1 no such user'
      if (address === 'grey@example.com' && count < 3) return '450 4.2.0 come back later'
      return null
    },
    onMessage: ({ to }) => (to === 'spam@example.com' ? '554 5.7.1 looks like spam' : null)
  })
  const service = await setup(t)
  const all = ['gone', 'grey', 'good', 'spam'].map((name) => `${name}@example.com`)
  await cancelled(service, { notify_emails: all.join() })
  mailer(t, service, smtp.url)
  const mails = await settled(service, 4)
  const of = (name: string) =>
    mails.find((mail: { address: string }) => mail.address.startsWith(name))
  t.match(of('good'), { state: 'sent', attempts: 1 })
  t.match(of('grey'), { state: 'sent', attempts: 3, error: null })
  t.match(of('gone'), { state: 'failed', attempts: 1, error: /^550 5\.1\.1 no such user/ })
  t.match(of('spam'), { state: 'failed', attempts: 1, error: /^554 5\.7\.1 looks like spam/ })
  t.same(receivers(smtp), ['good@example.com', 'grey@example.com'])
  const failed = await mailsOf(service, '?state=failed')
  t.equal(failed.length, 2, 'bounces of all imports in one list')
})

t.test('an address over which the server hangs holds up no other', async (t) => {
  let letGo = () => {}
  const held = new Promise<null>((resolve) => {
    letGo = () => resolve(null)
  })
  const smtp = await startSmtp(t, {
    onAddress: (address) => (address.startsWith('slow') ? held : null)
  })
  t.teardown(letGo)
  const service = await setup(t)
  const others = Array.from({ length: 9 }, (_, index) => `a${index}@example.com`)
  await cancelled(service, { notify_emails: ['slow@example.com', ...others].join() })
  mailer(t, service, smtp.url, { attemptMs: 60_000, pauseSeconds: 600 })
  await until('the others to have theirs', () => smtp.received.length === others.length)
  t.match((await mailsOf(service, '?state=queued'))[0], {
    address: 'slow@example.com',
    attempts: 1
  })
})

t.test('a server that is away is waited for; one that stays away is given up', async (t) => {
  const smtp = await startSmtp(t)
  const service = await setup(t)
  await smtp.stop()
  await cancelled(service, { notify_emails: 'a@b.de,c@b.de' })
  const first = mailer(t, service, smtp.url, { maxAttempts: 100 })
  const tried = await until('two attempts', async () => {
    const [mail] = await mailsOf(service)
    return mail.attempts >= 2 && mail.error ? mail : null
  })
  t.match(tried, { state: 'queued', sent_at: null, error: /not take mails at the moment \(E/ })
  t.notMatch(tried.error, '127.0.0.1', 'where the server is, is not told')
  t.type(tried.next_attempt_at, 'string')
  await smtp.start()
  t.match(await settled(service, 2), [{ state: 'sent' }, { state: 'sent' }])
  t.same(receivers(smtp), ['a@b.de', 'c@b.de'])
  await first.stop()

  await smtp.stop()
  await cancelled(service, { notify_emails: 'd@b.de' })
  mailer(t, service, smtp.url)
  const mails = await settled(service, 3)
  t.match(mails.at(-1), { state: 'failed', attempts: quick.maxAttempts, next_attempt_at: null })
})

t.test('a wrong password loses no mail, and no password goes out in clear unasked', async (t) => {
  const smtp = await startSmtp(t, { login: { user: 'muster', password: 'right' } })
  const service = await setup(t)
  await cancelled(service, { notify_emails: 'a@b.de' })
  const wrong = mailer(t, service, smtp.url.replace('right', 'wrong'), { maxAttempts: 100 })
  const error = await until('an attempt', async () => (await mailsOf(service))[0].error)
  t.match(error, /at the moment \(EAUTH\)/)
  await wrong.stop()
  const strict = mailer(t, service, `${smtp.url}?tls=required`, { maxAttempts: 100 })
  await until('a refusal', async () =>
    /ETLS|ESOCKET|EPROTOCOL/.test((await mailsOf(service))[0].error)
  )
  await strict.stop()
  t.same(smtp.received, [])
  mailer(t, service, smtp.url)
  t.match(await settled(service, 1), [{ state: 'sent' }])
})

t.test('killed between the sending and the marking: sent again, as the same message', async (t) => {
  const smtp = await startSmtp(t, { delayMs: 1_500 })
  const service = await setup(t)
  await cancelled(service, { notify_emails: 'a@b.de' })
  const { config, databaseUrl, pool } = service
  const worker = startProcess(t, 'src/worker.ts', [], {
    DATABASE_URL: databaseUrl,
    MUSTER_DATA_DIR: config.dataDir,
    MUSTER_SMTP_URL: smtp.url,
    MUSTER_MAIL_FROM: 'muster@example.com'
  })
  await until('the message to arrive', () => smtp.received.length === 1)
  worker.kill('SIGKILL')
  await worker.ended
  t.match(await mailsOf(service), [{ state: 'queued', attempts: 1 }])
  // As if the two minutes were over.
  await pool.query('UPDATE mails SET due_at = now()')
  mailer(t, service, smtp.url)
  t.match(await settled(service, 1), [{ state: 'sent', attempts: 2 }])
  const ids = smtp.received.map((message) => headerOf(message, 'message-id'))
  t.equal(ids.length, 2)
  t.equal(ids[0], ids[1])
})

t.test('two that send share the work, and nothing is sent twice', async (t) => {
  const smtp = await startSmtp(t)
  const service = await setup(t)
  const addresses = Array.from({ length: 20 }, (_, index) => `a${index}@example.com`)
  for (let round = 0; round < 3; round++) {
    await cancelled(service, { notify_emails: addresses.join() })
  }
  const pace = { pauseSeconds: 60 }
  mailer(t, service, smtp.url, pace)
  mailer(t, service, smtp.url, pace)
  await settled(service, 60)
  t.equal(smtp.received.length, 60)
  const ids = new Set(smtp.received.map((message) => headerOf(message, 'message-id')))
  t.equal(ids.size, 60)
})

t.test('without a mail server mails are files', async (t) => {
  const service = await setup(t, { worker: true })
  const job = await service.runCsv(csv, { notify_emails: 'a@b.de,c@b.de', name: 'Grüße.csv' })
  const mails = await settled(service, 2)
  t.match(mails, [
    { state: 'written', attempts: 1, error: null },
    { state: 'written', attempts: 1, error: null }
  ])
  const folder = join(service.config.dataDir, 'mails')
  const names = await readdir(folder)
  t.equal(names.length, 2)
  for (const name of names) {
    t.match(name, /^\d{8}T\d{6}Z-[0-9a-f-]{36}\.eml$/)
    const raw = await readFile(join(folder, name), 'latin1')
    t.match(headerOf({ raw }, 'subject'), `Import ${job.id} of Grüße.csv: completed with errors`)
    t.match(headerOf({ raw }, 'from'), 'Muster <muster@localhost>')
    t.match(partOf({ raw }, 'text/plain'), `\n  /imports/${job.id}\n`)
  }
})

t.test('a folder that cannot be written to loses no mail', async (t) => {
  const service = await setup(t)
  const { pool, log, config } = service
  await cancelled(service, { notify_emails: 'a@b.de' })
  await mkdir(config.dataDir, { recursive: true })
  // A file in the place of the folder: not even root can write into it.
  await writeFile(join(config.dataDir, 'mails'), '')
  const started = startMailer({ pool, log, config }, quick)
  t.teardown(() => started.stop())
  const error = await until('an attempt', async () => (await mailsOf(service))[0].error)
  t.match(error, /folder/)
})

t.test(
  'encrypted from the first byte or by STARTTLS, and only to who can prove his name',
  async (t) => {
    const read = (name: string) => readFile(join(import.meta.dirname, 'certificate', name), 'utf8')
    const [key, cert] = [await read('key.pem'), await read('cert.pem')]
    const login = { user: 'muster', password: 'secret' }
    for (const from of ['start', 'starttls'] as const) {
      const smtp = await startSmtp(t, { login, tls: { from, key, cert } })
      const url = from === 'start' ? smtp.url : `${smtp.url}?tls=required`
      const service = await setup(t)
      await cancelled(service, { notify_emails: 'a@b.de' })
      const strict = mailer(t, service, url, { maxAttempts: 100 })
      const error = await until('a refusal', async () => (await mailsOf(service))[0].error)
      t.match(error, /ESOCKET|ETLS/, 'nobody vouches for the certificate')
      await strict.stop()
      t.same(smtp.received, [])
      const usual = getCACertificates('default')
      setDefaultCACertificates([...usual, cert])
      const trusting = mailer(t, service, url)
      t.match(await settled(service, 1), [{ state: 'sent' }])
      await trusting.stop()
      setDefaultCACertificates(usual)
      t.match(smtp.received, [{ isEncrypted: true, user: 'muster' }])
    }
  }
)
