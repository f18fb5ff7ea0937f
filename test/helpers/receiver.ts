// A receiver of webhooks on loopback that does what a test says: answers, stays silent, drips, cuts
// the line. It counts connections and keeps what it got.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Teardown } from './cluster.ts'

export interface Received {
  method: string
  path: string
  headers: Record<string, string | undefined>
  body: string
}

export interface Receiver {
  url: string
  port: number
  /** Requests that came in whole, oldest first. */
  received: Received[]
  /** Connections that were made, whatever came over them. */
  connections(): number
}

export type Behaviour = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** Starts a receiver, ended with the test. `behave` gets each request once its body is there. */
export async function startReceiver(
  t: Teardown,
  behave: Behaviour,
  host = '127.0.0.1',
  port = 0
): Promise<Receiver> {
  const received: Received[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const { method = '', url: path = '', headers } = request
    received.push({ method, path, headers: headers as Received['headers'], body })
    behave(request, response, body)
  })
  server.on('connection', () => connections++)
  server.listen(port, host)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host}:${bound}/hook`,
    port: bound,
    received,
    connections: () => connections
  }
}

/** A receiver that keeps whoever comes waiting until the test says what to answer. */
export async function startHoldingReceiver(t: Teardown) {
  let held: ServerResponse[] = []
  const receiver = await startReceiver(t, (_, response) => void held.push(response))
  /** Answers all that wait. */
  const answer = (status: number) => {
    for (const response of held) response.writeHead(status).end()
    held = []
  }
  return { ...receiver, answer }
}
