// accept: multipart form -> stored file -> import row and job in one transaction.
// In: the parts of the form and who sends them. Out: the id of the import and whether it is a draft.
// Whatever is refused leaves nothing behind: no import, no file. Called by routes.ts.

import type { Multipart } from '@fastify/multipart'
import type { Config } from '../../config.ts'
import { appError } from '../../errors.ts'
import { isConnectionError, type Pool, type Tx, withTransaction } from '../../platform/db.ts'
import { deleteUpload, keepUpload } from '../../platform/files.ts'
import type { Log } from '../../platform/log.ts'
import type { RecordType } from '../../record-types/types.ts'
import { findOrganization, organizationTypeOf } from '../../records/organizations.ts'
import { sniffCsv } from '../parse/sniff.ts'
import { parseMapping, suggestMapping, unmappedRequired } from '../resolve/map-columns.ts'
import { insertImport, type NewImport } from '../store.ts'
import { requireType, type UploadOptions } from './options.ts'
import { readForm, type UploadForm } from './read-form.ts'

/** What the import routes work with. `enqueue` puts an import's job into the transaction. */
export interface ImportContext {
  config: Config
  pool: Pool
  log: Log
  enqueue(tx: Tx, job: { account_id: number; import_id: number; type: string }): Promise<void>
}

export interface Upload {
  account: { account_id: number; key_id: number }
  parts: AsyncIterable<Multipart>
  /** Content-Length of the whole request; NaN when the client does not say. */
  announcedBytes: number
  /** Aborted with the error to answer when the client stops sending. */
  signal: AbortSignal
}

// What a form may have besides the file: boundaries, part headers, options.
const formOverheadBytes = 1024 * 1024

/** Accepts one upload. Throws the errors of reading the form, of the file's head (not_csv ...), of
 *  the mapping, and organization_not_found; all of them before anything is kept. */
export async function acceptUpload(
  context: ImportContext,
  upload: Upload
): Promise<{ id: number; isDraft: boolean }> {
  const { dataDir, maxUploadBytes } = context.config
  if (upload.announcedBytes > maxUploadBytes + formOverheadBytes) {
    throw appError('too_large', { limit: maxUploadBytes })
  }
  const form = await readForm(upload.parts, { dataDir, maxUploadBytes, signal: upload.signal })
  const progress = { committing: false }
  try {
    const made = await planImport(context, upload.account, form)
    const id = await createImport(context, made, progress)
    return { id, isDraft: made.state === 'draft' }
  } catch (error) {
    if (progress.committing && isConnectionError(error)) {
      // The commit may have reached the database: then the import needs its file.
      context.log.warn({ file_key: form.file.file_key }, 'upload kept, outcome of commit unknown')
    } else await deleteUpload(dataDir, form.file.file_key)
    throw error
  }
}

/** Looks at the head of the file and works out everything the import needs to run. */
async function planImport(
  { config, pool }: ImportContext,
  { account_id, key_id }: Upload['account'],
  { options, file }: UploadForm
): Promise<NewImport> {
  const type = requireType(options)
  const dialect = sniffCsv(file.head, {
    isWhole: file.isWhole,
    delimiter: options.delimiter,
    maxColumns: config.maxColumns,
    maxRowBytes: config.maxRowBytes
  })
  const organization_id = await readOrganization(pool, account_id, type, options)
  const { mode, allow_partial } = options
  const mapping = planMapping(dialect.headers, type, options, organization_id)
  return {
    account_id,
    created_by: key_id,
    type: type.name,
    state: options.start ? 'queued' : 'draft',
    file_name: file.name,
    file_key: file.file_key,
    file_bytes: file.bytes,
    file_sha256: file.sha256,
    dialect,
    options: { mode, allow_partial, organization_id },
    mapping
  }
}

async function readOrganization(
  pool: Pool,
  account_id: number,
  type: RecordType,
  { organization }: UploadOptions
): Promise<number | null> {
  if (organization === null) return null
  checkTakesOrganization(type, organization)
  return (await findOrganization(pool, account_id, type, organization)).id
}

/** Throws invalid_option when records of the type belong to no organization. */
export function checkTakesOrganization(type: RecordType, value: string | number): void {
  if (organizationTypeOf(type)) return
  const expected = `Leave it out: ${type.name} belong to no organization.`
  throw appError('invalid_option', { option: 'organization', value, expected })
}

function planMapping(
  headers: string[],
  type: RecordType,
  { mapping, mode, start }: UploadOptions,
  organization_id: number | null
) {
  const planned = mapping ? parseMapping(headers, type, mapping) : suggestMapping(headers, type)
  if (start) checkRequired(headers, planned, type, { mode, organization_id })
  return planned
}

/** Throws required_column_unmapped; its details say what the mapping has to work with. */
export function checkRequired(
  headers: string[],
  mapping: (string | null)[],
  type: RecordType,
  options: { mode: string; organization_id: number | null }
): void {
  const unmapped = unmappedRequired(mapping, type, options)
  if (unmapped.length === 0) return
  const columns = headers.map((header, index) => ({ header, field: mapping[index] ?? null }))
  throw appError(
    'required_column_unmapped',
    { fields: unmapped.join(', ') },
    { details: { unmapped_required: unmapped, columns } }
  )
}

async function createImport(
  { pool, config, enqueue }: ImportContext,
  made: NewImport,
  progress: { committing: boolean }
): Promise<number> {
  const { account_id, type } = made
  return withTransaction(pool, async (tx) => {
    const import_id = await insertImport(tx, made)
    if (made.state === 'queued') await enqueue(tx, { account_id, import_id, type })
    await keepUpload(config.dataDir, made.file_key)
    progress.committing = true
    return import_id
  })
}
