// Shapes of the routes of deliveries. TypeBox schemas with a text for every property.

import { Type } from 'typebox'
import { answer, nullable, oneOf, page, pageQuery, time } from '../../platform/http-schemas.ts'
import { WebhookId } from '../webhooks/schemas.ts'
import { deliveryStates } from './store.ts'

export const DeliveryPlace = Type.Object({
  ...WebhookId.properties,
  delivery_id: Type.Integer({
    minimum: 1,
    maximum: 2 ** 53 - 1,
    description: 'Id of the delivery.'
  })
})

export const DeliverySchema = answer(
  {
    id: Type.Integer({ description: 'Id of the delivery.', examples: [1] }),
    message_id: Type.String({
      description:
        'The header `webhook-id`, the same in all attempts: id of the event, with a number behind ' +
        'it where the event was sent in parts.'
    }),
    event: answer(
      {
        id: Type.String({ description: 'Id of the event.' }),
        type: Type.String({ description: 'What happened.', examples: ['import.completed'] })
      },
      { description: 'What it tells.' }
    ),
    import_id: nullable(Type.Integer(), 'The import that it is about; null: none.'),
    sequence: Type.Integer({ description: "The endpoint's own count of its deliveries." }),
    state: oneOf(
      deliveryStates,
      'pending: it is due, or will be tried again; delivered; failed: it was given up.'
    ),
    created_at: time('When it was made.'),
    next_attempt_at: nullable(
      time(''),
      'When it is tried (again) at the earliest; null: it ended.'
    ),
    ended_at: nullable(time(''), 'When it was delivered or given up; null: not yet.'),
    attempts: Type.Array(
      answer(
        {
          attempt: Type.Integer({ description: 'Number of the attempt, from 1.' }),
          at: time('When it began.'),
          ms: Type.Integer({ description: 'How long it took.' }),
          status: nullable(Type.Integer(), 'HTTP status of the answer; null: there was none.'),
          error: nullable(Type.String(), 'Why there was no answer; null: there was one.'),
          answer: nullable(Type.String(), 'The first kilobyte of the answer; null: there was none.')
        },
        { description: 'One attempt.' }
      ),
      { description: 'What was tried, oldest first.' }
    )
  },
  { $id: 'Delivery', description: 'An event, or part of its records, for one endpoint.' }
)

export const DeliveryPageSchema = page(DeliverySchema, 'DeliveryPage', 'Deliveries, newest first.')

export const RedeliveredSchema = answer(
  { count: Type.Integer({ description: 'How many are due again.' }) },
  { $id: 'Redelivered', description: 'What is sent again.' }
)

export const deliverySchemas = [DeliverySchema, DeliveryPageSchema, RedeliveredSchema]

/** GET /webhooks/{id}/deliveries. */
export const DeliveryListQuery = Type.Object(
  {
    state: Type.Optional(oneOf(deliveryStates, 'Only those in this state.')),
    ...pageQuery
  },
  { additionalProperties: false }
)

/** POST /webhooks/{id}/redeliver. */
export const RedeliverBody = Type.Object(
  {
    since: Type.String({
      format: 'date-time',
      description: 'What was given up and was made since this time is sent again.',
      examples: ['2026-01-31T09:30:00.000Z']
    })
  },
  { additionalProperties: false, description: 'Since when.' }
)
