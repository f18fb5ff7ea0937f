// Requests that no well-behaved client sends: cut off, stalled, malformed. Bytes over a socket.
// Used by the tests of uploads and of broken requests.

import { connect, type Socket } from 'node:net'

/** One part of a form; `head` replaces its header lines. */
export interface Part {
  name: string
  content: string | Buffer
  /** Makes it a file part. */
  filename?: string
  head?: string
}

export const boundary = 'muster-test-boundary'
export const formType = `multipart/form-data; boundary=${boundary}`

/** A multipart body; `end` replaces its last line. */
export function formBody(parts: Part[], end = `--${boundary}--\r\n`): Buffer {
  const pieces = parts.flatMap(({ name, content, filename, head }) => [
    `--${boundary}\r\n`,
    head ?? disposition(name, filename),
    '\r\n\r\n',
    content,
    '\r\n'
  ])
  return Buffer.concat([...pieces, end].map((piece) => Buffer.from(piece)))
}

function disposition(name: string, filename?: string): string {
  const file = filename === undefined ? '' : `; filename="${filename}"`
  return `Content-Disposition: form-data; name="${name}"${file}`
}

export interface RawPost {
  url: string
  path?: string
  key: string
  body: string | Buffer
  contentType?: string
  /** What Content-Length says; default the body's real length; null: chunked, and never ended. */
  announced?: number | null
}

/** An answer as far as it came; status 0: the connection was closed without one. */
export interface RawAnswer {
  status: number
  head: string
  text: string
}

/** Sends the request and leaves the connection open; the caller ends it. */
export async function openPost(
  post: RawPost
): Promise<{ socket: Socket; answer: Promise<RawAnswer> }> {
  const { hostname, port } = new URL(post.url)
  const socket = connect(Number(port), hostname)
  const answer = readAnswer(socket)
  await new Promise((resolve) => socket.once('connect', resolve))
  const body = Buffer.from(post.body)
  const length = post.announced === undefined ? body.length : post.announced
  const head = [
    `POST ${post.path ?? '/imports'} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${post.key}`,
    `Content-Type: ${post.contentType ?? formType}`,
    length === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  ].join('\r\n')
  socket.write(`${head}\r\n\r\n`)
  if (length === null) socket.write(`${body.length.toString(16)}\r\n`)
  socket.write(body)
  return { socket, answer }
}

/** Sends the request and waits for the answer. */
export async function rawPost(post: RawPost): Promise<RawAnswer> {
  const { socket, answer } = await openPost(post)
  return answer.finally(() => socket.destroy())
}

/** Reads one answer: by its Content-Length, or to the end of the connection. */
function readAnswer(socket: Socket): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let received = ''
    const take = (isOver: boolean) => {
      const [head = '', ...rest] = received.split('\r\n\r\n')
      const text = rest.join('\r\n\r\n')
      const length = /content-length: (\d+)/i.exec(head)?.[1]
      const complete = rest.length > 0 && length !== undefined && text.length >= Number(length)
      if (!complete && !isOver) return
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0)
      resolve({ status, head, text })
    }
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
      take(false)
    })
    socket.on('error', () => take(true))
    socket.on('close', () => take(true))
  })
}
