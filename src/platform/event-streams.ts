// Server-sent events: the open streams of this process. Knows no domain word.
// A stream is text that a route sends; this file keeps it alive, bounds what a client that does not
// read may cost, and ends all of them when the service stops.

import { Readable } from 'node:stream'
import { appError } from '../errors.ts'
import type { Log } from './log.ts'

/** One open stream. */
export interface EventStream {
  /** What the route sends. */
  body: Readable
  /** Adds text (whole events); does nothing once the stream has ended. */
  send(text: string | Buffer): void
  /** Ends it after what was added so far. */
  end(): void
}

export interface EventStreams {
  /** Opens a stream; `onClose` is called once, however it ends. Throws too_many_streams. */
  open(onClose: () => void): EventStream
  count(): number
  /** Ends all streams and opens no more: a shutdown need not wait for them. */
  close(): void
}

export interface StreamLimits {
  /** Most streams at once. */
  max: number
  /** Proxies close what is silent for longer than a minute. */
  heartbeatMs: number
  /** After this long the client has to come again, with a key that still is one. */
  lifetimeMs: number
  /** A stream on which more than this waits to be read is closed when something is added. */
  maxUnreadBytes: number
  log: Log
}

/** After how long a client whose stream ended comes again. */
export const retryMs = 3_000

/** One event as text. */
export function eventText(event: string, id: string, data: unknown): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
}

interface OpenStream extends EventStream {
  /** When it has to be sent something again, so that nobody takes it for dead. */
  beatAt: number
  endAt: number
}

/** Makes the streams of a process: none yet. */
export function createEventStreams(limits: StreamLimits): EventStreams {
  const { max, heartbeatMs, lifetimeMs, log } = limits
  const open = new Set<OpenStream>()
  let isClosing = false
  const look = () => {
    const now = performance.now()
    for (const stream of open) {
      if (now >= stream.endAt) stream.end()
      else if (now >= stream.beatAt) stream.send(':\n\n')
    }
  }
  const timer = setInterval(look, heartbeatMs / 10).unref()
  return {
    open(onClose) {
      if (open.size >= max || isClosing) throw appError('too_many_streams', { limit: max })
      const stream = openStream(limits)
      stream.endAt = performance.now() + lifetimeMs * spread()
      open.add(stream)
      stream.body.once('close', () => {
        open.delete(stream)
        onClose()
      })
      stream.send(`retry: ${retryMs}\n\n`)
      return stream
    },
    count: () => open.size,
    close() {
      isClosing = true
      clearInterval(timer)
      if (open.size > 0) log.info({ streams: open.size }, 'ending event streams')
      for (const stream of open) {
        stream.send(': the server stops\n\n')
        stream.end()
      }
    }
  }
}

/** Streams that were opened together need not all be served in the same moment. */
const spread = () => 0.7 + 0.3 * Math.random()

function openStream({ heartbeatMs, maxUnreadBytes, log }: StreamLimits): OpenStream {
  const body = new Readable({ read() {} })
  let hasEnded = false
  const stream: OpenStream = {
    body,
    beatAt: 0,
    endAt: 0,
    send(text) {
      if (hasEnded || body.destroyed) return
      stream.beatAt = performance.now() + heartbeatMs * spread()
      // One event alone may be larger than what may wait.
      if (body.readableLength <= maxUnreadBytes) return void body.push(text)
      log.warn({ unread_bytes: body.readableLength }, 'closing an event stream that nobody reads')
      body.destroy()
    },
    end() {
      if (hasEnded || body.destroyed) return
      hasEnded = true
      body.push(null)
    }
  }
  return stream
}
