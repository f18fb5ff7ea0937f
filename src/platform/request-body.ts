// Request bodies that do not end well: clients that stop sending, and answers given before the body
// was read. Knows no domain word. Used by app.ts and by routes that take uploads.

import type { IncomingMessage } from 'node:http'
import { appError } from '../errors.ts'
import type { App } from './http.ts'

// Less than this in the whole time is no progress either: one byte now and then keeps nothing open.
const minProgressBytes = 1024

/** Watches a body as it arrives. `signal` is aborted with upload_stalled when less than 1 KiB came
 *  within `idleMs`. Call `stop` when the body was read, or given up. */
export function watchUpload(request: IncomingMessage, idleMs: number) {
  const controller = new AbortController()
  let bytes = request.socket.bytesRead
  let since = performance.now()
  const timer = setInterval(
    () => {
      const now = performance.now()
      if (request.socket.bytesRead - bytes >= minProgressBytes) {
        bytes = request.socket.bytesRead
        since = now
      } else if (now - since >= idleMs) {
        stop()
        controller.abort(appError('upload_stalled', { seconds: idleMs / 1000 }))
      }
    },
    Math.max(10, idleMs / 10)
  )
  const stop = () => clearInterval(timer)
  return { signal: controller.signal, stop }
}

// A client that goes on sending after its answer is read from for this long, then cut off.
const drainMs = 10_000

/** Makes an answer given before the whole body arrived reach its client: what is still coming is
 *  read and thrown away for a while. Closing at once would make the client's kernel drop the
 *  answer; not reading would leave a client that only writes waiting for ever. */
export function registerDraining(app: App): void {
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.readableEnded || raw.destroyed) return
    // A multipart parser that gave up is still attached and would hold the stream back.
    raw.unpipe()
    raw.on('error', () => {})
    const timer = setTimeout(() => raw.socket.destroy(), drainMs)
    raw.once('close', () => clearTimeout(timer))
    raw.once('end', () => clearTimeout(timer))
    raw.resume()
  })
}
