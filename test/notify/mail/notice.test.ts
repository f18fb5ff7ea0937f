// Mails that are about no import: somebody hears of a webhook endpoint that Muster has disabled.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { mailer, settled } from '../../helpers/mails.ts'
import { headerOf, partOf } from '../../helpers/mime.ts'
import { loopback, startNotifying } from '../../helpers/notifying.ts'
import { startSmtp } from '../../helpers/smtp.ts'
import { setup } from '../../setup.ts'

t.test('an endpoint that is gone, and one that failed for too long', async (t) => {
  const service = await setup(t, { config: loopback })
  startNotifying(t, service)
  const emails = ['ops@example.com']
  await service.request('PUT', '/settings/notifications', {
    body: { emails, import_emails: 'never' }
  })
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(request.url === '/gone' ? 410 : 500).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const smtp = await startSmtp(t)
  mailer(t, service, smtp.url)
  for (const [index, path] of ['/gone', '/failing'].entries()) {
    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}${path}`
    const { body } = await service.request('POST', '/webhooks', { body: { url } })
    await service.pool.query(
      `UPDATE webhook_endpoints SET failed_at = now(), failing_since = now() - interval '2 hours' WHERE id = $1`,
      [body.id]
    )
    await service.request('POST', `/webhooks/${body.id}/test`)
    await settled(service, index + 1)
    const mail = smtp.received.at(-1)
    if (!mail) throw new Error('no mail')
    t.equal(mail.to, 'ops@example.com')
    t.equal(headerOf(mail, 'subject'), `Webhook ${body.id} was disabled`)
    const text = partOf(mail, 'text/plain')
    t.match(text, url)
    t.match(text, path === '/gone' ? '410' : 'five days')
    t.match(text, `PATCH /webhooks/${body.id}`)
  }
})
