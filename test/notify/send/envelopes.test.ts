// The envelopes: signatures, each verified by code written from its description alone; what they
// hold; that none grows too large and none tells a secret.

import { createHash, createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import type { EventRecord } from '../../../src/event-data.ts'
import { connectwiseSigningKey } from '../../../src/notify/send/connectwise.ts'
import { headerFaults } from '../../../src/notify/send/custom-headers.ts'
import { partOf, type SentEvent } from '../../../src/notify/send/delivery.ts'
import { buildRequest, envelopes } from '../../../src/notify/send/envelopes.ts'
import { makeWebhookSecret } from '../../../src/platform/webhook-signature.ts'
import {
  importEvent,
  recordEvent,
  sampleConfiguration,
  sampleContact,
  sampleDelivery,
  sampleSecret
} from '../../helpers/sample-events.ts'

const withRecords = (records: EventRecord[], type = 'record.updated'): SentEvent => ({
  ...recordEvent,
  type,
  data: { import_id: 7, records }
})

const bodyOf = (...args: Parameters<typeof buildRequest>) => JSON.parse(buildRequest(...args).body)

t.test(
  'every envelope is signed as Standard Webhooks are, at the time of the attempt',
  async (t) => {
    const secrets: [string, string] = [makeWebhookSecret(), makeWebhookSecret()]
    const attemptAt = new Date()
    const endpoint = { id: 3, secrets, headers: { 'x-tenant': '7', 'Webhook-Id': 'mine' } }
    for (const envelope of envelopes) {
      const { headers, body } = buildRequest(
        envelope,
        sampleDelivery(recordEvent, { attemptAt, endpoint })
      )
      for (const secret of secrets) new Webhook(secret).verify(body, headers)
      t.equal(headers['webhook-id'], recordEvent.id)
      t.equal(headers['webhook-timestamp'], String(Math.floor(attemptAt.getTime() / 1000)))
      t.equal(headers['x-tenant'], '7')
      t.notOk('Webhook-Id' in headers)
      t.equal(headers['content-type'], 'application/json')
    }
  }
)

t.test('x-content-signature fits its description', async (t) => {
  const { headers, body } = buildRequest('connectwise', sampleDelivery(recordEvent))
  const signingKey = connectwiseSigningKey(sampleSecret)
  t.match(signingKey, /^[0-9a-f]{64}$/)
  const key = createHash('sha256').update(signingKey, 'utf8').digest()
  const expected = createHmac('sha256', key).update(Buffer.from(body, 'utf8')).digest('base64')
  t.equal(headers['x-content-signature'], expected)
  t.notOk(JSON.stringify({ headers, body, signingKey }).includes(sampleSecret.slice(6)))
})

t.test('x-hook-signature fits its description', async (t) => {
  const { headers, body } = buildRequest('autotask', sampleDelivery(recordEvent))
  const expected = createHmac('sha1', sampleSecret)
    .update(Buffer.from(body, 'utf8'))
    .digest('base64')
  t.equal(headers['x-hook-signature'], `sha1=${expected}`)
  t.ok(makeWebhookSecret().length <= 64)
})

t.test('while a secret is being replaced the signatures of one use the new one', async (t) => {
  const secrets: [string, string] = [makeWebhookSecret(), sampleSecret]
  const endpoint = { id: 3, secrets, headers: {} }
  const both = buildRequest('autotask', sampleDelivery(recordEvent, { endpoint }))
  const hmac = createHmac('sha1', secrets[0]).update(both.body).digest('base64')
  t.equal(both.headers['x-hook-signature'], `sha1=${hmac}`)
})

t.test('an attempt later differs in time and signature only', async (t) => {
  for (const envelope of envelopes) {
    const first = buildRequest(envelope, sampleDelivery(recordEvent))
    const attemptAt = new Date('2026-02-01T00:00:00Z')
    const second = buildRequest(envelope, sampleDelivery(recordEvent, { attemptAt }))
    t.equal(second.body, first.body)
    t.equal(second.headers['webhook-id'], first.headers['webhook-id'])
    t.not(second.headers['webhook-signature'], first.headers['webhook-signature'])
  }
})

t.test('actions, kinds and ids of PSA envelopes', async (t) => {
  const gone = { ...sampleContact, values: null, changed_fields: null }
  const other = { ...sampleContact, type: 'domains', values: { name: 'example.com' } }
  const expected: [SentEvent, string, string, string, string, number][] = [
    [withRecords([sampleContact], 'record.created'), 'added', 'Create', 'contact', 'Contact', 42],
    [withRecords([sampleContact]), 'updated', 'Update', 'contact', 'Contact', 42],
    [withRecords([sampleContact], 'record.merged'), 'updated', 'Update', 'contact', 'Contact', 42],
    [withRecords([sampleContact], 'sync.failed'), 'updated', 'Update', 'contact', 'Contact', 42],
    [withRecords([gone], 'record.deleted'), 'deleted', 'Delete', 'contact', 'Contact', 42],
    [withRecords([other]), 'updated', 'Update', 'domains', 'domains', 42],
    [{ ...importEvent, type: 'import.created' }, 'added', 'Create', 'Import', 'Import', 7],
    [importEvent, 'updated', 'Update', 'Import', 'Import', 7],
    [
      { ...importEvent, type: 'webhook.test', data: { text: 'hello' } },
      'updated',
      'Update',
      'Webhook',
      'Webhook',
      0
    ]
  ]
  for (const [event, action, verb, kind, entityType, id] of expected) {
    const callback = bodyOf('connectwise', sampleDelivery(event))
    t.match(callback, { Action: action, Type: kind, ID: id }, event.type)
    t.type(JSON.parse(callback.Entity), 'object')
    const hook = bodyOf('autotask', sampleDelivery(event))
    t.match(hook, { Action: verb, EntityType: entityType, Id: id, SequenceNumber: 12 })
  }
  const deleted = bodyOf('connectwise', sampleDelivery(withRecords([gone], 'record.deleted')))
  t.match(JSON.parse(deleted.Entity), {
    id: 42,
    name: 'Ann Lee',
    externalIds: { connectwise: '4711' }
  })
})

t.test('PSA envelopes tell what became of a record elsewhere, also of a large one', async (t) => {
  const sync = { system: 'connectwise', state: 'error', error: 'no such company' }
  const more = { ...sync, state_before: 'synced', external_id: '4711' }
  const large = { ...sampleContact, values: { first_name: 'x'.repeat(30_000) } }
  for (const record of [sampleContact, large]) {
    const { data, ...event } = withRecords([record], 'sync.failed')
    const delivery = sampleDelivery({ ...event, data: { ...data, ...more } })
    const expected = {
      event: 'sync.failed',
      sync: { ...sync, stateBefore: 'synced', externalId: '4711' }
    }
    t.match(JSON.parse(bodyOf('connectwise', delivery).Entity)._info, expected)
    t.match(bodyOf('autotask', delivery).Fields._info, expected)
  }
  const { _info } = bodyOf('autotask', sampleDelivery(recordEvent)).Fields
  t.notOk('sync' in _info || 'event' in _info)
})

t.test('the crosswalk of configurations', async (t) => {
  const delivery = sampleDelivery(withRecords([sampleConfiguration]))
  t.match(JSON.parse(bodyOf('connectwise', delivery).Entity), {
    id: 77,
    tagNumber: 'A-0001',
    type: { id: 61, name: 'Server' },
    company: { id: 17, name: 'Happy Frog', externalIds: { connectwise: '250' } },
    modelNumber: 'Rack 100',
    installationDate: '2026-01-20T00:00:00Z'
  })
  t.match(bodyOf('autotask', delivery).Fields, {
    referenceTitle: 'SRV-01',
    product: { name: 'Rack 100', manufacturer: 'Sample Devices' },
    companyID: 17,
    isActive: true
  })
})

t.test('each endpoint has a Guid of its own', async (t) => {
  const guidOf = (id: number, account_id = 1) =>
    bodyOf(
      'autotask',
      sampleDelivery(
        { ...importEvent, account_id },
        { endpoint: { id, secrets: [sampleSecret], headers: {} } }
      )
    ).Guid
  t.match(guidOf(1), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.equal(guidOf(1), guidOf(1))
  t.equal(new Set([guidOf(1), guidOf(2), guidOf(1, 2)]).size, 3)
})

t.test(
  'a PSA envelope holds one record, and parts of an event have ids of their own',
  async (t) => {
    const records = [1, 2, 3, 4, 5].map((record_id) => ({ ...sampleContact, record_id }))
    const event = withRecords(records)
    for (const envelope of ['connectwise', 'autotask'] as const) {
      t.throws(() => buildRequest(envelope, sampleDelivery(event)), /holds 5 records/)
    }
    const parts = [0, 1, 2].map((part) => partOf(event, part, 3, 2))
    t.same(
      parts.map(({ data }) => data.records?.map(({ record_id }) => record_id)),
      [[1, 2], [3, 4], [5]]
    )
    t.same(
      parts.map(({ id }) => id),
      [1, 2, 3].map((number) => `${event.id}_${number}`)
    )
    t.equal(partOf(event, 0, 1, 100), event)
    t.equal(partOf(importEvent, 0, 1, 1), importEvent)
  }
)

t.test('no body reaches 20,000 bytes, and what is left out is named', async (t) => {
  const big = (size: number, title = 'Ann'): EventRecord => ({
    ...sampleContact,
    title,
    values: { notes: 'é'.repeat(size) },
    changed_fields: { notes: { from: null, to: 'é'.repeat(size) } }
  })
  const cases: [EventRecord[], string[] | undefined][] = [
    [[big(10)], undefined],
    [[big(4_000)], undefined],
    [[big(6_000)], ['values']],
    [[big(60_000)], ['values', 'changed_fields']],
    [Array(40).fill(big(300)), ['values', 'changed_fields']],
    [Array(100).fill(big(300)), ['values', 'changed_fields', 'title', 'organization', 'actor']],
    [
      Array(100).fill({ ...big(1, 'T'.repeat(9_000)), external_ids: { a: 'x'.repeat(250) } }),
      ['values', 'changed_fields', 'title', 'organization', 'actor', 'external_ids']
    ]
  ]
  for (const [records, omitted] of cases) {
    const { body } = buildRequest('standard', sampleDelivery(withRecords(records)))
    const { data, links } = JSON.parse(body)
    t.ok(Buffer.byteLength(body) < 20_000, `${Buffer.byteLength(body)} bytes`)
    t.same(data.omitted, omitted)
    t.equal(data.records.length, records.length)
    for (const record of data.records) t.match(record, { record_id: 42, type: 'contacts' })
    t.equal(links.record, 'https://muster.example.com/records/{record_id}')
  }
  const huge = {
    ...importEvent,
    data: { import: { id: 7, state: 'failed', error: 'x'.repeat(50_000) } }
  }
  const events = [withRecords([big(60_000, 'T'.repeat(60_000))]), huge]
  for (const envelope of envelopes) {
    for (const event of events) {
      const { body } = buildRequest(envelope, sampleDelivery(event))
      t.ok(Buffer.byteLength(body) < 20_000, `${envelope}: ${Buffer.byteLength(body)} bytes`)
      t.match(body, /imports\/7|records\/42/, 'says where it is')
    }
  }
})

t.test('without a public address links are paths', async (t) => {
  const delivery = sampleDelivery(recordEvent, { publicUrl: null })
  t.equal(bodyOf('standard', delivery).links.record, '/records/{record_id}')
  const callback = bodyOf('connectwise', delivery)
  t.match(callback, { FromUrl: '', Metadata: { key_url: '/webhooks/3/signing-key' } })
})

t.test('headers of the owner', async (t) => {
  t.same(headerFaults({}), [])
  t.same(headerFaults({ Authorization: 'Bearer a b', 'x-api-key': '7' }), [])
  const wrong: [Record<string, string>, RegExp][] = [
    [{ 'x a': '1' }, /"x a" is not a name/],
    [{ 'x:a': '1' }, /not a name/],
    [{ '': '1' }, /not a name/],
    [{ 'x-a': 'top-secret\r\nx-b: 1' }, /The value of x-a/],
    [{ 'x-a': '' }, /The value of x-a/],
    [{ 'x-a': ' 1' }, /The value of x-a/],
    [{ 'x-a': 'é' }, /The value of x-a/],
    [{ 'X-A': '1', 'x-a': '2' }, /given twice/],
    [{ 'x-a': 'x'.repeat(4_000) }, /more than 4000 characters/],
    [Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, '1'])), /more than 20/]
  ]
  for (const name of ['Host', 'content-length', 'Content-Encoding', 'Webhook-Signature']) {
    wrong.push([{ [name]: '1' }, /is set by Muster/])
  }
  for (const name of ['transfer-encoding', 'X-Hook-Signature', 'Expect', 'proxy-authorization']) {
    wrong.push([{ [name]: '1' }, /is set by Muster/])
  }
  for (const [headers, fault] of wrong) {
    t.match(headerFaults(headers).join(), fault, JSON.stringify(headers).slice(0, 80))
    t.notMatch(headerFaults(headers).join(), /top-secret/)
  }
})
