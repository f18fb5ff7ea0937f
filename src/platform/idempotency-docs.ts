// What the OpenAPI document says of idempotency keys on every POST: the header, and the answers that
// come of it. In: a route as it is added. Called by idempotency.ts.

import { problemsOf } from './http-schemas.ts'

/** The request header, as Node spells it. */
export const headerName = 'idempotency-key'
/** Header of answers that were given before. */
export const replayedHeader = 'idempotent-replayed'

interface Answer {
  description?: string
  headers?: Record<string, object>
}

interface Route {
  method: string | string[]
  schema?: { hide?: boolean; headers?: unknown; response?: unknown }
}

const keyHeader = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description:
    'A text of your own, such as a UUID, that makes it safe to send the request again: the same key ' +
    'with the same request gets the answer of the first time, and nothing is done twice. Known ' +
    'for 24 hours unless configured otherwise.',
  examples: ['8f14e45f-ceea-467f-a9f5-1c2d3e4f5a6b']
}

const replayed = {
  type: 'string',
  description: '`true` when the answer was given before, to a request with the same key.'
}

/** Adds the header and its answers to the schema of a route that is a POST. */
export function documentKey(route: Route): void {
  if (![route.method].flat().includes('POST') || !route.schema || route.schema.hide) return
  const response: Record<string, Answer> = { ...(route.schema.response as object) }
  for (const [status, answer] of Object.entries(response)) {
    const headers = { ...answer.headers, 'Idempotent-Replayed': replayed }
    if (Number(status) < 300) response[status] = { ...answer, headers }
  }
  const problems = problemsOf(['idempotency_key_in_use', 'idempotency_key_reused'])
  for (const [status, answer] of Object.entries(problems)) {
    const known = response[status]?.description
    const description = known ? `${known} ${answer.description}` : answer.description
    response[status] = { ...answer, description }
  }
  const headers = { type: 'object', properties: { 'Idempotency-Key': keyHeader } }
  route.schema = { ...route.schema, headers, response }
}
