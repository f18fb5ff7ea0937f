// Whether the process lives, and whether it can do its work. Public: load balancers have no key.

import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Static } from 'typebox'
import type { Pool } from './db.ts'
import type { App } from './http.ts'
import { answer, ok, oneOf, problemsOf, ref } from './http-schemas.ts'

// A probe that waits longer is worth nothing to who asks.
const probeMs = 2_000

const HealthSchema = answer(
  { status: oneOf(['ok'], 'The process answers.') },
  { $id: 'Health', description: 'The process lives.' }
)

const part = (description: string) => oneOf(['ok', 'failed'], description)

const ReadinessSchema = answer(
  {
    status: oneOf(['ok', 'unavailable'], 'Whether requests can be served.'),
    checks: answer(
      {
        database: part('Whether the database answers.'),
        uploads: part('Whether the folder for uploads can be written.')
      },
      { description: 'What was looked at.' }
    )
  },
  { $id: 'Readiness', description: 'Whether the service can do its work.' }
)

/** Adds /healthz and /readyz. */
export function healthRoutes(app: App, { pool, dataDir }: { pool: Pool; dataDir: string }): void {
  app.addSchema(HealthSchema)
  app.addSchema(ReadinessSchema)

  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      operationId: 'getHealth',
      tags: ['health'],
      summary: 'Whether the process lives',
      description: 'Answers as long as the process does; looks at nothing else.',
      security: [],
      response: { 200: ok('It lives.', ref(HealthSchema)), ...problemsOf(['validation_failed']) }
    },
    handler: () => ({ status: 'ok' as const })
  })

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'getReadiness',
      tags: ['health'],
      summary: 'Whether requests can be served',
      description: 'Asks the database and looks at the folder for uploads, for at most 2 seconds.',
      security: [],
      response: {
        200: ok('They can.', ref(ReadinessSchema)),
        503: ok('They can not; `checks` says why.', ref(ReadinessSchema)),
        ...problemsOf(['validation_failed'])
      }
    },
    handler: async (_, reply) => {
      const readiness = await checkReadiness(pool, dataDir)
      return reply.code(readiness.status === 'ok' ? 200 : 503).send(readiness)
    }
  })
}

async function checkReadiness(
  pool: Pool,
  dataDir: string
): Promise<Static<typeof ReadinessSchema>> {
  const [database, uploads] = await Promise.all([
    probe(() => pool.query('/* health.ping */ SELECT 1')),
    probe(async () => {
      const folder = join(dataDir, 'uploads')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await access(folder, constants.W_OK)
    })
  ])
  const good = database === 'ok' && uploads === 'ok'
  return { status: good ? 'ok' : 'unavailable', checks: { database, uploads } }
}

async function probe(work: () => Promise<unknown>): Promise<'ok' | 'failed'> {
  const stop = new AbortController()
  const late = wait(probeMs, 'failed' as const, { signal: stop.signal }).catch(() => 'ok' as const)
  const result = work().then(
    () => 'ok' as const,
    () => 'failed' as const
  )
  return Promise.race([result, late]).finally(() => stop.abort())
}
