// Shapes of the routes of webhook endpoints. TypeBox schemas with a text for every property.

import { Type } from 'typebox'
import { choosableEvents } from '../../events.ts'
import { answer, nullable, oneOf, page, pageQuery, time } from '../../platform/http-schemas.ts'
import { envelopes } from '../send/envelopes.ts'

export const WebhookId = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: 2 ** 53 - 1, description: 'Id of the endpoint.' })
})

const url = Type.String({
  minLength: 1,
  maxLength: 2_000,
  description: 'Where deliveries are sent: an http or https address that is public.',
  examples: ['https://example.com/hooks/muster']
})

const settings = {
  description: Type.Optional(
    Type.String({ maxLength: 500, description: 'What it is for, in words of your own.' })
  ),
  event_types: Type.Optional(
    Type.Array(oneOf(choosableEvents, 'A type of event; see docs/events.md.'), {
      maxItems: 50,
      uniqueItems: true,
      description: 'What it wants to be told of. Empty: everything.',
      examples: [['import.completed', 'import.failed']]
    })
  ),
  record_types: Type.Optional(
    Type.Array(Type.String({ maxLength: 100, description: 'Name of a record type.' }), {
      maxItems: 200,
      uniqueItems: true,
      description: 'Only events about records, or imports, of these types. Empty: of all.'
    })
  ),
  format: Type.Optional(
    oneOf(envelopes, 'The shape of the body and its signature; see docs/psa-envelopes.md.')
  ),
  records_per_delivery: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description:
        'Most records that one delivery of a record event tells of. 100 unless said; other formats ' +
        'than standard have place for one.'
    })
  ),
  ignore_keys: Type.Optional(
    Type.Array(
      Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: 'Id of an API key.' }),
      {
        maxItems: 100,
        uniqueItems: true,
        description:
          'API keys whose changes of records are not sent here: a connector names its own, and is ' +
          'not told of what it did itself.'
      }
    )
  ),
  headers: Type.Optional(
    Type.Record(
      Type.String(),
      Type.String({ maxLength: 2_000, description: 'Value of the header.' }),
      {
        maxProperties: 20,
        description:
          'Headers that are sent with each delivery, such as Authorization. Kept encrypted; only ' +
          'their names are shown again.'
      }
    )
  ),
  enabled: Type.Optional(
    Type.Boolean({
      description: 'false: nothing is sent, and no deliveries are made of what happens meanwhile.'
    })
  )
}

/** POST /webhooks. */
export const NewWebhook = Type.Object(
  { url, ...settings },
  { additionalProperties: false, description: 'An endpoint; only its address is needed.' }
)

/** PATCH /webhooks/{id}. */
export const WebhookPatch = Type.Object(
  { url: Type.Optional(url), ...settings },
  { additionalProperties: false, description: 'What is to change; the rest stays as it is.' }
)

const endpoint = {
  id: Type.Integer({ description: 'Id of the endpoint.', examples: [1] }),
  url: Type.String({ description: 'Where deliveries are sent.' }),
  description: Type.String({ description: 'What it is for.' }),
  event_types: Type.Array(Type.String({ description: 'A type of event.' }), {
    description: 'What it is told of; empty: everything.'
  }),
  record_types: Type.Array(Type.String({ description: 'Name of a record type.' }), {
    description: 'Only events about these types; empty: about all.'
  }),
  format: oneOf(envelopes, 'The shape of the body and its signature.'),
  records_per_delivery: Type.Integer({ description: 'Most records in one delivery.' }),
  ignore_keys: Type.Array(Type.Integer({ description: 'Id of an API key.' }), {
    description: 'API keys whose changes are not sent back.'
  }),
  header_names: Type.Array(Type.String({ description: 'Name of a header.' }), {
    description: 'Headers of your own that are sent along; their values are not shown again.'
  }),
  enabled: Type.Boolean({ description: 'Whether it is told of anything.' }),
  disabled: nullable(
    answer(
      {
        reason: oneOf(
          ['gone', 'failing'],
          'gone: it answered 410; failing: nothing could be delivered for five days.'
        ),
        at: time('When.')
      },
      { description: 'Why Muster disabled it.' }
    ),
    'Why Muster itself disabled it; null: it did not.'
  ),
  import_id: nullable(
    Type.Integer(),
    'The import that it was made for (`callback_url`): it hears of that one, of the import that ' +
      'applies it, and of their undos and redos; null: of all.'
  ),
  failing_since: nullable(
    time(''),
    'The first failure since the last success, or since two days without one; null: it works.'
  ),
  last_delivered_at: nullable(time(''), 'When something was last delivered; null: never.'),
  old_secret_until: nullable(
    time(''),
    'Until when deliveries are signed with the secret before as well; null: they are not.'
  ),
  created_at: time('When it was made.'),
  updated_at: time('When it was last changed.')
}

export const WebhookSchema = answer(endpoint, {
  $id: 'Webhook',
  description: 'An endpoint that is told of events.'
})

const secret = Type.String({
  description: 'What deliveries are signed with. It is shown only this once.',
  examples: ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD']
})

export const NewWebhookSchema = answer(
  { ...endpoint, secret },
  { $id: 'NewWebhook', description: 'A new endpoint with its secret.' }
)

export const RotatedSecretSchema = answer(
  {
    secret,
    old_secret_until: time('Until when deliveries are signed with the secret before as well.')
  },
  { $id: 'RotatedSecret', description: 'The new secret of an endpoint.' }
)

export const TestSentSchema = answer(
  { event_id: Type.String({ description: 'Id of the event `webhook.test`; it is `webhook-id`.' }) },
  { $id: 'TestSent', description: 'A test that is on its way.' }
)

export const SigningKeySchema = answer(
  { signing_key: Type.String({ description: 'The key that the content signature is made with.' }) },
  { $id: 'SigningKey', description: 'The signing key of an endpoint in the connectwise format.' }
)

export const WebhookPageSchema = page(WebhookSchema, 'WebhookPage', 'Endpoints, oldest first.')

export const webhookSchemas = [
  WebhookSchema,
  NewWebhookSchema,
  RotatedSecretSchema,
  TestSentSchema,
  SigningKeySchema,
  WebhookPageSchema
]

/** GET /webhooks. */
export const WebhookListQuery = Type.Object(
  {
    import_id: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2 ** 53 - 1,
        description: 'Those that were made for this import; left out: all others.'
      })
    ),
    ...pageQuery
  },
  { additionalProperties: false }
)
