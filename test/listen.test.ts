// `muster listen` as a real process: receives, checks, prints, answers, and ends when it is told to.

import t from 'tap'
import { buildRequest, type Envelope } from '../src/notify/send/envelopes.ts'
import { openSender, sendOnce } from '../src/notify/send/send-once.ts'
import { parseNetworks } from '../src/platform/outbound/addresses.ts'
import { makeWebhookSecret } from '../src/platform/webhook-signature.ts'
import type { Teardown } from './helpers/cluster.ts'
import { runProcess, startProcess } from './helpers/processes.ts'
import { startReceiver } from './helpers/receiver.ts'
import { importEvent, recordEvent, sampleDelivery } from './helpers/sample-events.ts'

async function startListen(t: Teardown, args: string[] = [], env: Record<string, string> = {}) {
  const child = startProcess(t, 'src/cli.ts', ['listen', ...args], env)
  return { ...child, url: await child.waitFor(/listening on (\S+\/)/) }
}

/** Sends as the service does, signed with the secret. */
function sender(t: Teardown, url: string, secret: string) {
  const opened = openSender({ allowed: parseNetworks(['127.0.0.0/8']), timeoutMs: 20_000 })
  t.teardown(() => opened.close())
  return async (envelope: Envelope, event = importEvent, attemptAt = new Date()) => {
    const endpoint = { id: 3, secrets: [secret] as [string], headers: {} }
    const request = buildRequest(envelope, sampleDelivery(event, { attemptAt, endpoint }))
    return (await sendOnce(opened, { url, ...request })).status
  }
}

t.test('prints what came, one line each, in any envelope, and ends with Ctrl-C', async (t) => {
  const secret = makeWebhookSecret()
  const listen = await startListen(t, ['--secret', secret])
  const send = sender(t, listen.url, secret)
  t.equal(await send('standard'), 204)
  t.equal(await send('standard', recordEvent), 204)
  t.equal(await send('connectwise', recordEvent), 204)
  t.equal(await send('autotask', recordEvent), 204)
  listen.kill('SIGINT')
  t.equal(await listen.ended, 0)
  const completed =
    'import.completed: import 7, completed_with_errors, 1 created, 1 updated, 1 rejected'
  t.same(listen.stdout().trim().split('\n'), [
    `${importEvent.id} ${completed} [verified]`,
    `${recordEvent.id} record.updated: contacts 42 Ann Lee [verified]`,
    `${recordEvent.id} contact 42: updated [verified]`,
    `${recordEvent.id} Contact 42: Update [verified]`
  ])
})

t.test('answers what it is told to, and 401 to what does not fit', async (t) => {
  const secret = makeWebhookSecret()
  const listen = await startListen(t, ['--status', '500', '--json'], {
    MUSTER_WEBHOOK_SECRET: secret
  })
  t.equal(await sender(t, listen.url, secret)('standard'), 500)
  t.equal(await sender(t, listen.url, makeWebhookSecret())('standard'), 401)
  const old = new Date(Date.now() - 3_600_000)
  t.equal(await sender(t, listen.url, secret)('standard', importEvent, old), 401)
  t.equal((await fetch(listen.url)).status, 405)
  const big = await fetch(listen.url, { method: 'POST', body: 'x'.repeat(1_100_000) }).catch(
    () => null
  )
  t.equal(big, null)
  listen.kill('SIGTERM')
  t.equal(await listen.ended, 0)
  const [good, wrong, late, ...more] = listen
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(good, { verified: true, fault: null, body: { type: 'import.completed' } })
  t.equal(good.headers['webhook-id'], importEvent.id)
  t.match(wrong, { verified: false, fault: /No signature fits/ })
  t.match(late, { verified: false, fault: /five minutes/ })
  t.same(more, [])
})

t.test('without a secret it takes everything and says so; nothing breaks its lines', async (t) => {
  const listen = await startListen(t)
  t.match(listen.stderr(), /nothing is checked without --secret/)
  const post = (body: string) => fetch(listen.url, { method: 'POST', body })
  t.equal((await post('hello\n\u001b[2Jworld')).status, 204)
  t.equal((await post('null')).status, 204)
  t.equal((await post('{"type":"webhook.test","data":{}}')).status, 204)
  listen.kill('SIGINT')
  await listen.ended
  t.same(listen.stdout().trimEnd().split('\n'), [
    'without an id no JSON: hello  [2Jworld [not checked]',
    'without an id no JSON: null [not checked]',
    'without an id webhook.test [not checked]'
  ])
})

t.test('--create makes an endpoint with itself as target, and deletes it at the end', async (t) => {
  const secret = makeWebhookSecret()
  const muster = await startReceiver(t, ({ method }, response) => {
    if (method === 'DELETE') return response.writeHead(204).end()
    response.writeHead(201, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ id: 9, secret }))
  })
  const env = { MUSTER_URL: `http://127.0.0.1:${muster.port}`, MUSTER_API_KEY: 'mk_test' }
  const choices = ['--events', 'import.completed, import.failed', '--format', 'connectwise']
  const listen = await startListen(t, ['--create', ...choices], env)
  t.match(listen.stderr(), / as endpoint 9\n/)
  t.equal(await sender(t, listen.url, secret)('connectwise'), 204)
  listen.kill('SIGINT')
  t.equal(await listen.ended, 0)
  t.match(listen.stdout(), /Import 7: updated \[verified\]/)
  t.match(muster.received, [
    { method: 'POST', path: '/webhooks', headers: { authorization: 'Bearer mk_test' } },
    { method: 'DELETE', path: '/webhooks/9', headers: { authorization: 'Bearer mk_test' } }
  ])
  t.same(JSON.parse(muster.received[0]?.body ?? ''), {
    url: listen.url,
    description: 'muster listen',
    event_types: ['import.completed', 'import.failed'],
    format: 'connectwise'
  })
})

t.test('what cannot work is said at once', async (t) => {
  const secret = await runProcess(t, 'src/cli.ts', ['listen', '--secret', 'whsec_short'])
  t.equal(secret.code, 2)
  t.match(secret.stderr, /The secret is not one/)
  const status = await runProcess(t, 'src/cli.ts', ['listen', '--status', '99'])
  t.equal(status.code, 2)
  t.match(status.stderr, /"99" is not a whole number from 200 to 599/)
  const taken = await startReceiver(t, (_, response) => response.end())
  const port = await runProcess(t, 'src/cli.ts', ['listen', '--port', String(taken.port)])
  t.equal(port.code, 2)
  t.match(port.stderr, /Cannot listen on port \d+: .*EADDRINUSE/)
  const refused = await startReceiver(t, (_, response) =>
    response
      .writeHead(400, { 'content-type': 'application/problem+json' })
      .end(
        '{"title":"URL refused","detail":"127.0.0.1 is not public.","code":"webhook_url_refused"}'
      )
  )
  const env = { MUSTER_URL: `http://127.0.0.1:${refused.port}`, MUSTER_API_KEY: 'mk_test' }
  const create = await runProcess(t, 'src/cli.ts', ['listen', '--create'], env)
  t.equal(create.code, 2)
  t.match(create.stderr, /127.0.0.1 is not public/)
  t.match(create.stderr, /MUSTER_WEBHOOK_ALLOWED_NETWORKS=127.0.0.0\/8/)
})
