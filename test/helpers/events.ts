// An event stream as a test sees it: what arrived, piece by piece, and how it ended.

import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { until } from './until.ts'

export interface StreamEvent {
  event: string
  id: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of every shape
  data: any
}

export interface Events {
  status: number
  headers: IncomingMessage['headers']
  /** All that has arrived. */
  text(): string
  events(): StreamEvent[]
  states(): string[]
  /** Waits until an event fits; out: it. */
  waitFor(what: string, fits: (event: StreamEvent) => boolean): Promise<StreamEvent>
  /** Resolves when the server has ended the answer (true: orderly), or the connection is gone. */
  ended: Promise<boolean>
  /** Stops, or goes on, taking what the server sends. */
  pause(): void
  resume(): void
  close(): void
}

/** Opens the stream of an import; the test's end closes it. */
export async function openEvents(
  t: { teardown(work: () => unknown): unknown },
  { url, key }: { url: string; key: string },
  id: number,
  headers: Record<string, string> = {}
): Promise<Events> {
  let request: ClientRequest | undefined
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = { authorization: `Bearer ${key}`, ...headers }
    request = get(new URL(`/imports/${id}/events`, url), { headers: sent, agent: false }, resolve)
    request.once('error', reject)
  })
  request?.on('error', () => {})
  let text = ''
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  response.on('error', () => {})
  const ended = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.complete))
  })
  t.teardown(() => request?.destroy())
  const events = () => parseEvents(text)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => text,
    events,
    states: () => events().flatMap(({ event, data }) => (event === 'state' ? [data.state] : [])),
    waitFor: (what, fits) => until(what, () => events().find(fits)),
    ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void request?.destroy()
  }
}

/** Whole events of a text, as the description of the format has them. */
export function parseEvents(text: string): StreamEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .filter((block) => block.startsWith('event:'))
    .map((block) => {
      const [event = '', id = '', data = ''] = block
        .split('\n')
        .map((line) => line.split(': '))
        .map(([, ...value]) => value.join(': '))
      return { event, id, data: JSON.parse(data) }
    })
}
