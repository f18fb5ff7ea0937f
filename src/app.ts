// The HTTP service as a list: what every request passes, then the routes, registered by hand.
// In: configuration, database pool, queue, log. Out: an app that the caller listens with and closes.

import { randomUUID } from 'node:crypto'
import helmet from '@fastify/helmet'
import multipart from '@fastify/multipart'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { registerGuard } from './access/guard.ts'
import type { Config } from './config.ts'
import type { ImportContext } from './import/accept/accept-upload.ts'
import { profileRoutes } from './import/profiles/routes.ts'
import { cellReader } from './import/resolve/cell-kinds.ts'
import { importRoutes } from './import/routes.ts'
import { statesPage } from './import/states-page.ts'
import { streamRoutes } from './import/stream/routes.ts'
import { enqueueImport } from './jobs.ts'
import { deliveryRoutes } from './notify/deliveries/routes.ts'
import { eventRoutes } from './notify/events/routes.ts'
import { mailRoutes } from './notify/mail/routes.ts'
import { createCallback } from './notify/webhooks/create-callback.ts'
import { webhookRoutes } from './notify/webhooks/routes.ts'
import { apiDocsRoutes, registerApiDocs } from './platform/api-docs.ts'
import type { Pool } from './platform/db.ts'
import { sweepStrays } from './platform/files.ts'
import { healthRoutes } from './platform/health.ts'
import { type App, answerBrokenRequest, answerError, registerProblems } from './platform/http.ts'
import { ProblemSchema } from './platform/http-schemas.ts'
import { registerIdempotency } from './platform/idempotency.ts'
import type { Log } from './platform/log.ts'
import { parseQuery } from './platform/query.ts'
import type { Queue } from './platform/queue.ts'
import { registerDraining } from './platform/request-body.ts'
import type { Secrets } from './platform/secrets.ts'
import { buildValidator } from './platform/validate.ts'
import type { ReadCell } from './record-types/read-values.ts'
import { recordTypeRoutes } from './record-types/routes.ts'
import { historyRoutes } from './records/history/routes.ts'
import { recordRoutes } from './records/routes.ts'
import { linkRoutes } from './sync/links/routes.ts'
import { pushRoutes } from './sync/push/routes.ts'
import { undoRoutes } from './undo/routes.ts'

export interface AppContext {
  config: Config
  pool: Pool
  boss: Queue
  secrets: Secrets
  log: Log
}

/** Builds the HTTP service; it does not listen yet. */
export async function buildApp(context: AppContext): Promise<FastifyInstance> {
  const { config, pool, secrets, log } = context
  const app = createServer(config, log)

  // Only POST /imports takes bare text, and adds its own parser: elsewhere such a body is 415.
  app.removeContentTypeParser('text/plain')
  registerProblems(app)
  registerDraining(app)
  registerRequestLog(app)
  await app.register(helmet, helmetOptions)
  await app.register(multipart, multipartOptions(config))
  await registerApiDocs(app, apiTexts)
  registerGuard(app, pool)
  registerIdempotency(app, { pool, log, secrets, keepHours: config.idempotencyKeyHours })
  app.addSchema(ProblemSchema)

  addRoutes(app, context)

  const sweeping = sweepStrays(config.dataDir, config.uploadIdleTimeoutMs, log)
  app.addHook('onClose', () => sweeping.stop())
  await app.ready()
  // Only routes need to know the TypeBox types.
  return app as unknown as FastifyInstance
}

/** The list of all routes. */
function addRoutes(app: App, { config, pool, boss, secrets, log }: AppContext): void {
  apiDocsRoutes(app, [statesPage])
  healthRoutes(app, { pool, dataDir: config.dataDir })
  const readCell: ReadCell = (field, text) =>
    cellReader(field, { default_country: null }).read(text)
  recordTypeRoutes(app, { pool, readCell })
  recordRoutes(app, { pool, secrets })
  historyRoutes(app, { pool, secrets, readCell })
  const enqueue: ImportContext['enqueue'] = (tx, job) => enqueueImport(boss, tx, job)
  const makeCallback: ImportContext['makeCallback'] = (tx, asked) =>
    createCallback(secrets, tx, asked)
  const importing = { config, pool, secrets, log, enqueue, makeCallback }
  importRoutes(app, importing)
  undoRoutes(app, importing)
  pushRoutes(app, importing)
  linkRoutes(app, { pool })
  streamRoutes(app, { config, pool, secrets, log })
  profileRoutes(app, { pool })
  eventRoutes(app, { pool, publicUrl: config.publicUrl })
  webhookRoutes(app, { pool, config, secrets })
  deliveryRoutes(app, { pool })
  mailRoutes(app, { pool })
}

function createServer(config: Config, log: Log): App {
  return Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id'
    }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // A connection on which nothing moves either way is closed, also one that takes no answer.
    connectionTimeout: config.uploadIdleTimeoutMs * 2,
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: answerError,
    routerOptions: { querystringParser: parseQuery },
    schemaController: { compilersFactory: { buildValidator } },
    ajv: { customOptions: { removeAdditional: false, allErrors: true, allowUnionTypes: true } }
  }).withTypeProvider<TypeBoxTypeProvider>()
}

/** One line per request: the route and its ids, never the query, which may hold people's data. */
function registerRequestLog(app: App): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, params, routeOptions } = request
    const probe = routeOptions.url === '/healthz' || routeOptions.url === '/readyz'
    request.log[probe ? 'debug' : 'info'](
      {
        method,
        route: routeOptions.url ?? null,
        params,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        account_id: request.account?.account_id
      },
      'request answered'
    )
  })
}

const apiTexts = {
  description: `Self-hosted CSV imports with an outcome for every row.

Every route but the probes and this document needs an API key: \`Authorization: Bearer mk_...\`.
Failures are problem documents (RFC 9457) with a \`code\`; [/docs/errors](/docs/errors)
explains each; [/docs/states](/docs/states) has the states of an import.
Lists are pages: hand \`next_cursor\` back as \`cursor\` until it is null. Times are ISO 8601 in UTC.`,
  tags: [
    { name: 'imports', description: 'Send files, follow them, read the outcome of every row.' },
    { name: 'records', description: 'Read what imports wrote, and bring back what was before.' },
    { name: 'events', description: 'What happened, in one order.' },
    { name: 'webhooks', description: 'Be told of what happens, and see what was sent.' },
    { name: 'links', description: 'What records are in other systems, and how far both agree.' },
    { name: 'record types', description: 'Which fields and match rules each kind of record has.' },
    { name: 'notifications', description: 'Be told when something has happened.' },
    { name: 'health', description: 'Probes for load balancers; need no key.' },
    { name: 'docs', description: 'This document.' }
  ]
}

// The API answers data, not pages: nothing may be loaded, nobody may frame it. /docs has its own.
const helmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] }
  },
  // Whether TLS is there for good is known by the proxy in front, not here.
  strictTransportSecurity: false
}

// The parser's default would take a part header of 80 kB.
const multipartOptions = (config: Config) => ({
  throwFileSizeLimit: false,
  limits: {
    fileSize: config.maxUploadBytes,
    files: 1,
    fields: 30,
    parts: 34,
    // Pasted rows; other fields may be less (accept/read-form.ts).
    fieldSize: 1024 * 1024,
    fieldNameSize: 100,
    headerPairs: 20,
    headerSize: 16 * 1024
  }
})
