// The API as a test uses it: real HTTP, JSON in and out, and waiting for facts.

import { setTimeout as wait } from 'node:timers/promises'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
type Json = any

export interface Answer {
  status: number
  headers: Headers
  /** Parsed JSON where the answer is JSON, else the text. */
  body: Json
}

export interface RequestOptions {
  /** Sent as JSON; FormData, Blob, string and Uint8Array are sent as they are. */
  body?: unknown
  headers?: Record<string, string>
  /** API key; default the test's own, null: none. */
  key?: string | null
}

export interface UploadOptions {
  /** File name that is sent; default `test.csv`. */
  name?: string
  key?: string
  /** Form fields besides the file; `type` is `contacts` when not given. */
  [field: string]: unknown
}

export interface ApiClient {
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  get(path: string): Promise<Answer>
  /** Posts text or bytes as a file to /imports. */
  uploadCsv(content: string | Uint8Array, options?: UploadOptions): Promise<Answer>
  /** Waits until the import is in one of the states (default: any final one); out: its JSON.
   *  Throws an Error with the import's JSON after 30 s, or at once in a final state not asked for. */
  waitForImport(id: number, states?: string[]): Promise<Json>
  /** Uploads and waits for the end. */
  runCsv(content: string | Uint8Array, options?: UploadOptions): Promise<Json>
}

const finalStates = ['completed', 'completed_with_errors', 'ready', 'failed', 'cancelled']

/** Makes a client of the server at `url`. */
export function createClient(url: string, defaultKey: string): ApiClient {
  const client: ApiClient = {
    request: (method, path, options = {}) => send(url, defaultKey, method, path, options),
    get: (path) => client.request('GET', path),
    uploadCsv: (content, options = {}) => upload(client, content, options),
    async waitForImport(id, states = finalStates) {
      const deadline = Date.now() + 30_000
      for (;;) {
        const { status, body } = await client.get(`/imports/${id}`)
        if (status === 200 && states.includes(body.state)) return body
        const isOver = status === 200 && finalStates.includes(body.state)
        if (isOver || Date.now() > deadline) {
          throw new Error(`import ${id} is not ${states.join('|')}: ${JSON.stringify(body)}`)
        }
        await wait(20)
      }
    },
    async runCsv(content, options) {
      const { status, body } = await client.uploadCsv(content, options)
      if (status !== 202) throw new Error(`upload refused (${status}): ${JSON.stringify(body)}`)
      return client.waitForImport(body.id)
    }
  }
  return client
}

async function send(
  url: string,
  defaultKey: string,
  method: string,
  path: string,
  { body, headers, key = defaultKey }: RequestOptions
): Promise<Answer> {
  const asIs =
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof Uint8Array ||
    typeof body === 'string'
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && !asIs && { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body !== undefined && { body: asIs ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' && !text.startsWith('{"row"') ? JSON.parse(text) : text
  }
}

async function upload(
  client: ApiClient,
  content: string | Uint8Array,
  { name = 'test.csv', key, ...fields }: UploadOptions
): Promise<Answer> {
  const form = new FormData()
  for (const [field, value] of Object.entries({ type: 'contacts', ...fields })) {
    form.append(field, typeof value === 'string' ? value : JSON.stringify(value))
  }
  // Copied into a plain buffer: a Blob does not take shared memory.
  form.append(
    'file',
    new Blob([typeof content === 'string' ? content : new Uint8Array(content)]),
    name
  )
  return client.request('POST', '/imports', { body: form, ...(key !== undefined && { key }) })
}
