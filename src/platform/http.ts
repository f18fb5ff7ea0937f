// How every failure leaves the service: as an RFC 9457 problem document with our `code`.
// In: errors thrown by handlers, validation, plug-ins, the database. Out: one body shape.
// Registered once by app.ts; knows no domain word.

import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type {} from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  ConnectionError,
  FastifyBaseLogger,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault
} from 'fastify'
import { AppError, appError } from '../errors.ts'
import { asAppError } from './db.ts'
import { type Fault, type ProblemDocument, problemType } from './http-schemas.ts'
import { findFault } from './json-values.ts'

/** The server as all route modules see it: TypeBox schemas give the types of requests. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Makes the app answer every failure with a problem document. Call before any route is added:
 *  it listens to the routes to know which methods a path has (405 and its Allow header). */
export function registerProblems(app: App): void {
  const known = collectRoutes(app)
  app.setErrorHandler(answerError)
  app.addHook('preValidation', async ({ body, headers }) => {
    const fault = headers['content-type']?.includes('json') ? findFault(body) : null
    if (fault === null) return
    const details = [{ path: `body${fault.path}`, message: fault.message }]
    const reason = `body${fault.path} ${fault.message}.`
    throw appError('validation_failed', { reason }, { details })
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const methods = known.methodsOf(path)
    if (methods.length === 0) return sendProblem(request, reply, appError('not_found', { path }))
    reply.header('allow', methods.join(', '))
    const { method } = request
    return sendProblem(request, reply, appError('method_not_allowed', { method, path }))
  })
}

/** Answers whatever was thrown; logs, once, what is our fault. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const problem = toAppError(error, request)
  if (problem.code === 'internal_error') request.log.error({ err: error }, 'request failed')
  else if (problem.status >= 500) request.log.warn({ err: error }, 'request failed')
  return sendProblem(request, reply, problem)
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, error: AppError) {
  if (error.status === 401) reply.header('www-authenticate', 'Bearer realm="muster"')
  if (error.status === 503) reply.header('retry-after', '5')
  if (error.status === 429) reply.header('retry-after', String(retryAfter(error)))
  if (error.code === 'idempotency_key_in_use') reply.header('retry-after', '2')
  return reply
    .code(error.status)
    .type(problemType)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemDocument(error, request.id))
}

/** In seconds: as whoever refused for now has said. */
function retryAfter({ details }: AppError): number {
  return (details as { retry_after_seconds?: number } | undefined)?.retry_after_seconds ?? 5
}

/** Answers what is not even HTTP, where there is no request to hand to a route. */
export function answerBrokenRequest(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const reason = 'The request is not readable HTTP, or its header is too large.'
  const document = problemDocument(appError('validation_failed', { reason }), randomUUID())
  const body = JSON.stringify(document)
  const head = [
    'HTTP/1.1 400 Bad Request',
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close'
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** The body of a problem answer. `type` is a page of this service that explains the code. */
export function problemDocument(error: AppError, request_id: string): ProblemDocument {
  const { code, title, status, details } = error
  const document: ProblemDocument = {
    type: `/docs/errors#${code}`,
    title,
    status,
    detail: error.message,
    code,
    instance: request_id
  }
  if (code === 'validation_failed' && Array.isArray(details)) document.errors = details as Fault[]
  else if (details !== undefined) document.details = details
  return document
}

/** Finds the catalogue entry for anything that was thrown; what nobody foresaw is internal_error,
 *  whose text says nothing of the cause. */
function toAppError(thrown: unknown, request: FastifyRequest): AppError {
  const error = asAppError(thrown)
  if (error instanceof AppError) return error
  const { code, statusCode, validation } = error as Partial<FastifyError>
  if (validation) return validationFailed(error as FastifyError)
  // Class 22, data exception: a NUL character, a number or time out of range. Values reach the
  // database only as parameters, so it is the request that holds what no column can.
  if (code?.length === 5 && code.startsWith('22')) {
    const reason = 'A value holds a NUL character, or is a number or time out of range.'
    return appError('validation_failed', { reason }, { cause: error })
  }
  // lock_not_available: only statements that said how long they wait end so.
  if (code === '55P03') return appError('record_busy', {}, { cause: error })
  if (code === '57014') return appError('query_timeout', {}, { cause: error })
  if (statusCode === 413) return appError('body_too_large', {}, { cause: error })
  if (statusCode === 415) {
    const form = request.routeOptions.schema?.consumes?.includes('multipart/form-data')
    return appError(form ? 'not_multipart' : 'unsupported_media_type', {}, { cause: error })
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return appError('validation_failed', { reason: (error as Error).message }, { cause: error })
  }
  return appError('internal_error', { request: request.id }, { cause: error })
}

const partNames: Record<string, string> = {
  querystring: 'query',
  params: 'path',
  headers: 'header'
}

function validationFailed(error: FastifyError): AppError {
  const part = partNames[error.validationContext ?? 'body'] ?? 'body'
  const faults = (error.validation ?? []).map(({ instancePath, keyword, message, params }) => {
    const extra = params.missingProperty ?? params.additionalProperty
    const path = `${part}${instancePath}${extra === undefined ? '' : `/${extra}`}`
    if (keyword === 'additionalProperties') return { path, message: 'is not known here' }
    if (keyword === 'required') return { path, message: 'is missing' }
    const allowed = Array.isArray(params.allowedValues)
      ? `: ${params.allowedValues.join(', ')}`
      : ''
    return { path, message: `${message ?? 'is not valid'}${allowed}` }
  })
  const reason = `${faults.map(({ path, message }) => `${path} ${message}`).join('; ')}.`
  return appError('validation_failed', { reason }, { details: faults, cause: error })
}

/** Remembers each path with its methods as routes are added. */
function collectRoutes(app: App) {
  const routes: { pattern: RegExp; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const source = url
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace(/\\\*$/, '.*')
    routes.push({ pattern: new RegExp(`^${source}$`), methods: [method].flat() })
  })
  return {
    methodsOf(path: string): string[] {
      const methods = routes.filter((route) => route.pattern.test(path)).flatMap((r) => r.methods)
      return [...new Set(methods)].sort()
    }
  }
}
