// Routes of webhook endpoints: who is told of events, and how. What was sent has routes of its own.

import { readCursor, toPage } from '../../platform/cursor.ts'
import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import { connectwiseSigningKey } from '../send/connectwise.ts'
import {
  changeEndpoint,
  createEndpoint,
  removeEndpoint,
  requireEndpoint,
  rotateSecret,
  sendTest,
  type WebhookContext,
  webhookPath
} from './change-endpoints.ts'
import { endpointJson } from './endpoint-json.ts'
import {
  NewWebhook,
  NewWebhookSchema,
  RotatedSecretSchema,
  SigningKeySchema,
  TestSentSchema,
  WebhookId,
  WebhookListQuery,
  WebhookPageSchema,
  WebhookPatch,
  WebhookSchema,
  webhookSchemas
} from './schemas.ts'
import { listEndpoints } from './store.ts'

const tags = ['webhooks']

/** Adds the routes of this module. Needs the access guard (`request.account`). */
export function webhookRoutes(app: App, context: WebhookContext): void {
  for (const schema of webhookSchemas) app.addSchema(schema)
  addCreating(app, context)
  addReading(app, context)
  addChanges(app, context)
  addSecret(app, context)
  addSigningKey(app, context)
  addTest(app, context)
}

const createDoc = {
  operationId: 'createWebhook',
  tags,
  summary: 'Add a webhook endpoint',
  description:
    'From now on what happens is sent there, signed with the `secret` that this answer shows, once. ' +
    'At most 100 endpoints for each account.',
  body: NewWebhook,
  response: {
    201: ok('The endpoint, with its secret.', ref(NewWebhookSchema), {
      location: { type: 'string', description: 'Path of the endpoint.' }
    }),
    ...problems('webhook_url_refused', 'unknown_record_type', 'too_many_webhooks')
  }
}

function addCreating(app: App, context: WebhookContext): void {
  app.route({
    method: 'POST',
    url: '/webhooks',
    config: { sealAnswer: true },
    schema: createDoc,
    handler: async ({ account, body, once, log }, reply) => {
      const { row, secret } = await createEndpoint(context, account, body, once)
      log.info({ webhook_id: row.id, key_id: account.key_id }, 'webhook made')
      const json = { ...endpointJson(context.secrets, row), secret }
      return reply.code(201).header('location', webhookPath(row.id)).send(json)
    }
  })
}

function addReading(app: App, { pool, secrets }: WebhookContext): void {
  app.route({
    method: 'GET',
    url: '/webhooks',
    schema: {
      operationId: 'listWebhooks',
      tags,
      summary: 'List webhook endpoints',
      description:
        'The endpoints of the account, oldest first. Those that an import was given ' +
        '(`callback_url`) are listed with `import_id` only.',
      querystring: WebhookListQuery,
      response: {
        200: ok('A page of endpoints.', ref(WebhookPageSchema)),
        ...problems('invalid_cursor')
      }
    },
    handler: async ({ account, query: { import_id = null, cursor, limit } }) => {
      const after = readCursor(cursor, 0)
      const filter = { import_id, after, limit: limit + 1 }
      const rows = await listEndpoints(pool, account.account_id, filter)
      const { data, next_cursor } = toPage(rows, limit, (row) => row.id)
      return { data: data.map((row) => endpointJson(secrets, row)), next_cursor }
    }
  })

  app.route({
    method: 'GET',
    url: '/webhooks/:id',
    schema: {
      operationId: 'getWebhook',
      tags,
      summary: 'Get a webhook endpoint',
      description: 'Its choices, and whether it works.',
      params: WebhookId,
      response: { 200: ok('The endpoint.', ref(WebhookSchema)), ...problems('webhook_not_found') }
    },
    handler: async ({ account, params: { id } }) =>
      endpointJson(secrets, await requireEndpoint(pool, account.account_id, id))
  })
}

const patchDoc = {
  operationId: 'changeWebhook',
  tags,
  summary: 'Change a webhook endpoint',
  description:
    'What is absent stays; lists and `headers` are replaced as a whole. Enabling an endpoint sends ' +
    'what had waited for it; of what happened while it was disabled `GET /events` tells.',
  params: WebhookId,
  body: WebhookPatch,
  response: {
    200: ok('The endpoint as it is now.', ref(WebhookSchema)),
    ...problems('webhook_not_found', 'webhook_url_refused', 'unknown_record_type')
  }
}

function addChanges(app: App, context: WebhookContext): void {
  app.route({
    method: 'PATCH',
    url: '/webhooks/:id',
    schema: patchDoc,
    handler: async ({ account, params: { id }, body }) =>
      endpointJson(context.secrets, await changeEndpoint(context, account, id, body))
  })

  app.route({
    method: 'DELETE',
    url: '/webhooks/:id',
    schema: {
      operationId: 'deleteWebhook',
      tags,
      summary: 'Delete a webhook endpoint',
      description: 'Nothing is sent there any more; what waited is dropped.',
      params: WebhookId,
      response: {
        204: { description: 'Deleted.', type: 'null' },
        ...problems('webhook_not_found')
      }
    } as const,
    handler: async ({ account, params: { id } }, reply) => {
      await removeEndpoint(context, account, id)
      return reply.code(204).send(null)
    }
  })
}

function addSecret(app: App, context: WebhookContext): void {
  app.route({
    method: 'POST',
    url: '/webhooks/:id/rotate-secret',
    config: { sealAnswer: true },
    schema: {
      operationId: 'rotateWebhookSecret',
      tags,
      summary: 'Give an endpoint a new secret',
      description:
        'The answer shows it, once. For 24 hours deliveries are signed with both, so that the ' +
        'receiver can change over. Rotated again within that time, the oldest is not valid any more.',
      params: WebhookId,
      response: {
        200: ok('The new secret.', ref(RotatedSecretSchema)),
        ...problems('webhook_not_found')
      }
    },
    handler: async ({ account, params: { id }, once, log }) => {
      const rotated = await rotateSecret(context, account, id, once)
      log.info({ webhook_id: id, key_id: account.key_id }, 'webhook secret rotated')
      return rotated
    }
  })
}

function addSigningKey(app: App, { pool, secrets }: WebhookContext): void {
  app.route({
    method: 'GET',
    url: '/webhooks/:id/signing-key',
    schema: {
      operationId: 'getWebhookSigningKey',
      tags,
      summary: 'Get the signing key of an endpoint',
      description:
        'What receivers of the connectwise format verify `x-content-signature` with; the body of a ' +
        'delivery names this place (`Metadata.key_url`). It is made from the secret and changes ' +
        'with it.',
      params: WebhookId,
      response: {
        200: ok('The key.', ref(SigningKeySchema)),
        ...problems('webhook_not_found', 'secret_key_missing', 'secret_unreadable')
      }
    },
    handler: async ({ account, params: { id } }) => {
      const { secret } = await requireEndpoint(pool, account.account_id, id)
      return { signing_key: connectwiseSigningKey(secrets.open(secret)) }
    }
  })
}

function addTest(app: App, context: WebhookContext): void {
  app.route({
    method: 'POST',
    url: '/webhooks/:id/test',
    schema: {
      operationId: 'testWebhook',
      tags,
      summary: 'Send a test event',
      description:
        'Sends `webhook.test` to this endpoint now, whatever its filters. What came of it is in ' +
        '`GET /webhooks/{id}/deliveries`.',
      params: WebhookId,
      response: {
        202: ok('On its way.', ref(TestSentSchema), {
          location: { type: 'string', description: 'Where to see what came of it.' }
        }),
        ...problems('webhook_not_found', 'webhook_disabled')
      }
    },
    handler: async ({ account, params: { id }, once }, reply) => {
      const event_id = await sendTest(context, account, id, once)
      reply.code(202).header('location', `${webhookPath(id)}/deliveries`)
      return reply.send({ event_id })
    }
  })
}
