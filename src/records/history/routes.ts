// Routes of a record's history: its versions, and bringing one back.

import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import type { ReadCell } from '../../record-types/read-values.ts'
import type { RecordContext } from '../routes.ts'
import { RecordId } from '../schemas.ts'
import { pageOfHistory } from './list-history.ts'
import { restoreRecord } from './restore-record.ts'
import {
  HistoryQuery,
  historySchemas,
  RestoreBody,
  RestoredSchema,
  VersionPageSchema
} from './schemas.ts'

/** What these routes need. `readCell`: how import/ reads a cell, for values of a changed type. */
export type HistoryContext = RecordContext & { readCell: ReadCell }

/** Adds the routes of history. Needs the access guard, and the schemas of the record routes. */
export function historyRoutes(app: App, context: HistoryContext): void {
  for (const schema of historySchemas) app.addSchema(schema)
  addHistory(app, context)
  addRestore(app, context)
}

function addHistory(app: App, { pool }: HistoryContext): void {
  app.route({
    method: 'GET',
    url: '/records/:id/history',
    schema: {
      operationId: 'listRecordHistory',
      tags: ['records'],
      summary: 'List the versions of a record',
      description:
        'Every version, newest first: when it was made, by which import or restore, with which API ' +
        'key, and which fields it changed. The list ends with the creation of the record, or with ' +
        'the oldest version that is still kept (`not_kept`). Secrets are only said to be there. A ' +
        'record that was deleted still has its history: the newest version says who deleted it.',
      params: RecordId,
      querystring: HistoryQuery,
      response: {
        200: ok('A page of versions.', ref(VersionPageSchema)),
        ...problems('record_not_found', 'invalid_cursor')
      }
    },
    handler: ({ account, params, query }) =>
      pageOfHistory(pool, account.account_id, params.id, query)
  })
}

function addRestore(app: App, { pool, secrets, readCell }: HistoryContext): void {
  app.route({
    method: 'POST',
    url: '/records/:id/restore',
    schema: {
      operationId: 'restoreRecord',
      tags: ['records'],
      summary: 'Restore a version of a record',
      description:
        'Brings the values of an earlier version back, all of them or those of some fields, as a ' +
        'new version: what is between stays in the history. Refused with all reasons at once ' +
        '(`restore_conflict`) where a record that was referred to is gone, another record has the ' +
        'same identity by now, or the type no longer allows a value. `dry_run` says what would ' +
        'change and what is in the way. A record that has these values already stays as it is. ' +
        'A deleted record comes back whole, under its old id. ' +
        'While an import of the same type runs, the restore waits for its turn between two batches.',
      params: RecordId,
      body: RestoreBody,
      response: {
        200: ok('The record with its values of then.', ref(RestoredSchema)),
        ...problems(
          'record_not_found',
          'version_not_found',
          'version_conflict',
          'restore_conflict',
          'secret_key_missing'
        )
      }
    },
    handler: async ({ account, params, body, log }) => {
      const restored = await restoreRecord({ pool, secrets, readCell, ...account }, params.id, body)
      const { dry_run, changes, restored_version } = restored
      if (!dry_run && changes.length > 0) {
        const { key_id } = account
        log.info({ record_id: params.id, restored_version, key_id }, 'record restored')
      }
      return restored
    }
  })
}
