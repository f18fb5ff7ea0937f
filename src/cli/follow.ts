// Following an import to its end: by its event stream, or by asking where no stream is to be had.
// Called by the import command and the demo.

import { setTimeout as wait } from 'node:timers/promises'
import type { ImportJson, ImportProgress } from '../import/import-json.ts'
import { CliError, call, getImport, isOver, isTemporary, type Server } from './client.ts'
import { readEvents } from './read-events.ts'

export interface FollowTimes {
  /** A server that is away for longer than this is given up. */
  awayMs: number
  /** Without any byte for this long at its beginning, something holds the stream back. */
  beginMs: number
  /** Without any byte for this long, heartbeats included, the connection is dead. */
  silentMs: number
}

const usual: FollowTimes = { awayMs: 60_000, beginMs: 10_000, silentMs: 45_000 }

/** Follows an import to its end, telling everything that is heard of it. A server that is away for
 *  up to a minute (a restart) is waited for: the import goes on by itself. Throws a CliError. */
export async function followImport(
  server: Server,
  id: number,
  onProgress: (job: ImportProgress) => void,
  times: FollowTimes = usual
): Promise<ImportJson> {
  let lostAt = 0
  let isStreamed = true
  let lastId = ''
  const heard = (job: ImportProgress, eventId: string) => {
    lostAt = 0
    lastId = eventId || lastId
    onProgress(job)
  }
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 1.5, 500)) {
    try {
      if (isStreamed) {
        const alive = () => {
          lostAt = 0
        }
        const job = await stream({ server, id, lastId, times, heard, alive })
        if (job) return job
      } else {
        const job = await getImport(server, id)
        heard(job, '')
        if (isOver(job)) return job
      }
    } catch (error) {
      if (error instanceof NoStream) isStreamed = false
      else {
        lostAt ||= Date.now()
        if (!isTemporary(error) || Date.now() - lostAt > times.awayMs) throw error
      }
    }
    await wait(pauseMs)
  }
}

interface StreamRequest {
  server: Server
  id: number
  lastId: string
  times: FollowTimes
  heard: (job: ImportProgress, eventId: string) => void
  /** Called when the stream begins to flow, whether it tells anything or not. */
  alive: () => void
}

/** No stream is to be had from this server, or through what is in between. */
class NoStream extends Error {}

/** One stream. Out: the import that has ended; null when the stream ended before. Throws NoStream,
 *  and a CliError when no server answers. */
async function stream(request: StreamRequest): Promise<ImportJson | null> {
  const { server, id, lastId, times, heard, alive } = request
  const silence = new AbortController()
  const tooSilent = () => silence.abort(new NoStream('nothing came'))
  let timer = setTimeout(tooSilent, times.beginMs)
  let hasBegun = false
  const onBytes = () => {
    if (!hasBegun) alive()
    hasBegun = true
    clearTimeout(timer)
    timer = setTimeout(tooSilent, times.silentMs)
  }
  try {
    const body = await openStream(server, id, lastId, silence.signal)
    for await (const event of readEvents(untilBroken(body, onBytes))) {
      const json: ImportJson = JSON.parse(event.data)
      heard(json, event.id)
      if (event.event === 'end') return json
    }
  } catch (error) {
    if (!silence.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
  }
  // A stream that had begun and broke is asked for again.
  if (silence.signal.aborted && !hasBegun) throw silence.signal.reason
  return null
}

/** What comes until the end, or until the connection breaks. */
async function* untilBroken(body: AsyncIterable<Uint8Array>, onBytes: () => void) {
  try {
    for await (const bytes of body) {
      onBytes()
      yield bytes
    }
  } catch {
    // The caller sees that there was no `end`.
  }
}

async function openStream(server: Server, id: number, lastId: string, signal: AbortSignal) {
  const headers = { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) }
  const response = await call(server, `/imports/${id}/events`, { headers, signal }).catch(
    (error: unknown) => {
      const problem = error instanceof CliError ? error.problem : null
      const { code = '' } = (problem ?? {}) as { code?: string }
      // An older server does not know the route, another one has no room.
      throw ['not_found', 'not_acceptable', 'too_many_streams'].includes(code)
        ? new NoStream(code)
        : error
    }
  )
  const type = response.headers.get('content-type') ?? ''
  if (response.body !== null && type.startsWith('text/event-stream')) return response.body
  throw new NoStream(`${response.status} ${type}`)
}
