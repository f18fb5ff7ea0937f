// The shape of events about records: what it takes, what it refuses, and that everything is told of.

import Fastify from 'fastify'
import t from 'tap'
import {
  EventRecordSchema,
  EventReferenceSchema,
  RecordEventDataSchema
} from '../src/event-data.ts'
import { recordEvent, sampleConfiguration, sampleContact } from './helpers/sample-events.ts'

t.test('takes the records that the documentation shows, and no other properties', async (t) => {
  const app = Fastify({ ajv: { customOptions: { removeAdditional: false } } })
  t.teardown(() => app.close())
  app.addSchema(EventReferenceSchema)
  app.post('/', { schema: { body: RecordEventDataSchema } }, async () => 'fine')
  const statusOf = async (payload: object) =>
    (await app.inject({ method: 'POST', url: '/', payload })).statusCode
  t.equal(await statusOf(recordEvent.data), 200)
  const gone = { ...sampleContact, values: null, changed_fields: null, organization: null }
  t.equal(await statusOf({ import_id: null, records: [sampleConfiguration, gone] }), 200)
  const secret = { ...sampleContact, changed_fields: { password: { secret: true } } }
  t.equal(await statusOf({ import_id: null, records: [secret] }), 200)
  t.equal(await statusOf({ import_id: null, records: [{ ...sampleContact, more: 1 }] }), 400)
  t.equal(await statusOf({ import_id: null, records: Array(101).fill(sampleContact) }), 400)
  const { title: _, ...untitled } = sampleContact
  t.equal(await statusOf({ import_id: null, records: [untitled] }), 400)
})

t.test('every property has a text', async (t) => {
  for (const schema of [EventReferenceSchema, EventRecordSchema, RecordEventDataSchema]) {
    for (const [name, property] of Object.entries(schema.properties)) {
      t.match((property as { description?: string }).description, /\w{3}/, name)
    }
  }
})
