// Routes of deliveries: what was sent to an endpoint, what came of it, and sending it again.

import type { Pool } from '../../platform/db.ts'
import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import { WebhookId } from '../webhooks/schemas.ts'
import {
  DeliveryListQuery,
  DeliveryPageSchema,
  DeliveryPlace,
  DeliverySchema,
  deliverySchemas,
  RedeliverBody,
  RedeliveredSchema
} from './schemas.ts'
import { pageOfDeliveries, redeliver, showDelivery } from './show-deliveries.ts'

const tags = ['webhooks']

/** Adds the routes of this module. Needs the access guard (`request.account`). */
export function deliveryRoutes(app: App, { pool }: { pool: Pool }): void {
  for (const schema of deliverySchemas) app.addSchema(schema)
  addReading(app, pool)
  addRedelivery(app, pool)
}

function addReading(app: App, pool: Pool): void {
  app.route({
    method: 'GET',
    url: '/webhooks/:id/deliveries',
    schema: {
      operationId: 'listDeliveries',
      tags,
      summary: 'List what was sent to an endpoint',
      description:
        'Deliveries, newest first, each with every attempt: when, how long, the status and the ' +
        'beginning of the answer, or why there was none.',
      params: WebhookId,
      querystring: DeliveryListQuery,
      response: {
        200: ok('A page of deliveries.', ref(DeliveryPageSchema)),
        ...problems('webhook_not_found', 'invalid_cursor')
      }
    },
    handler: ({ account: { account_id }, params: { id }, query }) =>
      pageOfDeliveries(pool, { account_id, endpoint_id: id }, query)
  })

  app.route({
    method: 'GET',
    url: '/webhooks/:id/deliveries/:delivery_id',
    schema: {
      operationId: 'getDelivery',
      tags,
      summary: 'Get a delivery',
      description: 'One delivery with its attempts.',
      params: DeliveryPlace,
      response: {
        200: ok('The delivery.', ref(DeliverySchema)),
        ...problems('webhook_not_found', 'delivery_not_found')
      }
    },
    handler: ({ account: { account_id }, params: { id, delivery_id } }) =>
      showDelivery(pool, { account_id, endpoint_id: id }, delivery_id)
  })
}

const redeliverAllDoc = {
  operationId: 'redeliverFailed',
  tags,
  summary: 'Send again what was given up',
  description:
    'Everything that was given up and was made since a time, in the order it was made. Those that ' +
    'are still tried are not touched.',
  params: WebhookId,
  body: RedeliverBody,
  response: {
    202: ok('Due again.', ref(RedeliveredSchema)),
    ...problems('webhook_not_found')
  }
}

function addRedelivery(app: App, pool: Pool): void {
  app.route({
    method: 'POST',
    url: '/webhooks/:id/deliveries/:delivery_id/redeliver',
    schema: {
      operationId: 'redeliver',
      tags,
      summary: 'Send a delivery again',
      description:
        'Sends it now, whatever became of it, with the same `webhook-id`; where that fails the ' +
        'schedule begins anew. For a disabled endpoint: as soon as it is enabled.',
      params: DeliveryPlace,
      response: {
        202: ok('Due again.', ref(DeliverySchema)),
        ...problems('webhook_not_found', 'delivery_not_found')
      }
    },
    handler: async ({ account: { account_id }, params, once }, reply) => {
      const place = { account_id, endpoint_id: params.id }
      await redeliver(pool, place, { id: params.delivery_id }, once)
      return reply.code(202).send(await showDelivery(pool, place, params.delivery_id))
    }
  })

  app.route({
    method: 'POST',
    url: '/webhooks/:id/redeliver',
    schema: redeliverAllDoc,
    handler: async ({ account: { account_id }, params: { id }, body, once }, reply) => {
      const count = await redeliver(pool, { account_id, endpoint_id: id }, body, once)
      return reply.code(202).send({ count })
    }
  })
}
