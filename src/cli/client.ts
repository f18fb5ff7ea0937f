// The API as the command line uses it: uploads a file, shows an import, streams its rows.
// Called by the commands and by the demo. Failures are CliErrors with a text for people.

import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { FormData, fetch, type RequestInit, type Response } from 'undici'
import type { ImportJson } from '../import/import-json.ts'
import type { RowJson } from '../import/list-rows.ts'
import { isFinished } from '../import/status.ts'

/** Something went wrong; `message` is for people, `problem` is the server's answer if it gave one. */
export class CliError extends Error {
  readonly problem: unknown

  constructor(message: string, problem: unknown = null, cause?: unknown) {
    super(message, { cause })
    this.name = 'CliError'
    this.problem = problem
  }
}

export interface Server {
  /** Address, `http://127.0.0.1:8080`. */
  url: string
  key: string
}

/** Form fields of an import besides the file, by name; those undefined are left to the server's
 *  default. */
export type ImportFields = Record<string, string | undefined>

/** Whether nothing will change any more. */
export function isOver(job: ImportJson): boolean {
  return isFinished(job.state)
}

// A lost connection is tried again: after 1, 2, 4 and 8 seconds.
const maxTries = 5

/** Sends the file, streamed from disk, under a key of its own: where the connection breaks it is sent
 *  again, and the server makes one import of it. Out: that import. */
export async function createImport(
  server: Server,
  path: string,
  fields: ImportFields
): Promise<ImportJson> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) form.append(name, value)
  }
  form.append('file', await openFile(path), basename(path))
  return await postOnce(server, '/imports', { body: form })
}

/** Sends a request under a key of its own: where the connection breaks it is sent again, and what it
 *  asks for is done once. */
async function postOnce(
  server: Server,
  path: string,
  request: { body?: FormData | string; headers?: Record<string, string> }
): Promise<ImportJson> {
  const headers = { ...request.headers, 'idempotency-key': randomUUID() }
  for (let tries = 1; ; tries++) {
    try {
      const response = await call(server, path, { ...request, method: 'POST', headers })
      return (await response.json()) as ImportJson
    } catch (error) {
      if (tries === maxTries || !mayHaveArrived(error, tries)) throw error
      await wait(500 * 2 ** tries)
    }
  }
}

/** Whether the server may have got the request, or takes it at another time. One that does not answer
 *  at the first try is not there. */
function mayHaveArrived(error: unknown, tries: number): boolean {
  // An answer that broke off in the middle.
  if (!(error instanceof CliError)) return true
  const { code, reason } = (error.problem ?? {}) as { code?: string; reason?: string }
  if (code === 'idempotency_key_in_use') return true
  if (!isTemporary(error)) return false
  return tries > 1 || !['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(reason ?? '')
}

/** Asks for something with an import: `pause`, `apply` ... Out: the import as it is then, or the one
 *  that was made. Throws a CliError. */
export async function postVerb(
  server: Server,
  id: number,
  verb: string,
  choices?: object
): Promise<ImportJson> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(choices) }
  return await postOnce(server, `/imports/${id}/${verb}`, choices ? json : {})
}

/** Opens a file for sending; it is read while it is sent, never as a whole. */
async function openFile(path: string): Promise<Blob> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is not a file')
    return await openAsBlob(path, { type: 'text/csv' })
  } catch (cause) {
    throw new CliError(`Cannot read ${path}: ${(cause as Error).message}`, null, cause)
  }
}

/** Asks for an import. Throws a CliError. */
export async function getImport(server: Server, id: number): Promise<ImportJson> {
  const response = await call(server, `/imports/${id}`)
  return (await response.json()) as ImportJson
}

/** The first rows with one outcome, at most `limit` (of 500). */
export async function getRows(
  server: Server,
  id: number,
  outcome: string,
  limit: number
): Promise<RowJson[]> {
  const response = await call(server, `/imports/${id}/rows?outcome=${outcome}&limit=${limit}`)
  return ((await response.json()) as { data: RowJson[] }).data
}

/** Fetches a path of the API. Throws a CliError for every answer but 2xx. */
export async function call(
  server: Server,
  path: string,
  init: RequestInit = {}
): Promise<Response> {
  const headers = { authorization: `Bearer ${server.key}`, ...(init.headers as object) }
  const response = await fetch(new URL(path, server.url), { ...init, headers }).catch(
    (cause: Error) => {
      throw unreachable(server, cause)
    }
  )
  if (response.ok) return response
  const text = await response.text()
  const problem = parseProblem(text)
  const message = problem
    ? `${problem.title}: ${problem.detail} (${problem.code})`
    : `${server.url} answered ${response.status}, not as Muster does: ${text.slice(0, 200)}`
  throw new CliError(message, problem ?? { status: response.status })
}

function unreachable(server: Server, cause: Error): CliError {
  const inner = cause.cause as NodeJS.ErrnoException | undefined
  const reason = inner?.code ?? inner?.message ?? cause.message
  return new CliError(
    `No Muster answers at ${server.url} (${reason}).
Start one on this machine with: npx muster serve
or say where it is: --server http://host:port or MUSTER_URL.`,
    { code: 'unreachable', reason },
    cause
  )
}

interface ProblemJson {
  title: string
  detail: string
  code: string
  status: number
}

function parseProblem(text: string): ProblemJson | null {
  try {
    const parsed: unknown = JSON.parse(text)
    const isProblem = typeof parsed === 'object' && parsed !== null && 'code' in parsed
    return isProblem ? (parsed as ProblemJson) : null
  } catch {
    // Not JSON: not an answer of Muster's.
    return null
  }
}

/** Whether the server is away for a moment only, as far as one can tell. */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof CliError)) return false
  const { code, status } = (error.problem ?? {}) as { code?: string; status?: number }
  return code === 'unreachable' || status === 503
}
