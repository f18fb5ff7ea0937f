// Routes of records: read one, list with filters. Writing them is the imports' work.

import type { Pool } from '../platform/db.ts'
import type { App } from '../platform/http.ts'
import { problems, ref } from '../platform/http-schemas.ts'
import { pageOfRecords, showRecord } from './list-records.ts'
import {
  NamedRecordSchema,
  RecordId,
  RecordListQuery,
  RecordPageSchema,
  RecordSchema
} from './schemas.ts'

/** Adds the routes of this module. Needs the access guard (`request.account`). */
export function recordRoutes(app: App, { pool }: { pool: Pool }): void {
  app.addSchema(NamedRecordSchema)
  app.addSchema(RecordSchema)
  app.addSchema(RecordPageSchema)

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
