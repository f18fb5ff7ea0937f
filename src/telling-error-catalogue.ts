// Data of the error catalogue, the part about others: events, webhooks, links to other systems.
// Read by error-catalogue.ts alone, which says what the entries are.

export const tellingErrors = {
  webhook_not_found: {
    status: 404,
    title: 'Webhook not found',
    message: 'There is no webhook endpoint {id} in this account.'
  },
  delivery_not_found: {
    status: 404,
    title: 'Delivery not found',
    message: 'Endpoint {webhook} has no delivery {id}, or it is no longer kept.'
  },
  webhook_url_refused: {
    status: 422,
    title: 'Address not allowed',
    message: 'Nothing can be sent there: {reason}'
  },
  link_state_conflict: {
    status: 409,
    title: 'Not possible in this state',
    message:
      'Record {id} is {state} in {system}, and cannot become {to} from there, only: {allowed}.'
  },
  link_taken: {
    status: 409,
    title: 'External id in use',
    message:
      'Another record of the same type is {external_id} in {system}, so record {id} cannot be.'
  },
  webhook_disabled: {
    status: 409,
    title: 'Webhook is disabled',
    message: 'Endpoint {id} is disabled, so nothing is sent there. Enable it first.'
  },
  too_many_webhooks: {
    status: 409,
    title: 'Too many webhooks',
    message: 'An account has at most {limit} webhook endpoints. Delete one that is not needed.'
  },
  events_gone: {
    status: 410,
    title: 'Events no longer stored',
    message:
      'Events after this cursor were dropped: they are kept for a time only. Start without a cursor, and read the imports of the time between.'
  }
} as const
