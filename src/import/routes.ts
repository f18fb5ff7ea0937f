// Routes of imports: send a file, follow it, change a draft, read the outcome of every row.
// A route is its schema and a handler that calls one verb; only this file sees request and reply.

import type { FastifyRequest } from 'fastify'
import { appError } from '../errors.ts'
import type { App } from '../platform/http.ts'
import { ok, problems, ref } from '../platform/http-schemas.ts'
import { watchUpload } from '../platform/request-body.ts'
import { startStream } from '../platform/streams.ts'
import { loadTypes } from '../record-types/store.ts'
import { acceptUpload, type ImportContext, type Upload } from './accept/accept-upload.ts'
import { compareUpload } from './accept/compare-upload.ts'
import { attachment } from './accept/file-name.ts'
import { changeDraft, startImport } from './change-import.ts'
import { dryRunRoutes } from './dry-run/routes.ts'
import { lifecycleRoutes } from './lifecycle/routes.ts'
import { pageOfRows, pickFormat, readOutcomes, rejectedRows, streamRows } from './list-rows.ts'
import {
  DraftPatch,
  fileTypes,
  ImportListQuery,
  RowListQuery,
  UploadQuery,
  uploadBody
} from './request-schemas.ts'
import {
  ImportId,
  ImportPageSchema,
  ImportSchema,
  importSchemas,
  RowPageSchema
} from './schemas.ts'
import { pageOfImports, requireRows, showImport } from './show-import.ts'

const tags = ['imports']
const anyText = { type: 'string', description: 'Text, sent as it is read.' }

/** Adds the routes of this module. Needs the access guard and the multipart plug-in. */
export function importRoutes(app: App, context: ImportContext): void {
  for (const schema of importSchemas) app.addSchema(schema)
  addUpload(app, context)
  addReading(app, context)
  addChanges(app, context)
  addRows(app, context)
  lifecycleRoutes(app, context)
  dryRunRoutes(app, context)
}

const location = { type: 'string', description: 'Path of the import.' } as const

const createImportDoc = {
  operationId: 'createImport',
  tags,
  summary: 'Send a file to import',
  description:
    'Stores the file and queues its import, or keeps it as a draft (`start=false`). The file is a ' +
    'part of a form, or the body itself (Content-Type `text/csv` and the like, Content-Encoding ' +
    '`gzip` if it is packed) with all options in the query. gzip, UTF-16 and what `encoding` names ' +
    'are converted while storing. Refused uploads leave nothing behind. The same content sent ' +
    'before is accepted; `earlier_import` names the import that had it.',
  consumes: ['multipart/form-data', ...fileTypes],
  querystring: UploadQuery,
  body: uploadBody,
  response: {
    201: ok('Kept as a draft.', ref(ImportSchema), { location }),
    202: ok('Queued.', ref(ImportSchema), { location }),
    ...problems(
      'not_multipart',
      'content_encoding_unsupported',
      'malformed_multipart',
      'upload_stalled',
      'file_missing',
      'too_many_files',
      'unknown_option',
      'invalid_option',
      'too_large',
      'empty_file',
      'no_rows',
      'not_csv',
      'encoding_unsupported',
      'encoding_invalid',
      'encoding_mismatch',
      'gzip_invalid',
      'header_missing',
      'header_invalid',
      'too_many_columns',
      'too_many_rows',
      'another_import_running',
      'too_many_imports',
      'profile_not_found',
      'profile_stale',
      'unknown_record_type',
      'mapping_invalid',
      'required_column_unmapped',
      'organization_not_found',
      'organization_ambiguous',
      'storage_unavailable'
    )
  }
}

/** What showing a draft needs besides the database. */
const previewSettings = ({ config, secrets }: ImportContext) => ({ ...config, secrets })

function addUpload(root: App, context: ImportContext): void {
  const { pool, config } = context
  const settings = previewSettings(context)
  // Only this route takes files as they are: elsewhere these types stay 415.
  root.register(async (app: App) => {
    app.addContentTypeParser(fileTypes, (_request, body, done) => done(null, body))
    app.route({
      method: 'POST',
      url: '/imports',
      // Parts, body and options are read as they arrive; the schemas document them.
      validatorCompiler: () => () => true,
      config: {
        sealAnswer: true,
        identify: (request) => readUpload(request, (upload) => compareUpload(config, upload))
      },
      schema: createImportDoc,
      handler: async (request, reply) => {
        const accept = (upload: Upload) => acceptUpload(context, upload)
        const { id, isDraft, callback } = await readUpload(request, accept)
        const json = await showImport(pool, settings, request.account.account_id, id)
        reply.code(isDraft ? 201 : 202).header('location', json.links.self)
        return reply.send(callback ? { ...json, callback } : json)
      }
    })
  })

  /** Hands over what was sent, watched until `read` is done with it. Throws not_multipart. */
  async function readUpload<T>(request: FastifyRequest, read: (upload: Upload) => Promise<T>) {
    const { account, headers, once, raw } = request
    const isFile = request.body === raw
    if (!isFile && !request.isMultipart()) throw appError('not_multipart')
    const query = request.query as Record<string, unknown>
    const { signal, stop } = watchUpload(raw, config.uploadIdleTimeoutMs)
    const body = isFile ? { stream: raw } : { parts: request.parts() }
    const announcedBytes = Number(headers['content-length'])
    return read({ account, body, headers, query, announcedBytes, signal, once }).finally(stop)
  }
}

const listImportsDoc = {
  operationId: 'listImports',
  tags,
  summary: 'List imports',
  description: 'The history of the account, newest first.',
  querystring: ImportListQuery,
  response: {
    200: ok('A page of imports.', ref(ImportPageSchema)),
    ...problems('invalid_cursor')
  }
}

const getImportDoc = {
  operationId: 'getImport',
  tags,
  summary: 'Get an import',
  description:
    'State, counts, progress and choices of an import; cheap enough to be asked every second. ' +
    'A draft comes with a preview of its first 100 rows.',
  params: ImportId,
  response: {
    200: ok('The import.', ref(ImportSchema)),
    ...problems('import_not_found')
  }
}

function addReading(app: App, context: ImportContext): void {
  const { pool } = context
  const settings = previewSettings(context)
  app.route({
    method: 'GET',
    url: '/imports',
    schema: listImportsDoc,
    handler: ({ account, query }) => pageOfImports(pool, account.account_id, query)
  })

  app.route({
    method: 'GET',
    url: '/imports/:id',
    schema: getImportDoc,
    handler: ({ account, params }) => showImport(pool, settings, account.account_id, params.id)
  })
}

const changeImportDoc = {
  operationId: 'changeImport',
  tags,
  summary: 'Change a draft',
  description: 'Changes the mapping and the choices of a draft. What is absent stays.',
  params: ImportId,
  body: DraftPatch,
  response: {
    200: ok('The changed draft.', ref(ImportSchema)),
    ...problems(
      'import_not_found',
      'import_state_conflict',
      'mapping_invalid',
      'invalid_option',
      'organization_not_found',
      'organization_ambiguous',
      'body_too_large',
      'unsupported_media_type'
    )
  }
}

const startImportDoc = {
  operationId: 'startImport',
  tags,
  summary: 'Start a draft',
  description: 'Queues a draft whose required fields are all mapped.',
  params: ImportId,
  response: {
    202: ok('Queued.', ref(ImportSchema)),
    ...problems(
      'import_not_found',
      'import_state_conflict',
      'record_type_changed',
      'required_column_unmapped',
      'another_import_running',
      'too_many_imports',
      'upload_gone'
    )
  }
}

function addChanges(app: App, context: ImportContext): void {
  const { pool } = context
  const settings = previewSettings(context)
  app.route({
    method: 'PATCH',
    url: '/imports/:id',
    schema: changeImportDoc,
    handler: async ({ account: { account_id }, params: { id }, body }) => {
      await changeDraft(context, { account_id, id }, body)
      return showImport(pool, settings, account_id, id)
    }
  })

  app.route({
    method: 'POST',
    url: '/imports/:id/start',
    schema: startImportDoc,
    handler: async ({ account: { account_id }, params: { id }, once }, reply) => {
      await startImport(context, { account_id, id }, once)
      return reply.code(202).send(await showImport(pool, settings, account_id, id))
    }
  })
}

const listImportRowsDoc = {
  operationId: 'listImportRows',
  tags,
  summary: 'Read the outcome of every row',
  description:
    'Outcomes in file order: JSON in pages, or all at once as NDJSON or CSV (`format` or the ' +
    'Accept header). In CSV a cell that a spreadsheet would run as a formula (it begins with ' +
    "= + - @, a tab, a carriage return or a full-width form) gets a ' in front.",
  params: ImportId,
  querystring: RowListQuery,
  response: {
    200: {
      description: 'The outcomes.',
      content: {
        'application/json': { schema: ref(RowPageSchema) },
        'application/x-ndjson': { schema: anyText },
        'text/csv': { schema: anyText }
      }
    },
    ...problems('import_not_found', 'invalid_cursor', 'rows_gone')
  }
}

const downloadRejectsDoc = {
  operationId: 'downloadRejects',
  tags,
  summary: 'Download the rejected rows',
  description:
    "Rejected and failed rows in the file's own columns and delimiter, with the problem in " +
    'the columns muster_line, muster_codes and muster_problems. Mended, the file can be sent ' +
    "as it is: these columns are ignored, and the ' put in front of formulas is taken off. Cells " +
    'of secrets, and whole rows that could not be split, are blank: fill them in again. Only an ' +
    'API key that may read secrets gets them, and that is logged.',
  params: ImportId,
  response: {
    200: {
      description: 'The rows.',
      headers: { 'content-disposition': { type: 'string', description: 'Name of the file.' } },
      content: { 'text/csv': { schema: anyText } }
    },
    ...problems('import_not_found', 'rows_gone', 'secret_key_missing', 'secret_unreadable')
  }
}

function addRows(app: App, { pool, secrets }: ImportContext): void {
  app.route({
    method: 'GET',
    url: '/imports/:id/rows',
    schema: listImportRowsDoc,
    handler: async ({ account: { account_id }, params, query, headers }, reply) => {
      const row = await requireRows(pool, account_id, params.id)
      const types = await loadTypes(pool, account_id)
      const type = types.get(row.type)
      const choice = { account_id, import: row, outcomes: readOutcomes(query.outcome), type, types }
      const format = pickFormat(query.format, headers.accept)
      reply.header('vary', 'accept')
      if (format.name === 'json') return pageOfRows(pool, choice, query)
      return reply.type(format.type).send(await startStream(streamRows(pool, choice, format.name)))
    }
  })

  app.route({
    method: 'GET',
    url: '/imports/:id/rejects.csv',
    schema: downloadRejectsDoc,
    handler: async ({ account, params, log }, reply) => {
      const { account_id, reads_secrets: readsSecrets } = account
      const row = await requireRows(pool, account_id, params.id)
      const types = await loadTypes(pool, account_id)
      const type = types.get(row.type)
      const onSecrets = () =>
        log.info({ import_id: row.id, key_id: account.key_id }, 'secrets read')
      const access = { secrets, readsSecrets, onSecrets }
      const choice = { account_id, import: row, outcomes: null, type, types }
      const stream = await startStream(rejectedRows(pool, choice, access))
      reply.header('content-disposition', attachment(`rejects-${row.id}-${row.file_name}`))
      return reply.type('text/csv; charset=utf-8; header=present').send(stream)
    }
  })
}
