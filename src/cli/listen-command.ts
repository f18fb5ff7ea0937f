// `muster listen`: receives webhooks on this machine, checks their signatures and prints them, so
// that everything can be tried without a receiver of one's own. Runs until Ctrl-C or SIGTERM.

import { once } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import { readClientConfig } from '../config.ts'
import { readWebhookSecret, webhookFault } from '../platform/webhook-signature.ts'
import { CliError, call, type Server } from './client.ts'
import { type Delivered, deliveryLine } from './print-delivery.ts'
import { readWhole } from './read-id.ts'
import { findServer, type ServerOptions, withServerOptions } from './server-options.ts'

interface ListenOptions extends ServerOptions {
  port: number
  secret?: string
  create?: boolean
  events?: string
  format?: string
  status: number
  json?: boolean
}

/** More than any delivery has. */
const maxBodyBytes = 1_000_000

/** Builds the command. */
export function listenCommand(): Command {
  const command = new Command('listen')
    .description('Receive webhooks on this machine, check and print them (until Ctrl-C)')
    .option('--port <port>', 'port to listen on (default: any free one)', readWhole(0, 65_535), 0)
    .option('--secret <secret>', 'secret of the endpoint, whsec_... (MUSTER_WEBHOOK_SECRET)')
    .option('--create', 'make an endpoint for the time being; it is deleted at the end')
    .option('--events <types>', 'with --create: types of events, between commas (default: all)')
    .option('--format <format>', 'with --create: standard, connectwise or autotask')
    .option('--status <status>', 'what to answer, e.g. 500', readWhole(200, 599), 204)
    .option('--json', 'print each delivery as one JSON object with headers and body')
  return withServerOptions(command).action(runListen)
}

async function runListen(options: ListenOptions): Promise<void> {
  const given = options.secret ?? readClientConfig().webhookSecret
  if (given !== null && readWebhookSecret(given) === null) {
    throw new CliError('The secret is not one: it is whsec_ and 24 to 64 bytes in base64.')
  }
  const muster = options.create ? await findServer(options) : null
  // Filled in once there is an endpoint; until then nobody knows the address.
  const state: { secret: string | null } = { secret: given }
  const server = await listen(options, (body, headers) => {
    const delivered = readDelivery(body, headers, state.secret)
    console.log(options.json ? JSON.stringify(delivered) : deliveryLine(delivered))
    return delivered.fault === null ? options.status : 401
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const stopped = untilStopped()
  try {
    const endpoint = muster && (await createEndpoint(muster, url, options))
    if (endpoint) state.secret = endpoint.secret
    console.error(startText(url, endpoint?.id ?? null, state.secret !== null))
    await stopped
    if (muster && endpoint) await call(muster, `/webhooks/${endpoint.id}`, { method: 'DELETE' })
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function listen(
  { port }: ListenOptions,
  take: (body: string, headers: IncomingMessage['headers']) => number
): Promise<HttpServer> {
  const server = createServer(async (request, response) => {
    const body = await readBody(request).catch(() => null)
    if (body === null) return response.destroy()
    response.writeHead(request.method === 'POST' ? take(body, request.headers) : 405).end()
  })
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new CliError(`Cannot listen on port ${port}: ${(cause as Error).message}`, null, cause)
  }
  return server
}

/** The body as text; null when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > maxBodyBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function readDelivery(
  body: string,
  headers: IncomingMessage['headers'],
  secret: string | null
): Delivered {
  const fault = secret === null ? null : webhookFault(headers, body, secret, new Date())
  let parsed: unknown = body
  try {
    parsed = JSON.parse(body)
  } catch {
    // Not JSON: shown as it is.
  }
  return { verified: secret !== null && fault === null, fault, headers, body: parsed }
}

async function createEndpoint(muster: Server, url: string, { events, format }: ListenOptions) {
  const wanted = {
    url,
    description: 'muster listen',
    ...(events && { event_types: events.split(',').map((one) => one.trim()) }),
    ...(format && { format })
  }
  const response = await call(muster, '/webhooks', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wanted)
  }).catch((error: CliError) => {
    throw isRefused(error)
      ? new CliError(
          `${error.message}
To let Muster send to this machine, start it with MUSTER_WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/8.`,
          error.problem,
          error
        )
      : error
  })
  return (await response.json()) as { id: number; secret: string }
}

function isRefused({ problem }: CliError): boolean {
  return (problem as { code?: string } | null)?.code === 'webhook_url_refused'
}

function startText(url: string, id: number | null, checks: boolean): string {
  const what = id === null ? '' : ` as endpoint ${id}`
  const how = checks ? '' : '; nothing is checked without --secret or --create'
  return `listening on ${url}${what}${how}`
}

/** Ends with the first Ctrl-C or SIGTERM. A second one ends the process at once. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve()
    }
    process.on('SIGINT', stop).on('SIGTERM', stop)
  })
}
