// Sending files and following their imports over HTTP, as a client does that does not give up: a
// request without an answer is sent again with the same Idempotency-Key.

import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { ImportJson } from '../../src/import/import-json.ts'
import type { SentFile } from './check.ts'
import type { ChaosFile } from './files.ts'
import type { Place } from './place.ts'

export interface Sender {
  url: string
  key: string
  signal: AbortSignal
}

const patienceMs = 300_000
const retryMs = 250

/** What is worth another try: no answer, still running, too many at once, away. */
const isPassing = (status: number) => [0, 409, 429, 502, 503].includes(status)

export const formOf = ({ type, csv, tag }: ChaosFile): FormData => {
  const form = new FormData()
  form.set('type', type)
  form.set('file', new Blob([csv]), `${tag}.csv`)
  return form
}

/** Sends a file until it is accepted. Throws an Error when it is refused. */
export async function sendFile(
  { url, key, signal }: Sender,
  file: ChaosFile,
  idempotencyKey = randomUUID() as string
): Promise<SentFile> {
  const headers = { authorization: `Bearer ${key}`, 'idempotency-key': idempotencyKey }
  for (const deadline = Date.now() + patienceMs; ; await wait(retryMs, undefined, { signal })) {
    const sent = { method: 'POST', headers, body: formOf(file), signal }
    const response = await fetch(`${url}/imports`, sent).catch(() => null)
    const text = (await response?.text().catch(() => null)) ?? null
    const status = text === null ? 0 : (response?.status ?? 0)
    if (status === 202) return { ...file, import_id: (JSON.parse(text as string) as ImportJson).id }
    if (isPassing(status) && Date.now() < deadline) continue
    throw new Error(`file ${file.tag} was refused with ${status}: ${text}`)
  }
}

/** Begins to send a file, kills the HTTP process when half of it is there, and starts it again. */
export async function sendIntoKill(
  place: Place,
  sender: Sender,
  file: ChaosFile,
  idempotencyKey: string
): Promise<void> {
  const request = new Request(`${sender.url}/imports`, { method: 'POST', body: formOf(file) })
  const body = Buffer.from(await request.arrayBuffer())
  const upload = httpRequest(`${sender.url}/imports`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sender.key}`,
      'idempotency-key': idempotencyKey,
      'content-type': request.headers.get('content-type') ?? '',
      'content-length': body.length
    }
  })
  upload.on('error', () => {})
  await new Promise<void>((resolve) => {
    upload.write(body.subarray(0, Math.ceil(body.length / 2)), () => resolve())
  })
  // Until it is on its way to the disk.
  await wait(100)
  await place.killApi()
  upload.destroy()
  await place.startApi()
}

export interface Followed {
  /** Times that progress was less than it had been before. */
  wentBack: number
}

const pollMs = 500

/** Waits until all imports have ended, looking at their progress. Throws an Error after `limitMs`. */
export async function followImports(
  { url, key, signal }: Sender,
  ids: number[],
  limitMs: number
): Promise<Followed> {
  const open = new Set(ids)
  const seen = new Map<number, number>()
  let wentBack = 0
  for (const deadline = Date.now() + limitMs; open.size > 0; ) {
    if (Date.now() > deadline) throw new Error(`no end of imports ${[...open].join(', ')}`)
    await wait(pollMs, undefined, { signal })
    for (const one of await readImports({ url, key, signal }, Math.min(...open))) {
      if (!open.has(one.id)) continue
      if (one.rows.done < (seen.get(one.id) ?? 0)) wentBack++
      seen.set(one.id, one.rows.done)
      if (one.finished_at !== null) open.delete(one.id)
    }
  }
  return { wentBack }
}

/** The newest imports; none while the service is away. */
async function readImports({ url, key, signal }: Sender, from: number): Promise<ImportJson[]> {
  const found: ImportJson[] = []
  // The account sends no more than this at a time.
  const headers = { authorization: `Bearer ${key}` }
  const response = await fetch(`${url}/imports?limit=50`, { headers, signal }).catch(() => null)
  if (!response?.ok) {
    await response?.arrayBuffer().catch(() => {})
    return found
  }
  const body = (await response.json().catch(() => ({ data: [] }))) as { data: ImportJson[] }
  return body.data.filter((one) => one.id >= from)
}
