// One import over HTTP, timed as its sender sees it. Called by run-muster.ts.

import { openAsBlob } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { ImportJson } from '../../src/import/import-json.ts'

export interface ImportRun {
  /** From sending the request until the final state was seen over HTTP. */
  seconds: number
  /** Of it: until the upload was answered. */
  uploadSeconds: number
  /** From start to end of the job, as the service tells it. */
  runningSeconds: number
  json: ImportJson
}

const pollEveryMs = 20

/** Sends a file and waits for the end of its import. Throws an Error when it is refused, when it
 *  ends in another state than completed or completed_with_errors, and after `patienceMs`. */
export async function runImport(
  service: { url: string; key: string },
  options: { path: string; type: string; patienceMs: number; signal: AbortSignal }
): Promise<ImportRun> {
  const deadline = AbortSignal.timeout(options.patienceMs)
  const signal = AbortSignal.any([options.signal, deadline])
  const headers = { authorization: `Bearer ${service.key}` }
  const form = new FormData()
  form.set('type', options.type)
  form.set('file', await openAsBlob(options.path), `${options.type}.csv`)
  const start = performance.now()
  const sent = await fetch(`${service.url}/imports`, {
    method: 'POST',
    headers,
    body: form,
    signal
  })
  return await follow(service, await readImport(sent), { start, headers, signal })
}

/** Waits until the import has ended. */
async function follow(
  service: { url: string },
  sent: ImportJson,
  given: { start: number; headers: Record<string, string>; signal: AbortSignal }
): Promise<ImportRun> {
  const { start, headers, signal } = given
  let json = sent
  const uploadSeconds = (performance.now() - start) / 1000
  while (!json.state.startsWith('completed')) {
    if (json.state === 'failed' || json.state === 'cancelled') {
      throw new Error(`The import ended as ${json.state}: ${JSON.stringify(json.error)}`)
    }
    await wait(pollEveryMs, undefined, { signal })
    json = await readImport(await fetch(service.url + json.links.self, { headers, signal }))
  }
  const seconds = (performance.now() - start) / 1000
  const running = Date.parse(json.finished_at ?? '') - Date.parse(json.started_at ?? '')
  return { seconds, uploadSeconds, runningSeconds: running / 1000, json }
}

/** Takes an import back and waits for the end, as `runImport`. */
export async function runUndo(
  service: { url: string; key: string },
  options: { id: number; patienceMs: number; signal: AbortSignal }
): Promise<ImportRun> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.patienceMs)])
  const headers = { authorization: `Bearer ${service.key}` }
  const start = performance.now()
  const url = `${service.url}/imports/${options.id}/undo`
  const json = await readImport(await fetch(url, { method: 'POST', headers, signal }))
  return await follow(service, json, { start, headers, signal })
}

async function readImport(response: Response): Promise<ImportJson> {
  if (response.ok) return (await response.json()) as ImportJson
  throw new Error(`The service answered ${response.status}: ${await response.text()}`)
}
