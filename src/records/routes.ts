// Routes of records: read one, its secrets, list with filters, export. Their history has routes of
// its own; writing them is the imports' work.

import type { Pool } from '../platform/db.ts'
import type { App } from '../platform/http.ts'
import { problems, ref } from '../platform/http-schemas.ts'
import type { Secrets } from '../platform/secrets.ts'
import { startStream } from '../platform/streams.ts'
import { exportRecords } from './export-csv.ts'
import { pageOfRecords, showRecord } from './list-records.ts'
import { readSecrets } from './read-secrets.ts'
import {
  ExportQuery,
  NamedRecordSchema,
  RecordId,
  RecordListQuery,
  RecordPageSchema,
  RecordSchema,
  RecordSecretsSchema
} from './schemas.ts'

const csvText = { type: 'string', description: 'CSV with a header, sent as it is read.' }

/** What the routes of this module work with. */
export interface RecordContext {
  pool: Pool
  secrets: Secrets
}

/** Adds the routes of this module. Needs the access guard (`request.account`). */
export function recordRoutes(app: App, { pool, secrets }: RecordContext): void {
  app.addSchema(NamedRecordSchema)
  app.addSchema(RecordSchema)
  app.addSchema(RecordPageSchema)
  app.addSchema(RecordSecretsSchema)
  addReading(app, { pool, secrets })
  addSecrets(app, { pool, secrets })
  addExport(app, { pool, secrets })
}

function addReading(app: App, { pool }: RecordContext): void {
  app.route({
    method: 'GET',
    url: '/records',
    schema: {
      operationId: 'listRecords',
      tags: ['records'],
      summary: 'List records',
      description:
        'Records of one type by id. Filters compare the values as they are stored. A filter that ' +
        'fits few records of a very large type may end in `query_timeout`.',
      querystring: RecordListQuery,
      response: {
        200: ref(RecordPageSchema),
        ...problems(
          'invalid_cursor',
          'unknown_record_type',
          'organization_not_found',
          'organization_ambiguous'
        )
      }
    },
    handler: (request) => pageOfRecords(pool, request.account.account_id, request.query)
  })

  app.route({
    method: 'GET',
    url: '/records/:id',
    schema: {
      operationId: 'getRecord',
      tags: ['records'],
      summary: 'Get a record',
      description: 'One record of any type by its id.',
      params: RecordId,
      response: { 200: ref(RecordSchema), ...problems('record_not_found') }
    },
    handler: (request) => showRecord(pool, request.account.account_id, request.params.id)
  })
}

function addSecrets(app: App, { pool, secrets }: RecordContext): void {
  app.route({
    method: 'GET',
    url: '/records/:id/secrets',
    schema: {
      operationId: 'getRecordSecrets',
      tags: ['records'],
      summary: 'Read the secrets of a record',
      description:
        'The values of its sensitive fields, readable. Needs an API key that may read secrets. ' +
        'Each reading is logged: which key, record and fields, never the values.',
      params: RecordId,
      response: {
        200: ref(RecordSecretsSchema),
        ...problems('record_not_found', 'forbidden', 'secret_key_missing', 'secret_unreadable')
      }
    },
    handler: async ({ account, params: { id }, log }) => {
      const data = await readSecrets(pool, secrets, account, id)
      const fields = Object.keys(data)
      log.info({ record_id: id, fields, key_id: account.key_id }, 'secrets read')
      return { data }
    }
  })
}

function addExport(app: App, { pool, secrets }: RecordContext): void {
  app.route({
    method: 'GET',
    url: '/records/export.csv',
    schema: {
      operationId: 'exportRecords',
      tags: ['records'],
      summary: 'Export records as CSV',
      description:
        'All records of one type in the form that `POST /imports` takes: sent again as it is it ' +
        'changes nothing, edited it changes what was edited. The column `Muster ID` says which ' +
        'record a row is. References are names where a name finds that record and no other, ' +
        '`id:17` otherwise. Cells that a spreadsheet program would take for a formula have a ' +
        'quote in front, which the import takes off again; so has a value that is `__CLEAR__`. A ' +
        'list with a value that holds its separator is a JSON list.',
      querystring: ExportQuery,
      response: {
        200: {
          description: 'The records.',
          headers: { 'content-disposition': { type: 'string', description: 'Name of the file.' } },
          content: { 'text/csv': { schema: csvText } }
        },
        ...problems(
          'unknown_record_type',
          'organization_not_found',
          'organization_ambiguous',
          'forbidden',
          'secret_key_missing',
          'secret_unreadable'
        )
      }
    },
    handler: async ({ account, query, log }, reply) => {
      const { type, secretFields, csv } = await exportRecords(pool, secrets, account, query)
      const stream = await startStream(csv)
      if (secretFields.length > 0) {
        log.info({ type, fields: secretFields, key_id: account.key_id }, 'secrets exported')
      }
      reply.header('content-disposition', `attachment; filename="${type}.csv"`)
      return reply.type('text/csv; charset=utf-8; header=present').send(stream)
    }
  })
}
