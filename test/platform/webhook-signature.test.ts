// Signatures of webhooks, with the package of Standard Webhooks as the judge.

import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import {
  makeWebhookSecret,
  readWebhookSecret,
  signWebhook,
  webhookFault
} from '../../src/platform/webhook-signature.ts'

const now = new Date()
const timestamp = Math.floor(now.getTime() / 1000)
const body = '{"name":"Zoë","big":"😀"}'

function signed(secrets: string[], at = timestamp) {
  const message = { id: 'evt_1', timestamp: at, body }
  return {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(at),
    'webhook-signature': signWebhook(message, secrets)
  }
}

t.test('the package takes what we sign, with either secret while there are two', async (t) => {
  const [first, second] = [makeWebhookSecret(), makeWebhookSecret()]
  for (const secrets of [[first], [second, first]]) {
    const headers = signed(secrets)
    t.equal(headers['webhook-signature'].split(' ').length, secrets.length)
    for (const secret of secrets) {
      t.same(new Webhook(secret).verify(body, headers), JSON.parse(body))
      t.equal(webhookFault(headers, body, secret, now), null)
    }
  }
  t.throws(() => new Webhook(second).verify(body, signed([first])))
})

t.test('we take what the package signs', async (t) => {
  const secret = makeWebhookSecret()
  const headers = {
    ...signed([secret]),
    'webhook-signature': `v1a,xyz ${new Webhook(secret).sign('evt_1', now, body)}`
  }
  t.equal(webhookFault(headers, body, secret, now), null)
})

t.test('anything that was changed is noticed', async (t) => {
  const secret = makeWebhookSecret()
  const headers = signed([secret])
  t.match(webhookFault(headers, `${body} `, secret, now), /No signature fits/)
  t.match(webhookFault({ ...headers, 'webhook-id': 'evt_2' }, body, secret, now), /No signature/)
  const other = { ...headers, 'webhook-timestamp': String(timestamp + 1) }
  t.match(webhookFault(other, body, secret, now), /No signature fits/)
  t.match(webhookFault(headers, body, makeWebhookSecret(), now), /No signature fits/)
  const cut = { ...headers, 'webhook-signature': 'v1,AAAA' }
  t.match(webhookFault(cut, body, secret, now), /No signature fits/)
  for (const name of ['id', 'timestamp', 'signature']) {
    t.match(webhookFault({ ...headers, [`webhook-${name}`]: undefined }, body, secret, now), /Not/)
  }
  for (const off of [-301, 301]) {
    t.match(webhookFault(signed([secret], timestamp + off), body, secret, now), /five minutes/)
  }
  t.equal(webhookFault(signed([secret], timestamp - 299), body, secret, now), null)
})

t.test('a secret is whsec_ and 24 to 64 bytes', async (t) => {
  t.match(makeWebhookSecret(), /^whsec_[A-Za-z0-9+/]{43}=$/)
  for (const size of [24, 32, 64]) {
    const bytes = randomBytes(size)
    t.same(readWebhookSecret(`whsec_${bytes.toString('base64')}`), bytes)
  }
  const wrong = ['', 'whsec_', 'secret', `whsec_${'A'.repeat(43)}`, `whsec_${'-'.repeat(44)}`]
  for (const size of [23, 65]) wrong.push(`whsec_${randomBytes(size).toString('base64')}`)
  wrong.push(randomBytes(32).toString('base64'))
  for (const text of wrong) t.equal(readWebhookSecret(text), null, text)
  t.throws(() => signWebhook({ id: 'a', timestamp, body }, ['no secret']))
})
