// Routes of imports: send a file, follow it, change a draft, read the outcome of every row.
// A route is its schema and a handler that calls one verb; only this file sees request and reply.

import type { App } from '../platform/http.ts'
import { ok, problems, ref } from '../platform/http-schemas.ts'
import { watchUpload } from '../platform/request-body.ts'
import { startStream } from '../platform/streams.ts'
import { acceptUpload, type ImportContext } from './accept/accept-upload.ts'
import { attachment } from './accept/file-name.ts'
import { changeDraft, requestCancel, startImport } from './change-import.ts'
import { pageOfRows, pickFormat, readOutcomes, rejectedRows, streamRows } from './list-rows.ts'
import { DraftPatch, ImportListQuery, RowListQuery, UploadFormSchema } from './request-schemas.ts'
import {
  ImportId,
  ImportPageSchema,
  ImportSchema,
  importSchemas,
  RowPageSchema
} from './schemas.ts'
import { pageOfImports, requireImport, showImport } from './show-import.ts'

const tags = ['imports']
const anyText = { type: 'string', description: 'Text, sent as it is read.' }

/** Adds the routes of this module. Needs the access guard and the multipart plug-in. */
export function importRoutes(app: App, context: ImportContext): void {
  for (const schema of importSchemas) app.addSchema(schema)
  addUpload(app, context)
  addReading(app, context)
  addChanges(app, context)
  addRows(app, context)
}

const location = { type: 'string', description: 'Path of the import.' } as const

const createImportDoc = {
  operationId: 'createImport',
  tags,
  summary: 'Send a file to import',
  description:
    'Stores the file and queues its import, or keeps it as a draft (`start=false`). Refused ' +
    'uploads leave nothing behind. The same content sent before is accepted; `earlier_import` ' +
    'names the import that had it.',
  consumes: ['multipart/form-data'],
  body: UploadFormSchema,
  response: {
    201: ok('Kept as a draft.', ref(ImportSchema), { location }),
    202: ok('Queued.', ref(ImportSchema), { location }),
    ...problems(
      'not_multipart',
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
      'header_missing',
      'header_invalid',
      'too_many_columns',
      'unknown_record_type',
      'mapping_invalid',
      'required_column_unmapped',
      'organization_not_found',
      'organization_ambiguous',
      'storage_unavailable'
    )
  }
}

function addUpload(app: App, context: ImportContext): void {
  const { pool, config } = context
  app.route({
    method: 'POST',
    url: '/imports',
    // The parts are read as they arrive; the schema documents them.
    validatorCompiler: () => () => true,
    schema: createImportDoc,
    handler: async (request, reply) => {
      const { account } = request
      const { signal, stop } = watchUpload(request.raw, config.uploadIdleTimeoutMs)
      const announcedBytes = Number(request.headers['content-length'])
      const upload = { account, parts: request.parts(), announcedBytes, signal }
      const { id, isDraft } = await acceptUpload(context, upload).finally(stop)
      const json = await showImport(pool, config, account.account_id, id)
      return reply
        .code(isDraft ? 201 : 202)
        .header('location', json.links.self)
        .send(json)
    }
  })
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

function addReading(app: App, { pool, config }: ImportContext): void {
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
    handler: ({ account, params }) => showImport(pool, config, account.account_id, params.id)
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
      'required_column_unmapped',
      'upload_gone'
    )
  }
}

const cancelImportDoc = {
  operationId: 'cancelImport',
  tags,
  summary: 'Cancel an import',
  description:
    'Ends a draft or a queued import at once. A running one ends its batch first: what was ' +
    'written stays, and the outcomes say how far it came. Cancelling again is no error.',
  params: ImportId,
  response: {
    200: ok('Cancelled.', ref(ImportSchema)),
    202: ok('Running; it will stop after the batch in flight.', ref(ImportSchema)),
    ...problems('import_not_found', 'import_state_conflict')
  }
}

function addChanges(app: App, context: ImportContext): void {
  const { pool, config } = context
  app.route({
    method: 'PATCH',
    url: '/imports/:id',
    schema: changeImportDoc,
    handler: async ({ account: { account_id }, params: { id }, body }) => {
      await changeDraft(context, { account_id, id }, body)
      return showImport(pool, config, account_id, id)
    }
  })

  app.route({
    method: 'POST',
    url: '/imports/:id/start',
    schema: startImportDoc,
    handler: async ({ account: { account_id }, params: { id } }, reply) => {
      await startImport(context, { account_id, id })
      return reply.code(202).send(await showImport(pool, config, account_id, id))
    }
  })

  app.route({
    method: 'POST',
    url: '/imports/:id/cancel',
    schema: cancelImportDoc,
    handler: async ({ account: { account_id }, params: { id } }, reply) => {
      const state = await requestCancel(context, { account_id, id })
      reply.code(state === 'cancelled' ? 200 : 202)
      return reply.send(await showImport(pool, config, account_id, id))
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
    ...problems('import_not_found', 'invalid_cursor')
  }
}

const downloadRejectsDoc = {
  operationId: 'downloadRejects',
  tags,
  summary: 'Download the rejected rows',
  description:
    "Rejected and failed rows in the file's own columns and delimiter, with the problem in " +
    'the columns muster_line, muster_codes and muster_problems. Mended, the file can be sent ' +
    "as it is: these columns are ignored, and the ' put in front of formulas is taken off.",
  params: ImportId,
  response: {
    200: { description: 'The rows.', content: { 'text/csv': { schema: anyText } } },
    ...problems('import_not_found')
  }
}

function addRows(app: App, { pool }: ImportContext): void {
  app.route({
    method: 'GET',
    url: '/imports/:id/rows',
    schema: listImportRowsDoc,
    handler: async ({ account: { account_id }, params, query, headers }, reply) => {
      const row = await requireImport(pool, account_id, params.id)
      const choice = { account_id, import: row, outcomes: readOutcomes(query.outcome) }
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
    handler: async ({ account: { account_id }, params }, reply) => {
      const row = await requireImport(pool, account_id, params.id)
      const stream = await startStream(
        rejectedRows(pool, { account_id, import: row, outcomes: null })
      )
      reply.header('content-disposition', attachment(`rejects-${row.id}-${row.file_name}`))
      return reply.type('text/csv; charset=utf-8; header=present').send(stream)
    }
  })
}
