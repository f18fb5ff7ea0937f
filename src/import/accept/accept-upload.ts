// accept: form or body -> stored file -> import row and job in one transaction.
// In: what was sent and who sends it. Out: the id of the import and whether it is a draft.
// Whatever is refused leaves nothing behind: no import, no file. Called by routes.ts.

import type { IncomingMessage } from 'node:http'
import type { Multipart } from '@fastify/multipart'
import type { Config } from '../../config.ts'
import { appError } from '../../errors.ts'
import { isConnectionError, type Pool, type Tx, withTransaction } from '../../platform/db.ts'
import { deleteUpload, keepUpload } from '../../platform/files.ts'
import type { Once } from '../../platform/idempotency.ts'
import type { Log } from '../../platform/log.ts'
import type { Secrets } from '../../platform/secrets.ts'
import { loadTypes } from '../../record-types/store.ts'
import type { NewImport } from '../import-row.ts'
import { insertImport } from '../store.ts'
import { checkUnfinished, takePlace } from './limits.ts'
import { type PlanPlace, planImport, type Settled, settleOptions } from './plan-import.ts'
import { type BodyHeaders, isPacked, readBody } from './read-body.ts'
import { readForm } from './read-form.ts'
import { type ReadUpload, readOptions, type UploadLimits } from './read-upload.ts'
import { collectSent, sentUnheeded } from './sent-content.ts'
import { type StoredFile, storeAgain } from './store-file.ts'

/** What the import routes work with. `enqueue` puts an import's job into the transaction. */
export interface ImportContext {
  config: Config
  pool: Pool
  secrets: Secrets
  log: Log
  enqueue(tx: Tx, job: { account_id: number; import_id: number; type: string }): Promise<void>
  /** Makes an endpoint that is told of one import. Out: what to say of it, with its secret. */
  makeCallback(tx: Tx, asked: AskedCallback): Promise<MadeCallback>
}

export interface AskedCallback {
  account_id: number
  key_id: number
  import_id: number
  url: string
  /** null: one is made. */
  secret: string | null
}

export interface MadeCallback {
  webhook_id: number
  url: string
  /** Shown this once. */
  secret: string
}

/** An upload that was accepted. */
export interface Accepted {
  id: number
  isDraft: boolean
  /** null: nobody is to be told of this import alone. */
  callback: MadeCallback | null
}

export interface Upload {
  account: { account_id: number; key_id: number }
  /** The parts of a form, or a body that is the file itself. */
  body: { parts: AsyncIterable<Multipart> } | { stream: IncomingMessage }
  headers: BodyHeaders
  query: Record<string, unknown>
  /** Content-Length of the whole request; NaN when the client does not say. */
  announcedBytes: number
  /** Aborted with the error to answer when the client stops sending. */
  signal: AbortSignal
  /** Given when the upload came with an idempotency key. */
  once: Once | null
}

// What a form may have besides the file: boundaries, part headers, options.
const formOverheadBytes = 1024 * 1024

/** Accepts one upload. Throws the errors of reading it, of the file's head (not_csv ...), of options,
 *  profile and mapping, and organization_not_found; all of them before anything is kept. */
export async function acceptUpload(context: ImportContext, upload: Upload): Promise<Accepted> {
  const { config, pool, secrets } = context
  const { dataDir, maxUploadBytes } = config
  const { account_id, key_id } = upload.account
  if (upload.announcedBytes > maxUploadBytes + formOverheadBytes) {
    const found = `about ${upload.announcedBytes}`
    throw appError('too_large', { limit: maxUploadBytes, found })
  }
  const types = await loadTypes(pool, account_id)
  const place: PlanPlace = { db: pool, config, types, account_id }
  const { signal, once } = upload
  const sent = once ? collectSent() : sentUnheeded
  const limits = { place: { dataDir, secrets }, maxUploadBytes, signal, sent }
  let { options, file } = await readUpload(place, upload, limits)
  once?.identify(sent.text())
  const progress = { committing: false }
  try {
    const settled = await settleOptions(place, options)
    file = await storeAgain(
      { place: limits.place, encoding: settled.choices.encoding ?? null, maxBytes: maxUploadBytes },
      file
    )
    const made = { ...(await planImport(place, settled, file)), created_by: key_id }
    return await createImport(context, { settled, made, once }, progress)
  } catch (error) {
    await cleanUp(context, file, error, progress)
    throw error
  }
}

/** Reads form or body, and what there is to know before. */
async function readUpload(
  place: PlanPlace,
  { body, headers, query }: Upload,
  limits: UploadLimits
): Promise<ReadUpload> {
  if ('parts' in body) {
    // Of a form, the file is packed, not the request.
    if (isPacked(headers['content-encoding'])) {
      throw appError('content_encoding_unsupported', { found: 'gzip' })
    }
    return readForm(body.parts, readOptions(place.types, query, limits.sent), limits)
  }
  const { file_name, ...rest } = query
  const reader = readOptions(place.types, rest, limits.sent)
  const { type, start, choices } = await settleOptions(place, reader.options)
  if (start) await checkUnfinished(place.db, place.config, place.account_id, type)
  // What the profile says is known before the file as well.
  reader.options.type = type
  if (choices.encoding !== undefined) reader.options.encoding = choices.encoding
  const name = typeof file_name === 'string' ? file_name : undefined
  return readBody(body.stream, { headers, file_name: name }, reader, limits)
}

async function cleanUp(
  { config, log }: ImportContext,
  { file_key }: StoredFile,
  error: unknown,
  progress: { committing: boolean }
): Promise<void> {
  if (progress.committing && isConnectionError(error)) {
    // The commit may have reached the database: then the import needs its file.
    log.warn({ file_key }, 'upload kept, outcome of commit unknown')
  } else await deleteUpload(config.dataDir, file_key)
}

async function createImport(
  { pool, config, enqueue, makeCallback }: ImportContext,
  { settled, made, once }: { settled: Settled; made: NewImport; once: Once | null },
  progress: { committing: boolean }
): Promise<Accepted> {
  const { account_id, created_by: key_id, state } = made
  const { type, callback: asked } = settled
  return withTransaction(pool, async (tx) => {
    if (state === 'queued') await takePlace(tx, config, account_id, type)
    const import_id = await insertImport(tx, made)
    if (state === 'queued') await enqueue(tx, { account_id, import_id, type: type.name })
    const callback = asked && (await makeCallback(tx, { account_id, key_id, import_id, ...asked }))
    const status = state === 'draft' ? 201 : 202
    await once?.record(tx, { status, location: `/imports/${import_id}` })
    await keepUpload(config.dataDir, made.file_key)
    progress.committing = true
    return { id: import_id, isDraft: state === 'draft', callback }
  })
}
